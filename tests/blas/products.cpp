// SPDX-License-Identifier: MIT
// Large products by a library: by those of own/, which count their calls, and by the real ones.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <gradus/about.hpp>
#include <gradus/cpu/gemm.hpp>

#include "tests/support/catch.hpp"

using gradus::Index;
using gradus::cpu::Finish;
using gradus::cpu::Matrix;

namespace {

/// Calls of the library so far; of a real one nobody knows.
int calls() {
#ifdef GRADUS_TEST_OWN_BLAS
  return own_blas_calls;
#else
  return 0;
#endif
}
#if !defined(GRADUS_TEST_OWN_BLAS)
template <class T> constexpr bool counted = false;
#elif defined(GRADUS_DNNL)
template <class T> constexpr bool counted = std::is_same_v<T, float>;
#else
template <class T> constexpr bool counted = true;
#endif

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

template <class T> std::vector<T> numbers(Index n, std::uint32_t seed) {  // in [-1, 1), all different
  std::vector<T> x(at(n));
  for (T& v : x) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<T>(static_cast<double>(seed >> 8) / (1 << 23) - 1);
  }
  return x;
}

/// How a matrix lies in memory: by rows or by columns, these further apart than they are long, or all numbers
/// so.
struct Layout {
  bool by_columns = false;
  Index gap = 0, step = 1;
};

template <class T> struct Operand {
  std::vector<T> data;
  Matrix<T> matrix;
  Operand(const std::vector<T>& x, Index rows, Index columns, Layout l) {
    const Index lines = l.by_columns ? columns : rows,
                apart = (l.by_columns ? rows : columns) * l.step + l.gap;
    data.resize(at(lines * apart), std::numeric_limits<T>::quiet_NaN());
    const Index row = l.by_columns ? l.step : apart, column = l.by_columns ? apart : l.step;
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) data[at(i * row + j * column)] = x[at(i * columns + j)];
    matrix = {data.data(), row, column};
  }
};

template <class T> struct Problem {
  using Real = std::conditional_t<std::is_same_v<T, float>, double, long double>;
  Index M, N, K;
  std::vector<T> a = numbers<T>(M * K, 1), b = numbers<T>(K * N, 2), before = numbers<T>(M * N, 3);
  std::vector<Real> sums = std::vector<Real>(at(M * N)), sizes = sums;  // Σ a b, Σ |a b|

  Problem(Index m, Index n, Index k) : M(m), N(n), K(k) {
    for (Index i = 0; i < M; ++i)
      for (Index l = 0; l < K; ++l)
        for (Index j = 0; j < N; ++j) {
          const Real term = Real(a[at(i * K + l)]) * Real(b[at(l * N + j)]);
          sums[at(i * N + j)] += term, sizes[at(i * N + j)] += std::abs(term);
        }
  }
  std::vector<T> run(Layout la, Layout lb, bool add, Finish<T> finish = {}) const {
    const Operand<T> x(a, M, K, la), y(b, K, N, lb);
    std::vector<T> c = before;
    if (!add) c.assign(c.size(), std::numeric_limits<T>::quiet_NaN());
    gradus::cpu::gemm(c.data(), add, x.matrix, y.matrix, M, N, K, finish);
    return c;
  }
  /// How many of c, or of its `factor` fold, are farther from the sums than 4 γ.
  int wrong(const std::vector<T>& c, bool add, int factor = 1) const {
    const Real roundings = Real(K) + add, u = std::numeric_limits<T>::epsilon() / 2,
               gamma = roundings * u / (1 - roundings * u);
    int n = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      const Real old = add ? Real(before[i]) : 0;
      n += !(std::abs(Real(c[i]) / factor - (old + sums[i])) <= 4 * gamma * (std::abs(old) + sizes[i]));
    }
    return n;
  }
};

/// Doubles finished rows and counts how often each came.
template <class T> struct Doubled {
  Index N;
  std::vector<int> seen;
  static void run(const void* context, T* c, Index row, Index rows) {
    auto& self = *static_cast<Doubled*>(const_cast<void*>(context));
    for (Index r = row; r < row + rows; ++r) ++self.seen[at(r)];
    for (Index i = 0; i < rows * self.N; ++i) c[i] *= 2;
  }
};

struct Size {
  Index M, N, K;
};

}  // namespace

