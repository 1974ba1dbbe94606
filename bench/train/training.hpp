// SPDX-License-Identifier: MIT
// A net of dense layers with ReLU between them, and one step of its training by the public API: the tape is
// recorded anew each time. One output is trained by binary cross-entropy of a logit, several by softmax
// cross-entropy with labels; the rule is Adam. Inputs are normal: zeros would make a GPU faster than it is.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#if __has_include(<cublasLt.h>)
#include <gradus/cuda.hpp>  // with the toolkit's headers, a GPU where there is one
#else
#include <gradus/gradus.hpp>
#endif

#include "bench/support/row.hpp"

namespace bench {

using namespace gradus;

struct Net {
  std::vector<Index> widths;
  Index batch;

  std::string name() const {
    std::string s = std::to_string(widths[0]);
    for (std::size_t l = 1; l < widths.size(); ++l) s += "-" + std::to_string(widths[l]);
    return s;
  }
  bool is_binary() const { return widths.back() == 1; }
  /// Of a step's matrix products, a multiply-add being two; the first layer's inputs want no gradient.
  double operations() const {
    double n = 0;
    for (std::size_t l = 1; l < widths.size(); ++l)
      n += (l > 1 ? 6.0 : 4.0) * double(batch * widths[l - 1] * widths[l]);
    return n;
  }
  /// Bytes that must live from forward to backward, whoever writes the program: what each layer gives.
  double activations() const {
    return double(std::accumulate(widths.begin() + 1, widths.end(), Index(0)) * batch) * sizeof(float);
  }
};

/// `rows` of inputs and targets.
inline data::Dataset<float> samples(const Net& net, Index rows) {
  auto x = Array<float>::uninitialized(Shape{rows, net.widths[0]});
  random::fill_normal(x.mutable_data(), x.size(), random::Stream(1));
  if (net.is_binary()) {
    auto t = Array<float>::uninitialized(Shape{rows, 1});
    for (Index i = 0; i < rows; ++i) t.ref(i, 0) = x(i, 0) * x(i, 1) > 0 ? 1.f : 0.f;
    return {x, t};
  }
  auto t = Array<std::int32_t>::uninitialized(Shape{rows});
  for (Index i = 0; i < rows; ++i) t.ref(i) = std::int32_t(i % net.widths.back());
  return {x, t};
}

inline nn::Sequential<float> model_of(const Net& net) {
  nn::Sequential<float> model;
  for (std::size_t l = 1; l < net.widths.size(); ++l) {
    model.add(nn::Dense{net.widths[l - 1], net.widths[l]});
    if (l + 1 < net.widths.size()) model.add(nn::Relu{});
  }
  return model;
}

/// Bytes that a step takes from the tape's arenas.
struct StepMemory {
  double forward, backward, records;
};

class Training {
 public:
  explicit Training(const Net& net, Device device = {}) : model_(model_of(net)) {
    const auto data = samples(net, net.batch);
    x_ = data.inputs[0].to(device);
    if (net.is_binary())
      targets_ = data.targets.to(device);
    else
      labels_ = data.labels.to(device);
    model_.to(device);
    adam_.emplace(model_, optim::Adam{.learning_rate = 1e-4});
  }

  /// One step; its loss is read, which waits for a GPU.
  float step() {
    const auto l = loss(tape_.input(x_));
    tape_.backward(l);
    adam_->step();
    return l.item();
  }

  /// Of a step like any other: the first ones let the arenas grow.
  StepMemory memory() {
    StepMemory m{};
    for (int k = 0; k < 3; ++k) {
      const auto x = tape_.input(x_);
      auto &numbers = x.step()->numbers, &records = x.step()->records;
      constexpr int mark = 64;  // what an arena takes for nothing
      const auto place = [](gradus::detail::Arena& a) { return static_cast<char*>(a.get(0)) + mark; };
      const char *const first = place(numbers), *const first_record = place(records);
      const auto l = loss(x);
      const char* const middle = place(numbers);
      tape_.backward(l);
      adam_->step();
      m = {double(middle - first - mark), double(place(numbers) - middle - mark),
           double(place(records) - first_record - mark)};
    }
    return m;
  }

 private:
  Tensor<float> loss(const Tensor<float>& x) {
    const auto z = model_(x);
    return targets_.size() ? binary_cross_entropy(z, tape_.input(targets_))
                           : softmax_cross_entropy(z, labels_);
  }

  nn::Sequential<float> model_;
  std::optional<optim::Optimizer<float>> adam_;
  Array<float> x_, targets_;
  Array<std::int32_t> labels_;
  Tape tape_;
};

/// A row of steps; returns the seconds of one.
inline double measure_steps(benchmark::State& state, const Net& net, Device device = {}) {
  Training training(net, device);
  const StepMemory m = training.memory();
  const double seconds = measure<float>(state, {.operations = net.operations()},
                                        [&] { benchmark::DoNotOptimize(training.step()); });
  state.counters["activations"] = net.activations();
  state.counters["arena"] = m.forward + m.backward + m.records;
  state.counters["arena forward"] = m.forward;
  return seconds;
}

}  // namespace bench
