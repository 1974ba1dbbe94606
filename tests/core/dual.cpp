// SPDX-License-Identifier: MIT
#include <limits>

#include <gradus/core/dual.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using D = Dual<double>;

namespace {

/// f(x + ε): its value is f(x), and its tangent what a central difference in long double says, whose error is
/// (h/x)⁴: at most 1e-11 here, with a rounding of 2⁻⁶⁴ / h.
template <class F> void check(const F& f, std::initializer_list<double> points) {
  for (const double x : points) {
    const long double h = 1e-5L;
    const auto at = [&](long double step) { return f(static_cast<long double>(x) + step); };
    const long double d = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    const D y = f(D(x, 1.0));
    INFO("at " << x);
    CHECK(y.value == Approx(static_cast<double>(at(0))).epsilon(1e-14));
    CHECK(y.tangent == Approx(static_cast<double>(d)).epsilon(1e-10).margin(1e-14));
  }
}

}  // namespace

TEST_CASE("a dual's functions have their derivatives") {
  check([](auto x) { return math::exp(x); }, {-3, 0, 2.5});
  check([](auto x) { return math::expm1(x); }, {-3, 0, 2.5});
  check([](auto x) { return math::log(x); }, {0.01, 1, 50});
  check([](auto x) { return math::log1p(x); }, {-0.5, 0, 50});
  check([](auto x) { return math::tanh(x); }, {-2, 0, 0.3});
  check([](auto x) { return math::sin(x); }, {-2, 0, 30});
  check([](auto x) { return math::cos(x); }, {-2, 0, 30});
  check([](auto x) { return math::erf(x); }, {-2, 0, 0.7});
  check([](auto x) { return math::sqrt(x); }, {0.01, 1, 400});
  check([](auto x) { return math::rsqrt(x); }, {0.01, 1, 400});
  check([](auto x) { return math::abs(x); }, {-2, 3});
  check([](auto x) { return math::floor(x) * x; }, {-1.5, 2.5});
  check([](auto x) { return math::pow(x, 3); }, {-2, 0.5});
  check([](auto x) { return math::pow(2, x); }, {-2, 0.5});
  check([](auto x) { return math::pow(x, x); }, {0.3, 2});
  check([](auto x) { return math::max(x, 1 - x) + math::min(x * x, x); }, {-2, 0.75, 3});
  check([](auto x) { return math::sign(x) * x + math::select(x > 1, x * x, x); }, {-2, 0.5, 3});
  check([](auto x) { return math::fma(x, x, 3 / x) - x / (1 + x) * -x; }, {-2, 0.5, 3});
}

TEST_CASE("arithmetic in place") {
  D x(3, 1);
  x += 2, x *= x, x -= 5, x /= 4;  // ((x + 2)² - 5) / 4
  CHECK(x.value == 5);
  CHECK(x.tangent == 2.5);
}

TEST_CASE("comparisons are of values") {
  CHECK(D(1, 5) == D(1, 7));
  CHECK(D(1, 5) != D(2, 5));
  CHECK(D(1, 9) < D(2, 0));
  CHECK(D(1, 9) <= D(1, 0));
  CHECK(D(2, 0) > 1);
  CHECK(D(2, 0) >= 2);
}

TEST_CASE("at a seam the derivative is the one from below") {
  CHECK(math::abs(D(0, 1)).tangent == -1);
  CHECK(math::max(D(0, 1), D(0)).tangent == 0);
  CHECK(math::min(D(0, 1), D(0)).tangent == 1);
  CHECK(math::pow(D(0, 1), D(0)).tangent == 0);
  CHECK(math::pow(D(0, 1), D(1)).tangent == 1);
  CHECK(math::pow(D(0), D(2, 1)).tangent == 0);
}

TEST_CASE("NaN is handed on") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const D& y : {math::max(D(nan), D(1)), math::max(D(1), D(nan)), math::min(D(nan), D(1)),
                     math::min(D(1), D(nan)), math::abs(D(nan)), math::exp(D(nan))})
    CHECK(y.value != y.value);
  CHECK(!math::is_finite(D(nan)));
  CHECK(math::is_finite(D(1, nan)));
}

TEST_CASE("a dual of duals has second derivatives") {
  const Dual<D> x(D(0.5, 1), D(1, 0));
  const auto y = math::exp(3 * x) + math::pow(x, 4);
  CHECK(y.value.tangent == Approx(3 * std::exp(1.5) + 4 * 0.125).epsilon(1e-14));
  CHECK(y.tangent.tangent == Approx(9 * std::exp(1.5) + 12 * 0.25).epsilon(1e-14));
  CHECK(math::pow(D(0.0, 1), Dual<double>(2)).tangent == 0);
  CHECK(math::pow(Dual<D>(D(0, 1), D(1)), Dual<D>(2)).tangent.tangent == 2);
}
