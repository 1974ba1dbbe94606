// SPDX-License-Identifier: MIT
// One row of a benchmark: a name, what is run again and again, and what one run amounts to. Every row reports
// time, GFLOP/s and GB/s with their shares of what the machine can do, and the bytes taken from the heap.
//
//   const bool registered = [] {
//     for (const Index n : {4096, 1 << 24})
//       bench::add("add/float/" + std::to_string(n), [=](benchmark::State& state) {
//         …
//         bench::measure<float>(state, {.operations = 1.0 * n, .bytes = 12.0 * n, .elements = 1.0 * n},
//                               [&] { cpu::add(…); });
//       });
//     return true;
//   }();
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/support/machine.hpp"

namespace bench {

/// What one run amounts to; 0: not counted, and not reported.
struct Work {
  double operations = 0;  // on numbers; a multiply-add is two
  double bytes = 0;       // read and written, each array once
  double elements = 0;    // of the result, mostly
};

/// What this program has asked of malloc and its kin so far.
std::int64_t allocated_bytes();

/// On what a row runs.
struct Where {
  int threads = 1;      // of gradus
  bool device = false;  // a device other than the CPU, which none of the peaks is of

  int clock() const { return device ? 0 : threads; }
};
inline Where here;  // of the row that runs now

/// Registers a row. One thread is timed by its own clock, all others by the wall's.
template <class Body> void add(std::string name, Body body, Where where = {}) {
  if (where.threads > 1) name += "/threads:" + std::to_string(where.threads);
  const auto run = [=](benchmark::State& state) {
    here = where;
    use_threads(where.threads);
    body(state);
  };
  auto* const row = benchmark::RegisterBenchmark(name.c_str(), run);
  if (where.clock() != 1) row->UseRealTime();
}

/// From its beginning to report(): for loops that measure() does not fit.
class Meter {
 public:
  /// Returns the seconds of one run. T decides which peak is reached.
  template <class T> double report(benchmark::State& state, const Work& work) const {
    const double times = double(state.iterations()), seconds = (seconds_on(here.clock()) - start_) / times;
    const double bytes = double(allocated_bytes() - before_) / times;
    const auto rate = [&](const char* name, double amount, double unit) {
      if (amount > 0) state.counters[name] = amount / seconds / unit;
    };
    rate("GFLOP/s", work.operations, 1e9);
    rate("GB/s", work.bytes, 1e9);
    rate("elements/ns", work.elements, 1e9);
    if (!here.device && work.operations > 0)
      rate("of_peak", work.operations, peak_now<T>(here.threads, 1e-3));
    if (!here.device && work.bytes > 0) rate("of_copy", work.bytes, copy_rate(work.bytes, here.threads));
    state.counters["allocated"] = bytes;
    return seconds;
  }

 private:
  std::int64_t before_ = allocated_bytes();
  double start_ = seconds_on(here.clock());
};

/// Runs f until the row's time is known, and sets its counters; returns its seconds. f has run once before:
/// what it allocates only then does not count.
template <class T, class F> double measure(benchmark::State& state, const Work& work, F&& f) {
  f();
  const Meter meter;
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  return meter.report<T>(state, work);
}

/// Seconds of one iteration by the names of rows, one number for each repetition.
using Times = std::map<std::string, std::vector<double>>;

/// NaN, if there are none.
inline double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x.empty() ? NAN : (x[(x.size() - 1) / 2] + x[x.size() / 2]) / 2;
}

/// Called when all rows have run: to print what only several of them together show.
inline std::function<void(const Times&)> at_end;

}  // namespace bench
