// SPDX-License-Identifier: MIT
// One training step through the public API, its tape recorded anew each time, beside the same step written by
// hand: with Eigen's arrays and products, and as one fused kernel on its packets, the floor.
#include "bench/train/hand_fused.hpp"
#include "bench/train/hand_written.hpp"
#include "bench/train/training.hpp"

namespace {

using namespace bench;

template <class Hand> void hand_step(benchmark::State& state, const Net& net) {
  const Index inputs = net.widths[0], hidden = net.widths[1];
  const auto data = samples(net, net.batch);
  const auto model = model_of(net);
  Hand hand{int(inputs), int(hidden), int(net.batch)};
  std::copy(data.inputs[0].begin(), data.inputs[0].end(), hand.x.data());
  std::copy(data.targets.begin(), data.targets.end(), hand.t.data());
  const auto p = model.named_parameters();
  hand.set_weights(p[0].value().data(), p[1].value().data(), p[2].value().data(), p[3].value().data());
  measure<float>(state, {.operations = net.operations()},
                 [&] { benchmark::DoNotOptimize(hand.step(1e-4f)); });
}

const bool registered = [] {
  for (const Net& net : {Net{{2, 16, 1}, 32}, Net{{30, 64, 1}, 32}}) {
    const std::string name = net.name() + "/batch:32/";
    add(name + "gradus", [=](benchmark::State& state) { measure_steps(state, net); });
    add(name + "by hand", [=](benchmark::State& state) { hand_step<HandWritten>(state, net); });
    add(name + "fused by hand", [=](benchmark::State& state) { hand_step<HandFused>(state, net); });
  }
  return true;
}();

}  // namespace
