// SPDX-License-Identifier: MIT
// Rows of training steps by the public loop.
#pragma once

#if __has_include(<cublasLt.h>)
#include <gradus/cuda.hpp>  // with the toolkit's headers, a GPU where there is one
#endif

#include "bench/support/row.hpp"
#include "bench/train/loop.hpp"

namespace bench {

/// A row of steps, over all batches in turn; returns the seconds of one.
inline double measure_steps(benchmark::State& state, const Setup& s, Device device = {}) {
  Loop loop(s, device);
  const StepMemory m = loop.memory();
  Index k = 0;
  const double seconds = measure<float>(state, {.operations = s.operations()}, [&] {
    benchmark::DoNotOptimize(loop.step(k));
    k = k + 1 < s.batches ? k + 1 : 0;
  });
  state.counters["activations"] = s.activations();
  state.counters["arena"] = m.forward + m.backward + m.records;
  state.counters["arena forward"] = m.forward;
  return seconds;
}

}  // namespace bench
