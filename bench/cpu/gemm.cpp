// SPDX-License-Identifier: MIT
// gradus' products beside Eigen's own, on one thread: time, GFLOP/s and the share of the machine's peak,
// which is measured first. N: an operand as it is stored, T: transposed. NT is a layer's forward product with
// weights [out, in], NN its input gradient, TN its weight gradient.

// clang-format off: the pragmas come before Eigen, whose product meets g++'s AVX-512 intrinsics
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
// clang-format on

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <benchmark/benchmark.h>

#include <gradus/cpu/gemm.hpp>

namespace {

using gradus::Index;

/// Multiply-adds on registers alone, twelve independent sums: operations per second, the best of some.
template <class T> double peak() {
  namespace ei = Eigen::internal;
  using P = typename ei::packet_traits<T>::type;
  static const double best = [] {
    constexpr int sums = 12, rounds = 200000;
    double most = 0;
    P x[sums];
    for (P& p : x) p = ei::pset1<P>(T(1));
    const P a = ei::pset1<P>(T(0.999)), b = ei::pset1<P>(T(1e-3));
    for (int repeat = 0; repeat < 50; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < rounds; ++i)
#pragma GCC unroll 12
        for (int s = 0; s < sums; ++s) x[s] = ei::pmadd(x[s], a, b);
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      most = std::max(most, 2.0 * sums * rounds * static_cast<double>(sizeof(P) / sizeof(T)) / time.count());
      benchmark::DoNotOptimize(x);
    }
    return most;
  }();
  return best;
}

struct Size {
  Index M, N, K;
};
enum class Layout { NN, NT, TN };

template <class T> struct Data {
  std::vector<T> a, b, c;
  explicit Data(Size s)
      : a(static_cast<std::size_t>(s.M * s.K), T(1)),
        b(static_cast<std::size_t>(s.K * s.N), T(0.5)),
        c(static_cast<std::size_t>(s.M * s.N)) {}
};

template <class T> void report(benchmark::State& state, Size s) {
  const double operations =
      2.0 * static_cast<double>(s.M * s.N * s.K) * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(operations / 1e9, benchmark::Counter::kIsRate);
  state.counters["of_peak"] = benchmark::Counter(operations / peak<T>(), benchmark::Counter::kIsRate);
}

template <class T> void ours(benchmark::State& state, Size s, Layout layout) {
  using gradus::cpu::Matrix;
  Data<T> d(s);
  const Matrix<T> a = layout == Layout::TN ? Matrix<T>{d.a.data(), 1, s.M} : Matrix<T>{d.a.data(), s.K, 1};
  const Matrix<T> b = layout == Layout::NT ? Matrix<T>{d.b.data(), 1, s.K} : Matrix<T>{d.b.data(), s.N, 1};
  for (auto _ : state) {
    gradus::cpu::gemm(d.c.data(), false, a, b, s.M, s.N, s.K);
    benchmark::ClobberMemory();
  }
  report<T>(state, s);
}

template <class T> void eigen(benchmark::State& state, Size s, Layout layout) {
  using Map = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  Data<T> d(s);
  Map a(d.a.data(), layout == Layout::TN ? s.K : s.M, layout == Layout::TN ? s.M : s.K);
  Map b(d.b.data(), layout == Layout::NT ? s.N : s.K, layout == Layout::NT ? s.K : s.N);
  Map c(d.c.data(), s.M, s.N);
  for (auto _ : state) {
    if (layout == Layout::NN) c.noalias() = a * b;
    if (layout == Layout::NT) c.noalias() = a * b.transpose();
    if (layout == Layout::TN) c.noalias() = a.transpose() * b;
    benchmark::ClobberMemory();
  }
  report<T>(state, s);
}

template <class T> void add(const std::string& scalar) {
  constexpr Size sizes[] = {{32, 16, 2},        {32, 1, 16},        {16, 2, 32},       {1, 16, 32},
                            {32, 16, 1},        {32, 64, 30},       {32, 1, 64},       {64, 30, 32},
                            {32, 64, 1},        {1, 128, 784},      {32, 128, 784},    {64, 128, 784},
                            {128, 784, 64},     {256, 512, 784},    {256, 512, 512},   {512, 784, 256},
                            {1024, 1024, 1024}, {4096, 1024, 1024}, {2048, 2048, 2048}};
  for (Size s : sizes)
    for (Layout layout : {Layout::NN, Layout::NT, Layout::TN}) {
      const char* const names[] = {"NN", "NT", "TN"};
      const std::string name = scalar + "/" + std::to_string(s.M) + "x" + std::to_string(s.N) + "x" +
                               std::to_string(s.K) + "/" + names[static_cast<int>(layout)];
      benchmark::RegisterBenchmark((name + "/gradus").c_str(), ours<T>, s, layout);
      benchmark::RegisterBenchmark((name + "/eigen").c_str(), eigen<T>, s, layout);
    }
}

const bool registered = [] {
  gradus::set_threads(1);
  add<float>("float"), add<double>("double");
  benchmark::AddCustomContext("peak GFLOP/s", std::to_string(peak<float>() / 1e9) + " float, " +
                                                  std::to_string(peak<double>() / 1e9) + " double");
  return true;
}();

}  // namespace
