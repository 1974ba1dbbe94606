// SPDX-License-Identifier: MIT
// Applies a rule to all parameters at once: values, gradients and state lie in flat buffers, and a step is
// one pass.
#pragma once

#include <bit>

#include <gradus/kernels/update.hpp>
#include <gradus/optim/clip.hpp>
#include <gradus/optim/rule.hpp>
#include <gradus/optim/schedule.hpp>
#include <gradus/tape/parameter.hpp>

namespace gradus::optim {

/// Moves the parameters' numbers into its buffers, where they stay: at most one optimizer at a time has a
/// parameter.
template <class T> class Optimizer {
 public:
  /// `model`: a module, or anything else with each_parameter(f). Parameters that nobody has set since they
  /// were made are drawn under their names first, so that two equal members of a module begin differently.
  /// Throws ValueError for hyper-parameters outside their range, or where there is no parameter.
  template <class Model>
    requires requires(Model& m, void (&visit)(const std::string&, Parameter<T>&)) { m.each_parameter(visit); }
  Optimizer(Model& model, const Rule<T>& rule, const Clip& clip = {}, Schedule schedule = {})
      : Optimizer(rule, clip, schedule) {
    if constexpr (requires { model.initialize(0, false); }) model.initialize(0, false);
    model.each_parameter([this](const std::string&, Parameter<T>& p) { add(p); });
    adopt_all();
  }

  Optimizer(const std::vector<Parameter<T>*>& parameters, const Rule<T>& rule, const Clip& clip = {},
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
    this->numbers(0, numbers);
    const T* at = numbers;
    if (!device().is_cpu()) {
      gradus::detail::copy_bytes(device(), numbers_.mutable_data(), {}, numbers, sizeof numbers);
      at = numbers_.data();
    }
    update(at, {});
    ++steps_;
  }

  /// For steps that a device repeats by itself: the rule's numbers of the step that is `ahead` of the next
  /// one; a step's calls, with numbers that lie on the device; and that n steps have been asked for.
  void numbers(Index ahead, T* to) {
    const std::int64_t done = steps_ + ahead;
    rule_.numbers(schedule_(done), schedule_.momentum_at(done), done + 1, powers_, to);
  }
  void record(const T* numbers, const kernels::Watch& watch) { clip_gradients(), update(numbers, watch); }
  void advance(Index n) { steps_ += n; }
  /// Throws ValueError where a parameter's numbers are no longer in the buffers.
  void expect_ownership() {
    each([this](Leaf& l, Index at) {
      gradus::detail::require<ValueError>(l.value.data() == buffer(0) + at, "optimizer: a parameter ",
                                          l.value.shape(), " has been taken over by another optimizer");
    });
  }
  /// Another number after some parameters have been frozen or set free.
  std::uint64_t learning() {
    std::uint64_t all = 0;
    each([&](Leaf& l, Index) { all = all * 0x9e3779b97f4a7c15 + (l.gradient.wanted ? 2 : 1); });
    return all;
  }
  /// Gradients written since the last step are not used.
  void forget_gradients() {
    each([](Leaf& l, Index) { l.gradient.written = false; });
  }

  std::int64_t steps() const { return steps_; }
  const Rule<T>& rule() const { return rule_; }
  double learning_rate() const { return rule_.learning_rate() * schedule_(steps_); }  ///< of the next step
  void set_learning_rate(double rate) { rule_.set_learning_rate(rate); }

 private:
  using Leaf = typename Parameter<T>::Leaf;
  /// Every parameter begins a line of memory: 64 bytes of the CPU's, 256 of another device's.
  Index padded(Index n) const { return (n + per_line_ - 1) & -per_line_; }

  Optimizer(const Rule<T>& rule, const Clip& clip, const Schedule& schedule)
      : rule_(rule), clip_(clip), schedule_(schedule) {
    rule_.check();
    clip_.check();
    gradus::detail::require<ValueError>(!schedule_.momentum || rule_.has_momentum(),
                                        "optimizer: ", rule_.name(),
                                        " has no momentum that a schedule could change");
  }
  void add(const Parameter<T>& p) {
    const Index line = p.device().is_cpu() ? Index(gradus::detail::alignment) : 256;
    per_line_ = Index(std::bit_floor(std::size_t(line) / sizeof(T) + (sizeof(T) > std::size_t(line))));
    leaves_.push_back(gradus::detail::Share(p.share()));
    total_ += padded(p.value().size());
    gradus::detail::require<DeviceError>(p.device() == device(), "optimizer: parameters are on two devices");
  }
  void adopt_all() {
    gradus::detail::require<ValueError>(!leaves_.empty(), "optimizer: there is no parameter to learn");
    for (int i = 0; i < 2 + rule_.states(); ++i) buffers_[i] = Array<T>(Shape{total_}, device());
    each([this](Leaf& leaf, Index at) { adopt(leaf, at); });
    squares_ = Array<T>(Shape{}, device());
    if (!device().is_cpu()) numbers_ = Array<T>(Shape{cpu::most_numbers}, device());
  }

  static Leaf& leaf(const gradus::detail::Share& share) { return *static_cast<Leaf*>(share.get()); }
  Device device() const { return leaf(leaves_.front()).value.device(); }
  T* buffer(std::size_t i) {
    return const_cast<T*>(buffers_[i].data());
  }  // shared with the parameters on purpose

  /// f(leaf, where its numbers begin in the buffers)
  template <class F> void each(const F& f) {
    Index at = 0;
    for (const auto& share : leaves_) {
      f(leaf(share), at);
      at += padded(leaf(share).value.size());
    }
  }

  /// The parameter's numbers move into the buffers, a gradient that was written before too.
  void adopt(Leaf& leaf, Index at) {
    const Shape shape = leaf.value.shape();
    const auto part = [&](std::size_t i) {
      return Array<T>::over(View<T>{buffers_[i].data() + at, shape, device()}, buffers_[i].share());
    };
    gradus::detail::copy_bytes(device(), buffer(0) + at, device(), leaf.value.data(), leaf.value.bytes());
    if (leaf.gradient.written)
      gradus::detail::copy_bytes(device(), buffer(1) + at, device(), leaf.gradient.data, leaf.value.bytes());
    leaf.value = part(0);
    leaf.gradient_memory = part(1);
    leaf.gradient.data = buffer(1) + at;
  }

  static bool ready(const Leaf& l) { return l.gradient.written && l.gradient.wanted; }

  void clip_gradients() {
    if (!clip_.any()) return;
    const auto gradients = [this](const auto& change) {
      each([&](Leaf& l, Index at) {
        if (ready(l)) change(Sink<T>{buffer(1) + at, l.value.shape(), device()});
      });
    };
    detail::clip<T>(clip_, gradients, {squares_.mutable_data(), Shape{}, device()});
  }

  /// Neighbours in one pass: all parameters, unless some are frozen or were not part of the loss.
  void update(const T* numbers, const kernels::Watch& watch) {
    expect_ownership();  // of all before the first change

    Index first = 0, last = 0;  // a run of parameters that are ready
    bool any = false;
    const auto flush = [&] {
      if (first == last) return;
      T* state[cpu::most_states] = {};
      for (int k = 0; k < rule_.states(); ++k) state[k] = buffer(std::size_t(2 + k)) + first;
      kernels::update<T>(rule_.update(), device(), buffer(0) + first, buffer(1) + first, state, numbers,
                         last - first, watch);
      any = true;
    };
    each([&](Leaf& l, Index at) {
      if (!ready(l)) return;
      if (at != last) flush(), first = at;
      last = at + padded(l.value.size());
      l.gradient.written = l.untouched = false;
    });
    flush();
    gradus::detail::require<TapeError>(
        any, "optimizer: no gradient has been written since the last step (was backward called?)");
  }

  Rule<T> rule_;
  Clip clip_;
  Schedule schedule_;
  std::vector<gradus::detail::Share> leaves_;
  Array<T> buffers_[2 + cpu::most_states];  // values, gradients, and what the rule keeps
  Array<T> squares_;
  Array<T> numbers_;  // of a step, where the device reads them
  Index total_ = 0, per_line_ = 1;
  std::int64_t steps_ = 0;
  Powers powers_;
};

template <class Model, class R, class... Options> Optimizer(Model&, const R&, const Options&...)
    -> Optimizer<typename Model::value_type>;

}  // namespace gradus::optim
