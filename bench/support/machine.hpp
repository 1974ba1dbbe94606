// SPDX-License-Identifier: MIT
// What the machine can do at most, measured by the program that reports shares of it: multiply-adds on
// registers alone; copies of any size; and the copy, add and triad of McCalpin's STREAM, over arrays far
// larger than the caches. Everything is measured once, when it is first asked for, and is the best of some:
// whatever disturbs a machine makes it slower.
#pragma once

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#ifndef EIGEN_NO_CUDA
#define EIGEN_NO_CUDA
#endif
#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include <gradus/core/parallel.hpp>

namespace bench {

using gradus::Index;

/// The threads that gradus takes by itself here.
inline int all_threads() {
  static const int n = [] {
    gradus::set_threads(0);
    return gradus::threads();
  }();
  return n;
}

/// gradus has n threads from here on. A single one stays on one core, where its numbers are in the caches.
inline void use_threads(int n) {
  all_threads();  // counts the cores that may be used, before there is only one
#ifdef __linux__
  static const cpu_set_t all = [] {
    cpu_set_t s;
    return sched_getaffinity(0, sizeof s, &s), s;
  }();
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE && !CPU_COUNT(&one); ++core)
    if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
  sched_setaffinity(0, sizeof one, n == 1 ? &one : &all);  // workers inherit it
#endif
  gradus::set_threads(n);
}

/// Seconds of a clock for what runs now. A single thread has its own, which stands still while others have the
/// core; several have the wall's.
inline double seconds_on(int threads) {
#ifdef __linux__
  timespec t;
  if (threads == 1 && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0)
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
#endif
  return gradus::detail::seconds_now();
}

/// The least seconds of one call of f, in as many as take `seconds`, but three at least.
template <class F> double least_seconds(double seconds, F&& f) {
  double least = 1e300, all = 0;
  for (int calls = 0; calls < 3 || all < seconds; ++calls) {
    const double start = seconds_on(gradus::threads());
    f();
    const double once = seconds_on(gradus::threads()) - start;
    least = std::min(least, once), all += once;
  }
  return least;
}

/// f() on each of so many threads at once. What was set before holds again afterwards.
template <class F> void on_threads(int n, F&& f) {
  const int before = gradus::threads();
  if (n != before) use_threads(n);
  f();
  if (n != before) use_threads(before);
}

/// Twelve independent sums: enough for two multiply-adds a cycle of four or five cycles' latency. Not about()'s
/// (core/peak.hpp), whose assembly is x86's, of float, and wider than the program's own vectors if it is asked:
/// shares are of what the packets that the kernels are made of can do, on any processor and of both types.
template <class T> void multiply_add(int rounds) {
  namespace ei = Eigen::internal;
  using P = typename ei::packet_traits<T>::type;
  constexpr int sums = 12;
  P x[sums];
  for (P& p : x) p = ei::pset1<P>(T(1));
  const P a = ei::pset1<P>(T(0.999)), b = ei::pset1<P>(T(1e-3));
  for (int i = 0; i < rounds; ++i)
#pragma GCC unroll 12
    for (int s = 0; s < sums; ++s) x[s] = ei::pmadd(x[s], a, b);
  benchmark::DoNotOptimize(x);
}

/// Operations per second, a multiply-add being two, by so many threads at once, as they are for so long now: a
/// processor's clock is not the same in every minute.
template <class T> double peak_now(int threads, double for_seconds) {
  constexpr int rounds = 20'000, lanes = Eigen::internal::packet_traits<T>::size;
  double seconds = 0;
  on_threads(threads, [&] {
    seconds = least_seconds(for_seconds, [&] {
      gradus::parallel_for(threads, 1, [](Index first, Index last) {
        for (; first < last; ++first) multiply_add<T>(rounds);
      });
    });
  });
  return 2.0 * 12 * rounds * lanes * threads / seconds;
}
/// The same, once.
template <class T> double peak(int threads) {
  static std::map<int, double> known;
  double& rate = known[threads];
  return rate > 0 ? rate : rate = peak_now<T>(threads, 0.05);
}

/// Bytes per second, read and written.
struct Stream {
  double copy, add, triad;
};

/// Over arrays of four times the largest caches that so many threads can have, as STREAM's rules want it
/// (64 MiB at least).
inline Stream stream(int threads) {
  const auto& machine = benchmark::CPUInfo::Get();
  Index largest = 16 << 20;
  for (const auto& cache : machine.caches) {
    const int there_are = machine.num_cpus / std::max(1, cache.num_sharing);
    largest = std::max(largest, Index{cache.size} * std::clamp(there_are, 1, threads));
  }
  const Index n = 4 * largest / Index(sizeof(double));
  std::vector<double> a(std::size_t(n), 0), b = a, c = a;
  const auto rate = [&](int arrays, auto&& part) {
    const double seconds = least_seconds(0.1, [&] {
      gradus::parallel_for(n, 1 << 16, [&](Index first, Index last) {
        part(a.data() + first, b.data() + first, c.data() + first, last - first);
      });
      benchmark::ClobberMemory();
    });
    return arrays * double(n) * sizeof(double) / seconds;
  };
  using To = double* __restrict;
  using From = const double* __restrict;
  Stream s{};
  on_threads(threads, [&] {
    s.copy = rate(2, [](To to, From x, From, Index m) { std::memcpy(to, x, std::size_t(m) * sizeof *x); });
    s.add = rate(3, [](To to, From x, From y, Index m) {
      for (Index i = 0; i < m; ++i) to[i] = x[i] + y[i];
    });
    s.triad = rate(3, [](To to, From x, From y, Index m) {
      for (Index i = 0; i < m; ++i) to[i] = x[i] + 3 * y[i];
    });
  });
  return s;
}

/// Bytes per second of copying over and over what has `bytes` in all, half of them read and half written: the
/// rate of the cache that they fit in, or of memory.
inline double copy_rate(double bytes, int threads) {
  static std::map<std::pair<Index, int>, double> known;
  const Index n = std::max<Index>(64, Index(bytes / 2));
  const std::pair key{n, threads};
  if (const auto at = known.find(key); at != known.end()) return at->second;
  const std::unique_ptr<char[]> from(new char[std::size_t(n)]()), to(new char[std::size_t(n)]());
  const Index times = std::max<Index>(1, (1 << 18) / n);  // a clock's own time does not count
  double seconds = 0;
  on_threads(threads, [&] {
    seconds = least_seconds(0.01, [&] {
      for (Index k = 0; k < times; ++k) {
        gradus::parallel_for(n, 1 << 16, [&](Index first, Index last) {
          std::memcpy(to.get() + first, from.get() + first, std::size_t(last - first));
        });
        benchmark::ClobberMemory();
      }
    });
  });
  return known[key] = 2 * double(n * times) / seconds;
}

}  // namespace bench
