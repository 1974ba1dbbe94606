// SPDX-License-Identifier: MIT
// The wide functions against the standard library's in the next larger type: errors in units of the last
// place.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include <gradus/cpu/elementary.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/ulps.hpp"

using namespace gradus;
using cpu::Wide;

namespace {

template <class T> constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T> constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();
template <class T> constexpr T denormal = std::numeric_limits<T>::denorm_min();
template <class T> constexpr T least = std::numeric_limits<T>::min();
template <class T> constexpr T most = std::numeric_limits<T>::max();
template <class T> struct Worst {
  double error = 0;
  T at = 0, result = 0;

  /// f over blocks of x against exact, one number at a time.
  template <class F, class R> Worst(const std::vector<T>& x, F f, R exact) {
    T y[Wide<T>::size];
    for (std::size_t i = 0; i + Wide<T>::size <= x.size(); i += Wide<T>::size) {
      f(Wide<T>::load(&x[i])).store(y);
      for (std::size_t k = 0; k < Wide<T>::size; ++k) {
        const double e = ulps(y[k], exact(x[i + k]));
        if (e > error) error = e, at = x[i + k], result = y[k];
      }
    }
  }
};

/// Numbers of every sign, exponent and sort: each `step`-th of the 2³² floats.
std::vector<float> all_floats(std::uint32_t step) {
  std::vector<float> x;
  for (std::uint64_t b = 0; b < std::uint64_t(1) << 32; b += step)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(b)));
  return x;
}

