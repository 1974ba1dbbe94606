// SPDX-License-Identifier: MIT
// Rows of which the test knows what run.py should find.
#include <memory>
#include <numeric>

#include "bench/support/row.hpp"

namespace {

using namespace bench;

void sum(benchmark::State& state) {
  std::vector<float> x(1 << 12, 1.f);
  const double n = double(x.size());
  measure<float>(state, {.operations = n, .bytes = 4 * n, .elements = n},
                 [&] { benchmark::DoNotOptimize(std::accumulate(x.begin(), x.end(), 0.f)); });
}

void allocate(benchmark::State& state) {
  measure<double>(state, {.operations = 1}, [] {
    auto p = std::make_unique_for_overwrite<char[]>(1000);
    benchmark::DoNotOptimize(p.get());
  });
}

const bool registered = [] {
  add("sum", sum);
  add("sum", sum, {.threads = 2});
  add("allocate", allocate);
  add("fault", [](benchmark::State& state) { state.SkipWithError("a planted fault"); });
  at_end = [](const Times& times) { std::printf("\nat the end: %zu rows\n", times.size()); };
  return true;
}();

}  // namespace
