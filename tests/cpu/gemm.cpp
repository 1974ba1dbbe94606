// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <gradus/cpu/gemm.hpp>

#include "tests/support/catch.hpp"

using gradus::Index;
using gradus::cpu::Finish;
using gradus::cpu::Matrix;

namespace {

enum Layout { NN, TN, NT, TT };
constexpr Layout layouts[] = {NN, TN, NT, TT};

template <class T> std::vector<T> numbers(Index n, std::uint32_t seed) {  // in [-1, 1), all different
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<T>(static_cast<double>(seed >> 8) / (1 << 23) - 1);
  }
  return x;
}

/// The numbers of a row-major [rows, columns], or the same matrix stored by columns.
template <class T> struct Operand {
  std::vector<T> data;
  Matrix<T> matrix;
  Operand(const std::vector<T>& x, Index rows, Index columns, bool by_columns) : data(x) {
    matrix = by_columns ? Matrix<T>{data.data(), 1, rows} : Matrix<T>{data.data(), columns, 1};
    if (by_columns)
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
          data[static_cast<std::size_t>(j * rows + i)] = x[static_cast<std::size_t>(i * columns + j)];
  }
};

template <class T> struct Problem {
  Index M, N, K;
  std::vector<T> a = numbers<T>(M * K, 1), b = numbers<T>(K * N, 2), c = numbers<T>(M * N, 3);

  std::vector<T> run(Layout layout, bool add, Finish<T> finish = {}) const {
    const Operand<T> x(a, M, K, layout == TN || layout == TT), y(b, K, N, layout == NT || layout == TT);
    std::vector<T> result = c;
    result.insert(result.end(), 64, T(77));  // nothing is written beyond C
    gradus::cpu::gemm(result.data(), add, x.matrix, y.matrix, M, N, K, finish);
    for (auto p = result.end() - 64; p != result.end(); ++p)
      if (*p != T(77)) FAIL("written beyond C: " << M << " " << N << " " << K);
    result.resize(result.size() - 64);
    return result;
  }
  /// The promised order: chains of multiply-adds, cut into panels. Through a packet, as the machine may have
  /// no fma.
  std::vector<T> chain(bool add) const {
    namespace ei = Eigen::internal;
    using P = typename ei::packet_traits<T>::type;
    const Index depth = gradus::cpu::detail::panel_depth<T>(K);
    std::vector<T> result = c;
    for (Index m = 0; m < M; ++m)
      for (Index n = 0; n < N; ++n) {
        T& to = result[static_cast<std::size_t>(m * N + n)];
        if (!add) to = 0;
        for (Index k = 0; k < K; k += depth) {
          P sum = ei::pset1<P>(T(0));
          for (Index i = k; i < std::min(K, k + depth); ++i)
            sum = ei::pmadd(ei::pset1<P>(a[static_cast<std::size_t>(m * K + i)]),
                            ei::pset1<P>(b[static_cast<std::size_t>(i * N + n)]), sum);
          alignas(64) T lanes[sizeof(P) / sizeof(T)];
          ei::pstore(lanes, sum);
          to = add || k > 0 ? to + lanes[0] : lanes[0];
        }
      }
    return result;
  }
};

template <class T> bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

struct Threads {  // as many while it lives
  explicit Threads(int n) { gradus::set_threads(n); }
  ~Threads() { gradus::set_threads(0); }
};

