// SPDX-License-Identifier: MIT
// Training by the public loop, as in examples/manual_loop.cpp: the tape is recorded anew in each step. A batch
// is a slice, as the peers take theirs.
#pragma once

#include "bench/train/nets.hpp"

namespace bench {

/// Bytes that a step takes from the tape's arenas.
struct StepMemory {
  double forward, backward, records;
};

class Loop {
 public:
  explicit Loop(const Setup& s, Device device = {}) : net_(s) {
    net_.model.to(device);
    data::Dataset<float>& d = net_.data;
    d.inputs[0] = d.inputs[0].to(device), d.targets = d.targets.to(device), d.labels = d.labels.to(device);
    adam_.emplace(net_.model, net_.adam());
  }

  /// On batch k; its loss is read, which waits for a GPU.
  float step(Index k) {
    const auto l = loss(input(k), k);
    tape_.backward(l);
    adam_->step();
    return l.item();
  }

  /// Of a step like any other: the first ones let the arenas grow.
  StepMemory memory() {
    StepMemory m{};
    for (int n = 0; n < 3; ++n) {
      const auto x = input(0);
      auto &numbers = x.step()->numbers, &records = x.step()->records;
      constexpr int mark = 64;  // what an arena takes for nothing
      const auto place = [](gradus::detail::Arena& a) { return static_cast<char*>(a.get(0)) + mark; };
      const char *const first = place(numbers), *const first_record = place(records);
      const auto l = loss(x, 0);
      const char* const middle = place(numbers);
      tape_.backward(l);
      adam_->step();
      m = {double(middle - first - mark), double(place(numbers) - middle - mark),
           double(place(records) - first_record - mark)};
    }
    return m;
  }

 private:
  template <class U> Array<U> batch(const Array<U>& all, Index k) const {
    return all.slice(k * net_.setup.batch, (k + 1) * net_.setup.batch);
  }
  Tensor<float> input(Index k) { return tape_.input(batch(net_.data.inputs[0], k)); }
  Tensor<float> loss(const Tensor<float>& x, Index k) {
    const auto y = net_.model(x);
    return net_.data.has_labels() ? softmax_cross_entropy(y, batch(net_.data.labels, k))
                                  : binary_cross_entropy(y, tape_.input(batch(net_.data.targets, k)));
  }

  Net net_;
  std::optional<optim::Optimizer<float>> adam_;
  Tape tape_;
};

}  // namespace bench
