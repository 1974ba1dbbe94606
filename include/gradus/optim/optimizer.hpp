// SPDX-License-Identifier: MIT
// Applies a rule to all parameters at once: values, gradients and state lie in flat buffers, and a step is
// one pass.
#pragma once

#include <variant>

#include <gradus/kernels/update.hpp>
#include <gradus/optim/adagrad.hpp>
#include <gradus/optim/adam.hpp>
#include <gradus/optim/clip.hpp>
#include <gradus/optim/rmsprop.hpp>
#include <gradus/optim/schedule.hpp>
#include <gradus/optim/sgd.hpp>
#include <gradus/tape/parameter.hpp>

namespace gradus::optim {

/// A rule by value, of no scalar type and no device.
using Rule = std::variant<Sgd, Adam, AdamW, RmsProp, Adagrad>;

/// Moves the parameters' numbers into its buffers, where they stay: at most one optimizer at a time has a
/// parameter.
template <class T> class Optimizer {
 public:
  /// `model`: anything with named_parameters(). Parameters that nobody has set since they were made are drawn
  /// under their names first, so that two equal members of a module begin differently. Throws ValueError for
  /// hyper-parameters outside their range, or where there is no parameter.
  template <class Model>
    requires requires(Model& m) { m.named_parameters(); }
  Optimizer(Model& model, const Rule& rule, const Clip& clip = {}, Schedule schedule = {})
      : Optimizer(rule, clip, schedule) {
    if constexpr (requires { model.initialize(0, false); }) model.initialize(0, false);
    for (const auto& p : model.named_parameters()) add(*p.parameter);
    adopt_all();
  }

  Optimizer(const std::vector<Parameter<T>*>& parameters, const Rule& rule, const Clip& clip = {},
            Schedule schedule = {})
      : Optimizer(rule, clip, schedule) {
    for (auto* p : parameters) add(*p);
    adopt_all();
  }

  /// One update of every parameter whose gradient was written since the last step, which consumes those
  /// gradients: there is no zero_grad. Throws TapeError where there is none: backward was not called.
  void step() {
    clip_gradients();
    T numbers[cpu::most_numbers];
    const auto& rule = prepare(numbers);
    update(rule, numbers);
  }

  std::int64_t steps() const { return steps_; }
  const Rule& rule() const { return rule_; }
  double learning_rate() const {  ///< of the next step
    return std::visit([](const auto& r) { return r.learning_rate; }, rule_) * factor();
  }
  void set_learning_rate(double rate) {
    std::visit(
        [rate](auto& r) {
          auto changed = r;
          changed.learning_rate = rate;
          changed.check();
          r = changed;
        },
        rule_);
  }

 private:
  struct Slot {
    gradus::detail::Share share;
    typename Parameter<T>::Leaf* leaf;
    const T* value;
    Index at;
  };
  static constexpr Index padded(Index n) {
    constexpr Index per_line = std::max<Index>(1, Index(gradus::detail::alignment / sizeof(T)));
    return (n + per_line - 1) / per_line * per_line;
  }

  Optimizer(const Rule& rule, const Clip& clip, const Schedule& schedule)
      : rule_(rule), clip_(clip), schedule_(schedule) {
    std::visit([](const auto& r) { r.check(); }, rule);
    clip_.check();
  }
  void add(const Parameter<T>& p) {
    leaves_.push_back({p.share(), &p.leaf(), nullptr, total_});
    total_ += padded(p.value().size());
    gradus::detail::require<DeviceError>(p.device() == device(), "optimizer: parameters are on two devices");
  }
  void adopt_all() {
    gradus::detail::require<ValueError>(!leaves_.empty(), "optimizer: there is no parameter to learn");
    for (auto& buffer : buffers_) buffer = Array<T>(Shape{total_}, device());
    for (auto& l : leaves_) adopt(l);
    squares_ = Array<T>(Shape{}, device());
  }

  Device device() const { return leaves_.front().leaf->value.device(); }
  T* buffer(std::size_t i) {
    return const_cast<T*>(buffers_[i].data());
  }  // shared with the parameters on purpose

  /// The parameter's numbers move into the buffers, a gradient that was written before too.
  void adopt(Slot& l) {
    auto& leaf = *l.leaf;
    const Shape shape = leaf.value.shape();
    const auto part = [&](std::size_t i) {
      return Array<T>::over({buffers_[i].data() + l.at, shape, device()}, buffers_[i].share());
    };
    gradus::detail::copy_bytes(device(), buffer(0) + l.at, device(), leaf.value.data(), leaf.value.bytes());
    if (leaf.gradient.written)
      gradus::detail::copy_bytes(device(), buffer(1) + l.at, device(), leaf.gradient.data,
                                 leaf.value.bytes());
    leaf.value = part(0);
    leaf.gradient_memory = part(1);
    leaf.gradient.data = buffer(1) + l.at;
    l.value = leaf.value.data();
  }

  double factor() const { return schedule_ ? schedule_(steps_) : 1; }
  static bool ready(const Slot& l) { return l.leaf->gradient.written && l.leaf->gradient.wanted; }

  void clip_gradients() {
    if (!clip_.any()) return;
    const auto each = [this](const auto& change) {
      for (auto& l : leaves_)
        if (ready(l)) change(Sink<T>{buffer(1) + l.at, l.leaf->value.shape(), device()});
    };
    detail::clip<T>(clip_, each, {squares_.mutable_data(), Shape{}, device()});
  }

  /// The rule's formula, and its numbers for this step.
  const kernels::UpdateRule<T>& prepare(T* numbers) {
    return std::visit(
        [&](auto rule) -> const kernels::UpdateRule<T>& {
          rule.learning_rate *= factor();
          const auto h = rule.template numbers<T>(steps_ + 1, powers_);
          for (std::size_t i = 0; i < h.size(); ++i) numbers[i] = static_cast<T>(h[i]);
          return kernels::update_rule<decltype(rule), std::tuple_size_v<std::remove_const_t<decltype(h)>>, T>;
        },
        rule_);
  }

  /// Neighbours in one pass: all parameters, unless some are frozen or were not part of the loss.
  void update(const kernels::UpdateRule<T>& rule, const T* numbers) {
    for (const Slot& l : leaves_)  // all of them before the first change
      gradus::detail::require<ValueError>(l.leaf->value.data() == l.value, "optimizer: a parameter ",
                                          l.leaf->value.shape(), " has been taken over by another optimizer");
    bool any = false;
    for (std::size_t i = 0; i < leaves_.size();) {
      if (!ready(leaves_[i])) {
        ++i;
        continue;
      }
      const Index first = leaves_[i].at;
      for (; i < leaves_.size() && ready(leaves_[i]); ++i) consume(leaves_[i]);
      const Index n = (i < leaves_.size() ? leaves_[i].at : total_) - first;
      T* const state[cpu::most_states] = {buffer(2) + first, buffer(3) + first};
      kernels::update<T>(rule, device(), buffer(0) + first, buffer(1) + first, state, numbers, n);
      any = true;
    }
    gradus::detail::require<TapeError>(
        any, "optimizer: no gradient has been written since the last step (was backward called?)");
    ++steps_;
  }
  static void consume(Slot& l) { l.leaf->gradient.written = l.leaf->untouched = false; }

  Rule rule_;
  Clip clip_;
  Schedule schedule_;
  std::vector<Slot> leaves_;
  Array<T> buffers_[4];  // values, gradients, and up to two numbers of state
  Array<T> squares_;
  Index total_ = 0;
  std::int64_t steps_ = 0;
  Powers powers_;
};

template <class Model>
  requires requires(Model& m) { m.named_parameters(); }
Optimizer(Model&, const Rule&)->Optimizer<typename Model::value_type>;

}  // namespace gradus::optim