TEMPLATE_TEST_CASE("a large product is the library's, whatever its layout", "", float, double) {
  for (auto [M, N, K] :
       {Size{256, 256, 256}, {257, 259, 263}, {37, 701, 653}, {701, 37, 653}, {701, 653, 37}}) {
    const Problem<TestType> p(M, N, K);
    for (const bool add : {false, true})
      for (const bool a : {false, true})
        for (const bool b : {false, true})
          for (const Index gap : {0, 5}) {
            INFO(M << " " << N << " " << K << ", by columns " << a << " " << b << ", gap " << gap << ", add "
                   << add);
            const int before = calls();
            CHECK(p.wrong(p.run({a, gap}, {b, gap}, add), add) == 0);
            CHECK(calls() - before == counted<TestType>);
          }
  }
}

TEMPLATE_TEST_CASE("what a library does not serve is ours", "", float, double) {
  const int before = calls();
  for (auto [M, N, K] : {Size{256, 256, 255}, {255, 256, 256}, {256, 255, 256}, {1, 3, 2}}) {
    const Problem<TestType> p(M, N, K);
    CHECK(p.wrong(p.run({}, {}, true), true) == 0);
  }
  const Problem<TestType> none(5, 3, 0), large(256, 256, 256);
  CHECK(none.wrong(none.run({}, {}, false), false) == 0);
  CHECK(none.run({}, {}, true) == none.before);
  for (const bool by_columns : {false, true}) {  // no two numbers are adjacent
    CHECK(large.wrong(large.run({by_columns, 0, 2}, {}, true), true) == 0);
    CHECK(large.wrong(large.run({}, {by_columns, 0, 2}, true), true) == 0);
  }
  CHECK(calls() == before);
}

TEMPLATE_TEST_CASE("a row that is used for all is ours", "", float, double) {
  const Index n = 256;
  const auto a = numbers<TestType>(n, 1), b = numbers<TestType>(n * n, 2);
  std::vector<TestType> c(at(n * n));
  const int before = calls();
  gradus::cpu::gemm(c.data(), false, Matrix<TestType>{a.data(), 0, 1}, Matrix<TestType>{b.data(), n, 1}, n, n,
                    n);
  CHECK(calls() == before);
  CHECK(std::vector<TestType>(c.begin(), c.begin() + n) == std::vector<TestType>(c.end() - n, c.end()));
}

TEMPLATE_TEST_CASE("rows that an int cannot count are ours", "", float, double) {
  const Index K = 4099, N = 4099, far = Index{1} << 32;  // of one row nobody asks where the next would be
  const Problem<TestType> p(1, N, K);
  std::vector<TestType> c(at(N));
  const int before = calls();
  gradus::cpu::gemm(c.data(), false, Matrix<TestType>{p.a.data(), far, 1}, Matrix<TestType>{p.b.data(), N, 1},
                    1, N, K);
  CHECK(calls() == before);
  CHECK(p.wrong(c, false) == 0);
}

TEMPLATE_TEST_CASE("a library's rows are finished once", "", float, double) {
  for (auto [M, N, K] : {Size{300, 301, 302}, {2100, 90, 100}, {90, 2100, 100}}) {
    const Problem<TestType> p(M, N, K);
    for (const int threads : {1, 2, 3}) {
      gradus::set_threads(threads);
      Doubled<TestType> doubled{N, std::vector<int>(at(M))};
      const int before = calls();
      CHECK(p.wrong(p.run({}, {true}, true, {&Doubled<TestType>::run, &doubled}), true, 2) == 0);
      CHECK(calls() - before == counted<TestType>);
      CHECK(doubled.seen == std::vector<int>(at(M), 1));
    }
    gradus::set_threads(0);
  }
}

#if defined(GRADUS_TEST_OWN_BLAS) && defined(GRADUS_DNNL)
TEST_CASE("what a library has no memory for is ours") {
  const Problem<float> p(256, 256, 256);
  own_blas_is_full = 1;
  const auto c = p.run({}, {}, true);
  own_blas_is_full = 0;
  CHECK(p.wrong(c, true) == 0);
}
#endif

TEST_CASE("about names the library") {
#ifdef GRADUS_DNNL
  CHECK_THAT(gradus::about(), ContainsSubstring("\nlarge products: oneDNN\n"));
#else
  CHECK_THAT(gradus::about(), ContainsSubstring("\nlarge products: CBLAS\n"));
#endif
}