struct Random {
  std::uint64_t state = 1;
  std::uint64_t bits() {  // splitmix64
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double uniform(double a, double b) {
    return a + (b - a) * std::ldexp(static_cast<double>(bits() >> 11), -53);
  }
};

/// Half of them any double, half where the function is neither flat nor infinite.
std::vector<double> doubles(double a, double b) {
  Random random;
  std::vector<double> x;
  for (int i = 0; i < 50000; ++i) {
    x.push_back(std::bit_cast<double>(random.bits()));
    x.push_back(random.uniform(a, b));
  }
  return x;
}

/// f of one number, wherever in the block it stands.
template <class T, class F> T one(F f, T x) {
  T in[Wide<T>::size], out[Wide<T>::size];
  for (Index i = 0; i < Wide<T>::size; ++i) in[i] = static_cast<T>(0.25) * static_cast<T>(i) - 1;
  in[3] = in[Wide<T>::size - 1] = x;
  f(Wide<T>::load(in)).store(out);
  CHECK(std::memcmp(&out[3], &out[Wide<T>::size - 1], sizeof(T)) == 0);
  return out[3];
}

/// The same number: the sign of zero counts, all NaN are one.
template <class T> bool same(T a, T b) {
  return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
}

#define CHECK_AT(f, x, expected)                              \
  do {                                                        \
    const auto y = one([](auto w) { return math::f(w); }, x); \
    INFO(#f "(" << x << ") is " << y);                        \
    CHECK(same(y, expected));                                 \
  } while (false)

#define CHECK_ULPS(f, T, x, bound)                                                            \
  do {                                                                                        \
    using R = std::conditional_t<std::is_same_v<T, float>, double, long double>;              \
    const Worst<T> worst(                                                                     \
        x, [](auto w) { return math::f(w); }, [](T v) { return std::f(static_cast<R>(v)); }); \
    INFO(#f "(" << worst.at << ") is " << worst.result);                                      \
    CHECK(worst.error <= bound);                                                              \
  } while (false)

}  // namespace

TEST_CASE("float functions are within 2 ulp of the truth everywhere") {
  const auto x = all_floats(4001);
  CHECK_ULPS(exp, float, x, 2);
  CHECK_ULPS(expm1, float, x, 2);
  CHECK_ULPS(log, float, x, 2);
  CHECK_ULPS(log1p, float, x, 2);
  CHECK_ULPS(tanh, float, x, 2);
  CHECK_ULPS(erf, float, x, 2);
  CHECK_ULPS(sin, float, x, 2);
  CHECK_ULPS(cos, float, x, 2);
  CHECK_ULPS(sqrt, float, x, 0.5);
  const Worst<float> worst(
      x, [](auto w) { return math::rsqrt(w); }, [](double v) { return 1 / std::sqrt(v); });
  CHECK(worst.error <= 2);
}

TEST_CASE("softplus of a float is within 2 ulp of the truth everywhere") {
  const Worst<float> worst(
      all_floats(4001), [](auto x) { return math::max(x, 0) + math::log1p_exp(-math::abs(x)); },
      [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); });
  INFO("softplus(" << worst.at << ") is " << worst.result);
  CHECK(worst.error <= 2);
}

TEST_CASE("double functions are within 2 ulp of the truth") {
  CHECK_ULPS(exp, double, doubles(-750, 720), 2);
  CHECK_ULPS(exp, double, doubles(-2, 2), 2);
  CHECK_ULPS(expm1, double, doubles(-50, 720), 2);
  CHECK_ULPS(expm1, double, doubles(-1, 1), 2);
  CHECK_ULPS(log, double, doubles(0, 3), 2);
  CHECK_ULPS(log, double, doubles(0.99, 1.01), 2);
  CHECK_ULPS(log1p, double, doubles(-1, 3), 2);
  CHECK_ULPS(log1p, double, doubles(-0.01, 0.01), 2);
  CHECK_ULPS(tanh, double, doubles(-3, 3), 2);
  CHECK_ULPS(tanh, double, doubles(-0.1, 25), 2);
  CHECK_ULPS(erf, double, doubles(-3, 6.5), 2);
  CHECK_ULPS(erf, double, doubles(-1.1, 1.1), 2);
  CHECK_ULPS(sin, double, doubles(-10, 10), 2);
  CHECK_ULPS(sin, double, doubles(-1e6, 1e6), 2);
  CHECK_ULPS(cos, double, doubles(-10, 10), 2);
  CHECK_ULPS(cos, double, doubles(-1e6, 1e6), 2);
  CHECK_ULPS(sqrt, double, doubles(0, 4), 0.5);
}

TEST_CASE("sin and cos next to multiples of a quarter turn") {
  std::vector<double> x;
  for (int n = -600000; n < 600000; n += 7) x.push_back(n * 1.5707963267948966);
  CHECK_ULPS(sin, double, x, 2);
  CHECK_ULPS(cos, double, x, 2);
}

TEST_CASE("sin and cos of floats next to multiples of a quarter turn, and where doubles take over") {
  std::vector<float> x;
  for (int n = -4200; n < 4200; ++n)
    for (const float direction : {-7000.f, 7000.f}) {
      x.push_back(static_cast<float>(n * 1.5707963267948966));
      x.push_back(std::nextafter(x.back(), direction));
    }
  CHECK_ULPS(sin, float, x, 2);
  CHECK_ULPS(cos, float, x, 2);
  const auto next_to = [](float neighbour, float number) {  // a far neighbour must not change a near number
    float in[Wide<float>::size], out[Wide<float>::size];
    for (float& v : in) v = neighbour;
    in[5] = number;
    math::sin(Wide<float>::load(in)).store(out);
    return out[5];
  };
  for (const float number : {0.1f, 3.f, -100.f, 6400.f})
    for (const float neighbour : {1e4f, 1e30f, infinity<float>, nan_of<float>})
      CHECK(next_to(neighbour, number) == next_to(number, number));
}

TEST_CASE("pow") {
  Random random;
  double worst = 0;
  const auto check = [&](float x, float y) {
    const float p = Wide<float>(math::pow(Wide<float>(x), Wide<float>(y)))[0];
    const double e = ulps(p, std::pow(static_cast<double>(x), static_cast<double>(y)));
    INFO(x << " to the power " << y << " is " << p);
    if (e > 1) CHECK(e <= 1);
    worst = std::max(worst, e);
  };
  for (int i = 0; i < 100000; ++i) {
    check(static_cast<float>(random.uniform(0, 10)), static_cast<float>(random.uniform(-50, 50)));
    check(static_cast<float>(random.uniform(0.9, 1.1)), static_cast<float>(random.uniform(-900, 900)));
    check(std::bit_cast<float>(static_cast<std::uint32_t>(random.bits())),
          static_cast<float>(random.uniform(-3, 3)));
    check(static_cast<float>(random.uniform(-10, 10)),
          static_cast<float>(static_cast<int>(random.bits() % 31) - 15));
  }
  CHECK(worst <= 1);

  const float special[] = {0,
                           -0.f,
                           1,
                           -1,
                           2,
                           -2,
                           3,
                           -3,
                           0.5f,
                           -0.5f,
                           1e9f,
                           -1e9f,
                           16777215,
                           1e-40f,
                           -1e-40f,
                           infinity<float>,
                           -infinity<float>,
                           nan_of<float>};
  for (float x : special) {
    for (float y : special) {
      const float p = Wide<float>(math::pow(Wide<float>(x), Wide<float>(y)))[5];
      const double q = Wide<double>(math::pow(Wide<double>(x), y))[5];
      INFO(x << " to the power " << y << " is " << p);
      CHECK(same(p, std::pow(x, y)));
      CHECK(same(q, std::pow(static_cast<double>(x), static_cast<double>(y))));
    }
  }
  CHECK(Wide<float>(math::pow(Wide<float>(3), 2))[0] == 9);
  CHECK(Wide<double>(math::pow(2, Wide<double>(0.5)))[0] == std::sqrt(2.0));
}

TEMPLATE_TEST_CASE("special values are those of the standard library", "", float, double) {
  using T = TestType;
  const T inf = infinity<T>, nan = nan_of<T>, tiny = denormal<T>;

  for (T x : {tiny, least<T>, most<T>}) {
    CHECK(ulps(one([](auto w) { return math::log(w); }, x), std::log(static_cast<long double>(x))) <= 2);
    CHECK(ulps(one([](auto w) { return math::log1p(w); }, x), std::log1p(static_cast<long double>(x))) <= 2);
  }
  CHECK_AT(exp, T(0), T(1));
  CHECK_AT(exp, T(-0.0), T(1));
  CHECK_AT(exp, inf, inf);
  CHECK_AT(exp, -inf, T(0));
  CHECK_AT(exp, nan, nan);
  CHECK_AT(exp, most<T>, inf);
  CHECK_AT(exp, -most<T>, T(0));
  CHECK_AT(exp, tiny, T(1));
  const T overflows = std::log(most<T>);
  CHECK(std::isfinite(one([](auto x) { return math::exp(x); }, std::nextafter(overflows, T(0)))));
  CHECK_AT(exp, overflows + std::ldexp(overflows, -10), inf);
  CHECK_AT(exp, std::log(tiny), tiny);

  CHECK_AT(expm1, T(0), T(0));
  CHECK_AT(expm1, T(-0.0), T(-0.0));
  CHECK_AT(expm1, tiny, tiny);
  CHECK_AT(expm1, -tiny, -tiny);
  CHECK_AT(expm1, inf, inf);
  CHECK_AT(expm1, most<T>, inf);
  CHECK_AT(expm1, -inf, T(-1));
  CHECK_AT(expm1, nan, nan);

  CHECK_AT(log, T(1), T(0));
  CHECK_AT(log, T(0), -inf);
  CHECK_AT(log, T(-0.0), -inf);
  CHECK_AT(log, inf, inf);
  CHECK_AT(log, nan, nan);
  CHECK_AT(log, T(-1), nan);
  CHECK_AT(log, -tiny, nan);
  CHECK_AT(log, -inf, nan);

  CHECK_AT(log1p, T(0), T(0));
  CHECK_AT(log1p, T(-0.0), T(-0.0));
  CHECK_AT(log1p, tiny, tiny);
  CHECK_AT(log1p, -tiny, -tiny);
  CHECK_AT(log1p, T(-1), -inf);
  CHECK_AT(log1p, T(-2), nan);
  CHECK_AT(log1p, -inf, nan);
  CHECK_AT(log1p, inf, inf);
  CHECK_AT(log1p, nan, nan);

  for (T sign : {T(1), T(-1)}) {
    CHECK_AT(tanh, sign * T(0), sign * T(0));
    CHECK_AT(tanh, sign * tiny, sign * tiny);
    CHECK_AT(tanh, sign * least<T>, sign * least<T>);
    CHECK_AT(tanh, sign * T(30), sign);
    CHECK_AT(tanh, sign * most<T>, sign);
    CHECK_AT(tanh, sign * inf, sign);
    CHECK_AT(erf, sign * T(0), sign * T(0));
    CHECK_AT(erf, sign * T(30), sign);
    CHECK_AT(erf, sign * inf, sign);
    CHECK_AT(sin, sign * T(0), sign * T(0));
    CHECK_AT(sin, sign * tiny, sign * tiny);
    CHECK_AT(sin, sign * inf, nan);
    CHECK_AT(cos, sign * T(0), T(1));
    CHECK_AT(cos, sign * inf, nan);
  }
  CHECK_AT(tanh, nan, nan);
  CHECK_AT(erf, nan, nan);
  CHECK_AT(sin, nan, nan);
  CHECK_AT(cos, nan, nan);
  CHECK_AT(sqrt, T(-0.0), T(-0.0));
  CHECK_AT(sqrt, T(-1), nan);
  CHECK_AT(sqrt, inf, inf);
  CHECK_AT(sqrt, tiny, std::sqrt(tiny));
  CHECK_AT(rsqrt, T(0), inf);
  CHECK_AT(rsqrt, inf, T(0));
  CHECK_AT(rsqrt, T(-1), nan);
}

TEST_CASE("formulas saturate and do not overflow") {
  const auto sigmoid = [](auto x) { return 1 / (1 + math::exp(-x)); };
  CHECK(one(sigmoid, -1000.f) == 0);
  CHECK(one(sigmoid, 1000.f) == 1);
  CHECK(one(sigmoid, 0.f) == 0.5f);
  CHECK(one(sigmoid, -infinity<float>) == 0);
  CHECK(std::isnan(one(sigmoid, nan_of<float>)));
}

TEST_CASE("a block of one calls its scalar's functions") {
  volatile long double hidden = 0.5L;  // or the compiler's own tanh is what it is compared with
  const long double half = hidden;
  const Wide<long double> x = half;
  CHECK(math::exp(x).v == std::exp(half));
  CHECK(math::tanh(x).v == std::tanh(half));
  CHECK(math::pow(x, 3).v == 0.125L);
}
