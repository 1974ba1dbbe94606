// SPDX-License-Identifier: MIT
// gradus' products beside Eigen's own on one thread, and the larger ones on all threads. N: an operand as it is
// stored, T: transposed. NT is a layer's forward product with weights [out, in], NN its input gradient, TN its
// weight gradient.

// clang-format off: the pragmas come before Eigen, whose product meets g++'s AVX-512 intrinsics
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
// clang-format on

#include <string>
#include <vector>

#include <Eigen/Core>

#include <gradus/cpu/gemm.hpp>

#include "bench/support/row.hpp"

namespace {

using gradus::Index;

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

bench::Work work(Size s) { return {.operations = 2.0 * double(s.M * s.N * s.K)}; }

template <class T> void ours(benchmark::State& state, Size s, Layout layout) {
  using gradus::cpu::Matrix;
  Data<T> d(s);
  const Matrix<T> a = layout == Layout::TN ? Matrix<T>{d.a.data(), 1, s.M} : Matrix<T>{d.a.data(), s.K, 1};
  const Matrix<T> b = layout == Layout::NT ? Matrix<T>{d.b.data(), 1, s.K} : Matrix<T>{d.b.data(), s.N, 1};
  bench::measure<T>(state, work(s), [&] { gradus::cpu::gemm(d.c.data(), false, a, b, s.M, s.N, s.K); });
}

template <class T> void eigen(benchmark::State& state, Size s, Layout layout) {
  using Map = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  Data<T> d(s);
  Map a(d.a.data(), layout == Layout::TN ? s.K : s.M, layout == Layout::TN ? s.M : s.K);
  Map b(d.b.data(), layout == Layout::NT ? s.N : s.K, layout == Layout::NT ? s.K : s.N);
  Map c(d.c.data(), s.M, s.N);
  bench::measure<T>(state, work(s), [&] {
    if (layout == Layout::NN) c.noalias() = a * b;
    if (layout == Layout::NT) c.noalias() = a * b.transpose();
    if (layout == Layout::TN) c.noalias() = a.transpose() * b;
  });
}

template <class T> void add(const std::string& scalar) {
  constexpr Size sizes[] = {{32, 16, 2},        {32, 1, 16},       {16, 2, 32},     {1, 16, 32},
                            {32, 16, 1},        {32, 64, 30},      {32, 1, 64},     {64, 30, 32},
                            {32, 64, 1},        {1, 128, 784},     {32, 128, 784},  {64, 128, 784},
                            {128, 784, 64},     {256, 512, 784},   {256, 512, 512}, {512, 784, 256},
                            {1024, 1024, 1024}, {2048, 2048, 2048}};
  for (Size s : sizes) {
    if (std::is_same_v<T, double> && s.M > 1024) continue;  // nothing new for its time
    for (Layout layout : {Layout::NN, Layout::NT, Layout::TN}) {
      const char* const names[] = {"NN", "NT", "TN"};
      const std::string name = scalar + "/" + std::to_string(s.M) + "x" + std::to_string(s.N) + "x" +
                               std::to_string(s.K) + "/" + names[static_cast<int>(layout)];
      const auto run = [=](benchmark::State& state) { ours<T>(state, s, layout); };
      bench::add(name + "/gradus", run);
      if (const int all = bench::all_threads(); all > 1 && s.M * s.N * s.K >= 256 * 512 * 512)
        bench::add(name + "/gradus", run, {.threads = all});
      bench::add(name + "/eigen", [=](benchmark::State& state) { eigen<T>(state, s, layout); });
    }
  }
}

const bool registered = [] {
  add<float>("float"), add<double>("double");
  return true;
}();

}  // namespace
