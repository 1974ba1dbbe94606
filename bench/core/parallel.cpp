// SPDX-License-Identifier: MIT
// What it costs to hand work to the pool of threads: to workers that still spin, to workers that sleep, to
// nobody; and what several threads of the user get done who want the pool at the same time.
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "bench/support/row.hpp"

namespace {

using namespace bench;
using gradus::parallel_for;

/// One item for each thread, each of which does next to nothing.
void hand_over(int threads) {
  parallel_for(threads, 1, [](Index first, Index last) { benchmark::DoNotOptimize(first + last); });
}

void add_warm(int threads) {
  add("hand-over/warm",
      [=](benchmark::State& state) { measure<float>(state, {}, [=] { hand_over(threads); }); },
      {.threads = threads});
}

/// Workers sleep after 20 us without work; only the hand-over itself is timed.
void add_asleep(int threads) {
  const auto run = [=](benchmark::State& state) {
    here = {.threads = threads};
    use_threads(threads);
    const Meter meter;
    for (auto _ : state) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      const double start = seconds_on(threads);
      hand_over(threads);
      state.SetIterationTime(seconds_on(threads) - start);
    }
    meter.report<float>(state, {});
  };
  benchmark::RegisterBenchmark(("hand-over/asleep/threads:" + std::to_string(threads)).c_str(), run)
      ->UseManualTime();
}

void inline_one_part(benchmark::State& state) {
  measure<float>(state, {}, [] {
    parallel_for(64, 64, [](Index first, Index last) { benchmark::DoNotOptimize(first + last); });
  });
}

/// A call inside of another one, which has the pool.
void inline_nested(benchmark::State& state) {
  parallel_for(2, 1, [&](Index first, Index) {
    if (first == 0) measure<float>(state, {}, [] { hand_over(2); });
  });
}

/// So many users' threads do the same work at the same time, each by the pool if it is free; a wrong sum is an
/// error. elements/ns of all of them together.
void users(benchmark::State& state, int count) {
  constexpr Index n = 1 << 16;
  constexpr int calls = 16;
  auto results = std::vector(std::size_t(count), std::vector<float>(n));
  const auto one_user = [](std::vector<float>& y) {
    for (int k = 0; k < calls; ++k)
      parallel_for(n, 1 << 12, [&](Index first, Index last) {
        for (Index i = first; i < last; ++i) y[std::size_t(i)] = std::sqrt(float(i)) + float(k);
      });
  };
  measure<float>(state, {.elements = double(n) * calls * count}, [&] {
    std::vector<std::thread> others;
    for (int u = 1; u < count; ++u) others.emplace_back(one_user, std::ref(results[std::size_t(u)]));
    one_user(results[0]);
    for (auto& t : others) t.join();
  });
  for (const auto& y : results)
    for (Index i = 0; i < n; ++i)
      if (y[std::size_t(i)] != std::sqrt(float(i)) + float(calls - 1))
        return state.SkipWithError("a user's numbers are wrong");
}

const bool registered = [] {
  const int all = all_threads(), several = std::max(2, all);
  add("hand-over/one part, inline", inline_one_part);
  add("hand-over/nested, inline", inline_nested, {.threads = several});
  add_warm(several);
  add_asleep(several);
  add_warm(4 * several);  // more threads than processors: nobody spins
  for (const int count : {1, 2, 4, 16})
    add("users:" + std::to_string(count), [=](benchmark::State& state) { users(state, count); },
        {.threads = several});
  return true;
}();

}  // namespace
