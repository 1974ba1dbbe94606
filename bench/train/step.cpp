// SPDX-License-Identifier: MIT
// One training step through the public API, its tape recorded anew each time, beside the same step written by
// hand: with Eigen's arrays and products, and as one fused kernel on its packets, the floor.
#include "bench/train/hand_fused.hpp"
#include "bench/train/hand_written.hpp"
#include "bench/train/training.hpp"

namespace {

using namespace bench;

template <class Hand> void hand_step(benchmark::State& state, const Setup& s) {
  const Net net(s);
  Hand hand(net);
  hand.take(net.data, 0);
  measure<float>(state, {.operations = s.operations()}, [&] { benchmark::DoNotOptimize(hand.step(1e-4f)); });
}

const bool registered = [] {
  for (const Setup& net : {Setup{{2, 16, 1}, 32}, Setup{{30, 64, 1}, 32}}) {
    const std::string name = net.net() + "/batch:32/";
    add(name + "gradus", [=](benchmark::State& state) { measure_steps(state, net); });
    add(name + "by hand", [=](benchmark::State& state) { hand_step<HandWritten>(state, net); });
    add(name + "fused by hand", [=](benchmark::State& state) { hand_step<HandFused>(state, net); });
  }
  return true;
}();

}  // namespace
