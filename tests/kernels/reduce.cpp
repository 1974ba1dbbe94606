// SPDX-License-Identifier: MIT
#include <array>
#include <limits>

#include <gradus/kernels/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

struct SquaredDistance {
  template <class X> static X value(X a, X b, X s) { return s * (a - b) * (a - b); }
};
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }
template <class T> Array<T> sum_of(const Array<T>& x, kernels::Groups g, T scale = T(1)) {
  auto y = Array<T>::uninitialized({g.outer * g.inner});
  kernels::sum(sink(y), x.view(), g, scale);
  return y;
}

}  // namespace

TEST_CASE("sum is pairwise: a million floats are right to a few units") {
  constexpr Index n = 1000003;
  const auto x = numbers({n}, 0, 1).to<float>();
  long double truth = 0;
  float one_by_one = 0;
  for (const float v : x.values()) truth += v, one_by_one += v;
  const auto error = [&](float s) { return static_cast<double>(std::abs((s - truth) / truth)); };
  // blocks of 128 terms of a 16-lane block each, their sums as a tree: at most 128 + log₂(n) roundings, in
  // practice their square root
  CHECK(error(sum_of(x, {1, n, 1})(0)) <= 8 * 0x1p-24);
  CHECK(error(one_by_one) > 8 * 0x1p-24);  // what it would be otherwise
  // along rows and along columns too
  const auto columns = sum_of(numbers({100003, 10}, 0, 1).to<float>(), {1, 100003, 10});
  for (Index i = 0; i < 10; ++i) {
    long double s = 0;
    const auto y = numbers({100003, 10}, 0, 1).to<float>();
    for (Index k = 0; k < 100003; ++k) s += y(k, i);
    CHECK(std::abs(static_cast<double>((columns(i) - s) / s)) <= 8 * 0x1p-24);
  }
}

TEST_CASE("sum of every size around its blocks") {
  for (const Index n : {0, 1, 7, 8, 9, 127, 128, 129, 2047, 2048, 2049, 4096, 6145}) {
    Array<double> x(Shape{n});
    for (Index i = 0; i < n; ++i) x.mutable_data()[i] = double(i + 1);
    CHECK(sum_of(x, {1, n, 1}, 2.0)(0) == double(n) * double(n + 1));  // whole numbers: exact
    CHECK(sum_of(x, {n, 1, 1}, 1.0) == x);
  }
  for (const Index inner : {2, 7, 8, 17})
    for (const Index n : {0, 1, 129}) {
      Array<double> x(Shape{3, n, inner});
      for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = double(i);
      const auto y = sum_of(x, {3, n, inner});
      bool equal = true;
      for (Index o = 0; o < 3; ++o)
        for (Index i = 0; i < inner; ++i) {
          double s = 0;
          for (Index k = 0; k < n; ++k) s += double((o * n + k) * inner + i);
          equal &= y(o * inner + i) == s;
        }
      CHECK(equal);
    }
}

TEST_CASE("sum adds to a gradient that was written") {
  Array<double> memory(Shape{1});
  Gradient g{memory.mutable_data(), {1}, {}};
  const Sink<double> to{memory.mutable_data(), {1}, {}, &g};
  const Array<double> x = {1, 2, 3};
  kernels::sum(to, x.view(), {1, 3, 1});
  kernels::sum(to, x.view(), {1, 3, 1}, 2.0);
  CHECK(memory(0) == 18);
}

TEST_CASE("sum_all of a formula, with numbers and operands that are one number") {
  for (const Index n : {1, 7, 1024, 1025, 5000}) {
    const auto x = numbers({n});
    const Array<double> t = full<double>({}, 0.25);
    Array<double> y(Shape{});
    const double two = 2;
    kernels::sum_all(kernels::formula<SquaredDistance, double, double, 1, double, double>, sink(y), 0.5, &two,
                     x.view(), t.view());
    long double s = 0;
    for (const double v : x.values()) s += (v - 0.25L) * (v - 0.25L);
    CHECK(std::abs(y.item() - static_cast<double>(s)) <= 16 * 0x1p-52 * static_cast<double>(s));  // pairwise
  }
}

TEST_CASE("sums and extremes give the same bits at any number of threads") {
  const auto x = numbers({700, 30, 17}).to<float>();
  for (const auto& g : {kernels::Groups(1, 357000, 1), kernels::Groups(700, 510, 1),
                        kernels::Groups(1, 700, 510), kernels::Groups(700, 30, 17)}) {
    same_at_any_number_of_threads([&] { return sum_of(x, g); });
    same_at_any_number_of_threads([&] {
      auto y = Array<float>::uninitialized({g.outer * g.inner});
      kernels::extreme<true>(sink(y), x.view(), g);
      return y;
    });
    same_at_any_number_of_threads([&] {
      auto y = Array<std::int32_t>::uninitialized({g.outer * g.inner});
      kernels::extreme_place<false>(sink(y), x.view(), g);
      return y;
    });
  }
}

