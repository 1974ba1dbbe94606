// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <type_traits>

#include <gradus/core/math.hpp>

#include "tests/support/catch.hpp"

namespace math = gradus::math;

namespace {

template <class T> constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();
template <class T> constexpr T infinity = std::numeric_limits<T>::infinity();

}  // namespace

/// A number of the user's own, with operators alone, and one whose functions leave a trace.
namespace user {

struct Number {
  double v;
  Number(double x) : v(x) {}
  friend Number operator+(Number a, Number b) { return a.v + b.v; }
  friend Number operator-(Number a, Number b) { return a.v - b.v; }
  friend Number operator*(Number a, Number b) { return a.v * b.v; }
  friend Number operator/(Number a, Number b) { return a.v / b.v; }
  friend bool operator<(Number a, Number b) { return a.v < b.v; }
  friend bool operator>(Number a, Number b) { return a.v > b.v; }
  friend bool operator==(Number a, Number b) { return a.v == b.v; }
  friend bool operator!=(Number a, Number b) { return a.v != b.v; }
  friend Number sqrt(Number a) { return std::sqrt(a.v); }
  friend Number exp(Number a) { return std::exp(a.v); }
  friend Number pow(Number a, Number b) { return std::pow(a.v, b.v); }
};

struct Own : Number {
  using Number::Number;
  friend Own max(Own, Own) { return 101; }
  friend Own min(Own, Own) { return 102; }
  friend Own fma(Own, Own, Own) { return 103; }
  friend Own rsqrt(Own) { return 104; }
  friend Own sign(Own) { return 105; }
  friend Own log1p_exp(Own) { return 106; }
  friend bool is_finite(Own) { return false; }
};

struct Mask {
  bool taken;
  friend double select(Mask m, double a, double b) { return m.taken ? a : b; }
};

}  // namespace user

TEMPLATE_TEST_CASE("the functions of one argument are the standard's", "", float, double) {
  using T = TestType;
  const T x = T(0.7);  // approximate: compilers compute a constant's tanh with more care than the library
  CHECK(math::exp(x) == Approx(std::exp(x)).epsilon(1e-6));
  CHECK(math::expm1(x) == Approx(std::expm1(x)).epsilon(1e-6));
  CHECK(math::log(x) == Approx(std::log(x)).epsilon(1e-6));
  CHECK(math::log1p(x) == Approx(std::log1p(x)).epsilon(1e-6));
  CHECK(math::tanh(x) == Approx(std::tanh(x)).epsilon(1e-6));
  CHECK(math::sin(x) == Approx(std::sin(x)).epsilon(1e-6));
  CHECK(math::cos(x) == Approx(std::cos(x)).epsilon(1e-6));
  CHECK(math::erf(x) == Approx(std::erf(x)).epsilon(1e-6));
  CHECK(math::sqrt(x) == Approx(std::sqrt(x)).epsilon(1e-6));
  CHECK(math::log1p_exp(-x) == Approx(std::log1p(std::exp(-x))).epsilon(1e-6));
  CHECK(math::floor(T(-1.5)) == T(-2));
  CHECK(math::abs(T(-1.5)) == T(1.5));
  CHECK(math::pow(x, T(3)) == Approx(std::pow(x, T(3))).epsilon(1e-6));
  CHECK(math::rsqrt(T(4)) == T(0.5));
  static_assert(std::is_same_v<decltype(math::exp(x)), T> && std::is_same_v<decltype(math::rsqrt(x)), T>);
}

TEMPLATE_TEST_CASE("the larger and the smaller", "", float, double) {
  using T = TestType;
  CHECK(math::max(T(1), T(2)) == 2);
  CHECK(math::min(T(1), T(2)) == 1);
  CHECK(math::max(T(-infinity<T>), T(3)) == 3);
  for (const T other : {T(0), T(1), infinity<T>, -infinity<T>}) {  // as NumPy's: a NaN is never lost
    CHECK(std::isnan(math::max(not_a_number<T>, other)));
    CHECK(std::isnan(math::max(other, not_a_number<T>)));
    CHECK(std::isnan(math::min(not_a_number<T>, other)));
    CHECK(std::isnan(math::min(other, not_a_number<T>)));
  }
}