/// Doubles finished rows and counts how often each came.
template <class T> struct Doubled {
  Index N;
  std::vector<int> seen;
  static void run(const void* context, T* c, Index row, Index rows) {
    auto& self = *static_cast<Doubled*>(const_cast<void*>(context));
    for (Index r = row; r < row + rows; ++r) ++self.seen[static_cast<std::size_t>(r)];
    for (Index i = 0; i < rows * self.N; ++i) c[i] *= 2;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("gemm is within γ of the sums in long double", "", float, double) {
  constexpr Index sizes[] = {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65};
  const long double u = std::numeric_limits<TestType>::epsilon() / 2.0L;
  int wrong = 0;
  for (Index M : sizes)
    for (Index N : sizes)
      for (Index K : sizes) {
        const Problem<TestType> p{M, N, K};
        std::vector<long double> sums, sizes_of_sums;
        for (Index m = 0; m < M; ++m)
          for (Index n = 0; n < N; ++n) {
            long double sum = 0, size = 0;
            for (Index k = 0; k < K; ++k) {
              const long double product = static_cast<long double>(p.a[static_cast<std::size_t>(m * K + k)]) *
                                          static_cast<long double>(p.b[static_cast<std::size_t>(k * N + n)]);
              sum += product, size += std::abs(product);
            }
            sums.push_back(sum), sizes_of_sums.push_back(size);
          }
        for (bool add : {false, true})
          for (Layout layout : layouts) {
            const auto c = p.run(layout, add);
            const long double roundings = static_cast<long double>(K) + add,
                              gamma = roundings * u / (1 - roundings * u);
            for (std::size_t i = 0; i < c.size(); ++i) {
              const long double before = add ? static_cast<long double>(p.c[i]) : 0;
              const long double error = std::abs(static_cast<long double>(c[i]) - (before + sums[i]));
              wrong += !(error <= gamma * (std::abs(before) + sizes_of_sums[i]));
            }
          }
      }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("gemm adds in one order, whatever the shape and the road", "", float, double) {
  struct Size {
    Index M, N, K;
  };
  // in turn: tiny, few columns, one row, few rows, many panels of K, packed by rows, packed by columns, odd
  // edges
  for (auto [M, N, K] : {Size{3, 5, 7},
                         {100, 3, 40},
                         {40, 1, 33},
                         {1, 200, 70},
                         {7, 100, 19},
                         {2, 70, 2100},
                         {530, 150, 530},
                         {150, 530, 700},
                         {71, 97, 1500},
                         {97, 71, 1025}}) {
    const Problem<TestType> p{M, N, K};
    for (bool add : {false, true}) {
      const auto expected = p.chain(add);
      for (Layout layout : layouts) {
        INFO(M << " " << N << " " << K << ", layout " << layout << ", add " << add);
        CHECK(same_bits(p.run(layout, add), expected));
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm of one or two terms adds as all others do", "", float, double) {
  constexpr TestType infinite = std::numeric_limits<TestType>::infinity(),
                     nan = std::numeric_limits<TestType>::quiet_NaN();
  const auto same = [](TestType x, TestType y) {
    return std::isnan(x) ? std::isnan(y) : same_bits<TestType>({x}, {y});
  };
  int wrong = 0;
  for (const Index M : {1, 2, 7, 32, 33, 64, 100})
    for (const Index N : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100})
      for (const Index K : {1, 2})
        for (const bool special : {false, true}) {
          Problem<TestType> p{M, N, K};
          if (special) {  // zeros of both signs, and what no padded lane may bring into others
            p.a[0] = TestType(-0.0), p.b[0] = 0, p.c[0] = TestType(-0.0);
            p.a.back() = nan, p.b.back() = infinite;
            if (N > 2) p.b[1] = -infinite;
          }
          for (const bool add : {false, true}) {
            const auto expected = p.chain(add);
            for (const Layout layout : layouts)
              for (const int threads : {1, 3}) {
                const Threads now(threads);
                const auto c = p.run(layout, add);
                for (std::size_t i = 0; i < c.size(); ++i) wrong += !same(c[i], expected[i]);
              }
          }
        }
  CHECK(wrong == 0);
  for (auto [M, N, K] : {std::array<Index, 3>{3000, 100, 1}, {100, 3001, 2}, {40001, 1, 1}, {40001, 5, 2}}) {
    const Problem<TestType> p{M, N, K};  // worth several threads
    for (const Layout layout : layouts)
      for (const int threads : {1, 2, 8}) {
        const Threads now(threads);
        CHECK(same_bits(p.run(layout, true), p.chain(true)));
      }
  }
}

TEST_CASE("gemm of one or two terms reads matrices that are parts of others") {
  constexpr Index row = 7;  // between neighbours, as is `column`: also as in a product of two whole matrices
  const auto x = numbers<float>(4000, 5), y = numbers<float>(4000, 6);
  int wrong = 0;
  for (const Index M : {1, 5, 40})
    for (const Index N : {1, 3, 16, 40})
      for (const Index K : {1, 2})
        for (const auto& [turned, column] :
             {std::pair{false, Index{3}}, {true, Index{3}}, {true, Index{2}}}) {
          const Matrix<float> a = turned ? Matrix<float>{x.data(), column, row * 20}
                                         : Matrix<float>{x.data(), row, column},
                              b = turned ? Matrix<float>{y.data(), row, column}
                                         : Matrix<float>{y.data(), column * 50, row};
          std::vector<float> c(static_cast<std::size_t>(M * N));
          gradus::cpu::gemm(c.data(), false, a, b, M, N, K);
          Problem<float> p{M, N, K};
          for (Index m = 0; m < M; ++m)
            for (Index k = 0; k < K; ++k) p.a[static_cast<std::size_t>(m * K + k)] = a(m, k);
          for (Index k = 0; k < K; ++k)
            for (Index n = 0; n < N; ++n) p.b[static_cast<std::size_t>(k * N + n)] = b(k, n);
          wrong += !same_bits(c, p.chain(false));
        }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("gemm gives the same bits at any number of threads", "", float, double) {
  struct Size {
    Index M, N, K;
  };
  for (auto [M, N, K] : {Size{700, 60, 100},
                         {60, 700, 100},
                         {700, 400, 600},
                         {400, 700, 600},
                         {3000, 1, 900},
                         {1, 3000, 900}}) {
    const Problem<TestType> p{M, N, K};
    for (Layout layout : layouts)
      for (bool add : {false, true}) {
        std::vector<TestType> expected;
        for (int threads : {1, 2, 3, 8}) {
          const Threads now(threads);
          Doubled<TestType> doubled{N, std::vector<int>(static_cast<std::size_t>(M))};
          const auto c = p.run(layout, add, {&Doubled<TestType>::run, &doubled});
          if (expected.empty()) expected = c;
          INFO(M << " " << N << " " << K << ", layout " << layout << ", add " << add << ", threads "
                 << threads);
          CHECK(same_bits(c, expected));
          CHECK(doubled.seen == std::vector<int>(static_cast<std::size_t>(M), 1));
        }
      }
  }
}

TEMPLATE_TEST_CASE("gemm finishes each row once, when it is whole", "", float, double) {
  struct Size {
    Index M, N, K;
  };
  for (auto [M, N, K] : {Size{1, 1, 1},
                         {5, 3, 2},
                         {3, 5, 0},
                         {32, 1, 16},
                         {64, 100, 30},
                         {300, 300, 1100},
                         {200, 2100, 1100}}) {
    const Problem<TestType> p{M, N, K};
    Doubled<TestType> doubled{N, std::vector<int>(static_cast<std::size_t>(M))};
    auto expected = p.run(NN, true);
    for (TestType& x : expected) x *= 2;
    INFO(M << " " << N << " " << K);
    CHECK(same_bits(p.run(NN, true, {&Doubled<TestType>::run, &doubled}), expected));
    CHECK(doubled.seen == std::vector<int>(static_cast<std::size_t>(M), 1));
  }
}

TEST_CASE("gemm keeps NaN in its row and its column") {  // padded lanes must not reach what is kept
  for (Index N : {1, 3, 16, 19, 40}) {
    Problem<float> p{21, N, 18};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    p.a[20 * 18 + 4] = nan;
    p.b[static_cast<std::size_t>(3 * N + N - 1)] = nan;
    for (Layout layout : layouts) {
      const auto c = p.run(layout, false);
      int wrong = 0;
      for (Index m = 0; m < 21; ++m)
        for (Index n = 0; n < N; ++n)
          wrong += std::isnan(c[static_cast<std::size_t>(m * N + n)]) != (m == 20 || n == N - 1);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("gemm of nothing") {
  float c[4] = {1, 2, 3, 4};
  const Matrix<float> none{nullptr, 0, 0};
  gradus::cpu::gemm(c, false, none, none, 0, 4, 3);
  gradus::cpu::gemm(c, false, none, none, 4, 0, 3);
  gradus::cpu::gemm(c, true, none, none, 2, 2, 0);
  CHECK(std::equal(c, c + 4, std::begin({1.f, 2.f, 3.f, 4.f})));
  gradus::cpu::gemm(c, false, none, none, 2, 2, 0);
  CHECK(std::all_of(c, c + 4, [](float x) { return x == 0; }));
}

TEST_CASE("gemm allocates nothing once its work memory is large enough") {
  const Threads one(1);
  const Problem<double> large{300, 300, 700}, small{33, 9, 17};
  (void)large.run(NT, false);
  const auto before = std::to_array(gradus::cpu::detail::work_slots);
  for (Layout layout : layouts) (void)large.run(layout, true), (void)small.run(layout, false);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(gradus::cpu::detail::work_slots[i].memory == before[i].memory);
    CHECK(gradus::cpu::detail::work_slots[i].size == before[i].size);
    CHECK(reinterpret_cast<std::uintptr_t>(before[i].memory) % 64 == 0);
  }
}

namespace {

struct Mod7 {  // a user's scalar: +, * and a value-initialised zero, nothing else
  int value = 0;
  friend Mod7 operator+(Mod7 x, Mod7 y) { return {(x.value + y.value) % 7}; }
  friend Mod7 operator*(Mod7 x, Mod7 y) { return {x.value * y.value % 7}; }
};

}  // namespace

TEST_CASE("gemm serves integers and a user's scalar") {
  const int a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, -1, 3, 1};  // [2, 3], [3, 2]
  int c[] = {100, 100, 100, 100};
  const Matrix<int> A{a, 3, 1}, B{b, 2, 1};
  gradus::cpu::gemm(c, false, A, B, 2, 2, 3);
  CHECK(std::vector<int>(c, c + 4) == std::vector<int>{14, 1, 32, 1});
  gradus::cpu::gemm(c, true, Matrix<int>{a, 1, 2}, Matrix<int>{b, 1, 2}, 2, 2,
                    2);  // {1,3,5;2,4,6}ᵀ..., the first two
  CHECK(std::vector<int>(c, c + 4) == std::vector<int>{14 + 1, 1 + 2 - 3, 32 + 2, 1 + 4 - 4});

  const Mod7 x[] = {{1}, {2}, {3}, {4}, {5}, {6}};
  Mod7 y[] = {{6}, {6}, {6}, {6}};
  const Matrix<Mod7> X{x, 3, 1}, Y{x, 2, 1};
  gradus::cpu::gemm(y, true, X, Y, 2, 2, 3);  // {22, 28; 49, 64} + 6
  CHECK((y[0].value == 0 && y[1].value == 6 && y[2].value == 6 && y[3].value == 0));
  gradus::cpu::gemm(y, false, X, Y, 2, 2, 0);
  CHECK((y[0].value == 0 && y[3].value == 0));
}