TEST_CASE("long sums are cut into parts, which threads share: the same bits, and right") {
  const auto x = numbers({400001}, 0, 1).to<float>();
  long double truth = 0;
  for (const float v : x.values()) truth += v;
  same_at_any_number_of_threads([&] {
    Array<float> y(Shape{});
    kernels::sum_all(kernels::formula<kernels::Identity, float, float, 0, float>, sink(y), 1.f,
                     static_cast<const float*>(nullptr), x.view());
    CHECK(std::abs(static_cast<double>((y.item() - truth) / truth)) <= 4 * 0x1p-24);
    return y;
  });
  for (const Index columns : {2, 17, 100, 1500}) {  // [n, columns] in several parts, the last one short
    const Index n = x.size() / columns;
    same_at_any_number_of_threads([&] { return sum_of(x, {1, n, columns}); });
    const auto y = sum_of(x, {1, n, columns});
    long double s = 0;
    for (Index k = 0; k < n; ++k) s += x(k * columns + 1);
    CHECK(std::abs(static_cast<double>((y(1) - s) / s)) <= 4 * 0x1p-24);
  }
  same_at_any_number_of_threads([&] { return sum_of(x, {400001, 1, 1}, 0.5f); });
}

TEST_CASE("extremes of rows of every length: NaN wins, and the first of equals is the place") {
  for (Index n = 1; n <= 150; ++n) {
    const auto x = numbers({3, n}).to<float>();
    for (const Index nan : {Index(-1), n / 2}) {
      Array<float> z = x.copy(), y(Shape{3});
      Array<std::int32_t> at(Shape{3});
      if (nan >= 0) z.ref(1, nan) = NAN;
      kernels::extreme<true>(sink(y), z.view(), {3, n, 1});
      kernels::extreme_place<true>(sink(at), z.view(), {3, n, 1});
      bool right = true;
      for (Index r = 0; r < 3; ++r) {
        Index best = 0;
        for (Index k = 1; k < n; ++k)
          if (z(r, k) > z(r, best)) best = k;
        if (r == 1 && nan >= 0) best = nan;
        right &= at(r) == best && (z(r, best) == y(r) || (std::isnan(y(r)) && best == nan));
      }
      CHECK(right);
    }
  }
}

namespace {

/// Its slope is not the value's, and all three numbers matter.
struct Apart {
  template <class X> static X value(X y, X t, X s) { return s * math::abs(y - t) + y; }
  template <class X> static X slope(X y, X t, X s) { return s * y - math::exp(t); }
};

/// l and dy of n elements at one address or another; dy with room behind it, in which nothing may be written.
template <class F, class T>
std::array<Array<T>, 2> loss_of(Index n, bool each, bool slope = true, Index first = 0) {
  const auto y = numbers({n + first}, -2, 2).to<T>(), t = numbers({n + first}, -1, 1, 2).to<T>();
  auto l = full<T>(each ? Shape{n} : Shape(), T(77)), dy = full<T>({n + 64}, T(77));
  const T own[] = {T(0.75), each ? T(1) : T(0.125)};
  kernels::loss(kernels::loss_of<F, T>, each, sink(l), slope ? sink(dy) : Sink<T>(), own,
                y.slice(first, n + first).view(), t.slice(first, n + first).view());
  return {l, dy};
}

}  // namespace

TEMPLATE_TEST_CASE("a loss and its slope, of every size around its blocks", "", float, double) {
  using T = TestType;
  const T u = std::numeric_limits<T>::epsilon();
  for (const Index n : {0, 1, 7, 8, 15, 16, 17, 31, 1023, 1024, 1025, 8 * 1024 + 1, 100003})
    for (const Index first : {0, 3}) {
      INFO(n << " elements from " << first);
      const auto y = numbers({n + first}, -2, 2).to<T>(), t = numbers({n + first}, -1, 1, 2).to<T>();
      const auto [l, dl] = loss_of<Apart, T>(n, true, true, first);
      const auto [sum, ds] = loss_of<Apart, T>(n, false, true, first);
      long double total = 0, size = 0;
      int wrong = 0;
      for (Index i = 0; i < n; ++i) {
        const long double a = y(first + i), b = t(first + i), value = 0.75L * std::abs(a - b) + a,
                          slope = 0.75L * a - std::exp(b);
        const auto within = [&](T got, long double want, long double scale) {
          return std::abs(got - want) <= 4 * u * scale;
        };
        wrong += !within(l(i), value, 5) + !within(dl(i), slope, 5) + !within(ds(i), slope / 8, 5 / 8.0L);
        total += value, size += std::abs(value);
      }
      for (Index i = n; i < n + 64; ++i) wrong += (dl(i) != T(77)) + (ds(i) != T(77));
      CHECK(wrong == 0);
      CHECK(std::abs(sum.item() - total / 8) <= 8 * u * (size + 1));
    }
}

TEST_CASE("a loss has the same bits at any number of threads, with a slope and without, wherever it lies") {
  for (const Index n : {0, 1, 15, 16, 17, 1024, 1025, 100003})
    for (const bool each : {false, true}) {
      INFO(n << " elements, " << (each ? "each" : "their sum"));
      for (const std::size_t part : {0, 1})
        same_at_any_number_of_threads([&] { return loss_of<Apart, float>(n, each)[part]; });
      same_at_any_number_of_threads([&] { return loss_of<Apart, double>(n, each, false)[0]; });
      CHECK(loss_of<Apart, double>(n, each, false)[0] == loss_of<Apart, double>(n, each)[0]);
      CHECK(loss_of<Apart, float>(n, each, false)[1] == full<float>({n + 64}, 77.f));
    }
}