TEST_CASE("mixed numbers meet in their common type") {
  static_assert(std::is_same_v<decltype(math::max(1.0f, 0)), float>);
  static_assert(std::is_same_v<decltype(math::max(1.0f, 0.0)), double>);
  static_assert(std::is_same_v<decltype(math::select(true, 1, 2.0f)), float>);
  static_assert(std::is_same_v<decltype(math::fma(2.0f, 1, 1)), float>);
  CHECK(math::max(-1.5f, 0) == 0);
  CHECK(math::min(2, 1.5) == 1.5);
  CHECK(math::max(3, 4) == 4);
}

TEST_CASE("select takes one of two") {
  CHECK(math::select(true, 1.0, not_a_number<double>) == 1);
  CHECK(math::select(false, not_a_number<double>, 2.0) == 2);
  CHECK(math::select((1 > 0) & (2 > 3), 1, 2) == 2);  // conditions combine with &, which makes an int
  CHECK(math::select((1 > 0) | (2 > 3), 1, 2) == 1);
  CHECK(math::select(user::Mask{true}, 3.0, 4.0) == 3);
}

TEMPLATE_TEST_CASE("the sign", "", float, double) {
  using T = TestType;
  CHECK(math::sign(T(3.5)) == 1);
  CHECK(math::sign(T(-0.1)) == -1);
  CHECK(math::sign(T(0)) == 0);
  CHECK(std::signbit(math::sign(T(-0.0))));
  CHECK(math::sign(infinity<T>) == 1);
  CHECK(math::sign(-infinity<T>) == -1);
  CHECK(std::isnan(math::sign(not_a_number<T>)));
  CHECK(math::sign(-7) == -1);
}

TEMPLATE_TEST_CASE("finite or not", "", float, double) {
  using T = TestType;
  CHECK(math::is_finite(T(0)));
  CHECK(math::is_finite(std::numeric_limits<T>::max()));
  CHECK(math::is_finite(std::numeric_limits<T>::denorm_min()));
  CHECK_FALSE(math::is_finite(infinity<T>));
  CHECK_FALSE(math::is_finite(-infinity<T>));
  CHECK_FALSE(math::is_finite(not_a_number<T>));
  CHECK(math::is_finite(3));
}

TEMPLATE_TEST_CASE("fma rounds once where the processor can", "", float, double) {
  using T = TestType;
  CHECK(math::fma(T(2), T(3), T(4)) == 10);
  const T e = std::numeric_limits<T>::epsilon(), a = 1 + e;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  CHECK(math::fma(a, a, -(1 + 2 * e)) == e * e);
#else
  CHECK(math::fma(a, a, -(1 + 2 * e)) == 0);
#endif
}

TEST_CASE("a user's number needs operators alone") {
  using user::Number;
  CHECK(math::exp(Number(1)).v == std::exp(1.0));
  CHECK(math::pow(Number(2), Number(3)).v == 8);
  CHECK(math::rsqrt(Number(4)).v == 0.5);
  CHECK(math::max(Number(1), Number(2)).v == 2);
  CHECK(math::min(Number(1), Number(2)).v == 1);
  CHECK(std::isnan(math::max(Number(not_a_number<double>), Number(2)).v));
  CHECK(math::fma(Number(2), Number(3), Number(4)).v == 10);
  CHECK(math::sign(Number(-2)).v == -1);
  CHECK(math::is_finite(Number(1)));
  CHECK_FALSE(math::is_finite(Number(infinity<double>)));
}

TEST_CASE("a user's own functions go first") {
  using user::Own;
  CHECK(math::max(Own(1), Own(2)).v == 101);
  CHECK(math::min(Own(1), Own(2)).v == 102);
  CHECK(math::fma(Own(1), Own(2), Own(3)).v == 103);
  CHECK(math::rsqrt(Own(1)).v == 104);
  CHECK(math::sign(Own(1)).v == 105);
  CHECK(math::log1p_exp(Own(1)).v == 106);
  CHECK_FALSE(math::is_finite(Own(1)));
}
