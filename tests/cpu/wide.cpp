// SPDX-License-Identifier: MIT
// Wide<T> against the same operation on each number, and the vocabulary of math:: on every kind of number.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include <gradus/cpu/wide.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using cpu::Wide;

namespace {

/// The least a scalar type of a user's can be: operators, comparisons and the functions its formulas use.
struct Celsius {
  double t;
  explicit Celsius(int n = 0) : t(n) {}
  friend Celsius operator+(Celsius a, Celsius b) { return make(a.t + b.t); }
  friend Celsius operator-(Celsius a, Celsius b) { return make(a.t - b.t); }
  friend Celsius operator*(Celsius a, Celsius b) { return make(a.t * b.t); }
  friend Celsius operator/(int a, Celsius b) { return make(a / b.t); }
  friend bool operator<(Celsius a, Celsius b) { return a.t < b.t; }
  friend bool operator>(Celsius a, Celsius b) { return a.t > b.t; }
  friend bool operator==(Celsius a, Celsius b) { return a.t == b.t; }
  friend bool operator!=(Celsius a, Celsius b) { return a.t != b.t; }
  friend Celsius exp(Celsius a) { return make(std::exp(a.t)); }
  friend Celsius sqrt(Celsius a) { return make(std::sqrt(a.t)); }
  static Celsius make(double t) {
    Celsius c;
    c.t = t;
    return c;
  }
};

struct Softened {  // written before anyone knows what X will be
  template <class X> static X value(X x) {
    return math::select((x > 0) & !(x > 3), 1 / (1 + math::sqrt(x) * 0.5), 0);
  }
};

template <class T> constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();
template <class T> constexpr T infinity = std::numeric_limits<T>::infinity();

/// Equal, or both NaN.
template <class T> bool same(T a, T b) { return a == b || (a != a && b != b); }

template <class T> struct Numbers {
  static constexpr Index n = Wide<T>::size;
  T a[n], b[n], c[n];
  Numbers() {
    for (Index i = 0; i < n; ++i) {
      a[i] = static_cast<T>(static_cast<double>(i * 7 % 16) * 0.75 - 5);
      b[i] = static_cast<T>(static_cast<double>(i * 5 % 16) * 0.5 - 3.25);
      c[i] = i % 3 == 0 ? a[i] : static_cast<T>(static_cast<double>(i) / 3 + 0.1);
    }
  }
  template <class Block, class Scalar> void check(Block block, Scalar scalar) const {
    const auto x = Wide<T>::load(a), y = Wide<T>::load(b), z = Wide<T>::load(c);
    const Wide<T> r = block(x, y, z);
    for (Index i = 0; i < n; ++i) {
      INFO("lane " << i << ": " << a[i] << ", " << b[i] << ", " << c[i]);
      CHECK(same(r[i], static_cast<T>(scalar(a[i], b[i], c[i]))));
    }
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a block computes as its numbers do", "", float, double, long double) {
  using T = TestType;
  const Numbers<T> numbers;
  numbers.check([](auto a, auto b, auto) { return a + b; }, [](T a, T b, T) { return a + b; });
  numbers.check([](auto a, auto b, auto) { return a - b; }, [](T a, T b, T) { return a - b; });
  numbers.check([](auto a, auto b, auto) { return a * b; }, [](T a, T b, T) { return a * b; });
  numbers.check([](auto a, auto b, auto) { return a / b; }, [](T a, T b, T) { return a / b; });
  numbers.check([](auto a, auto, auto) { return -a; }, [](T a, T, T) { return -a; });
  numbers.check(
      [](auto a, auto b, auto c) {
        a += b;
        a -= c;
        a *= b;
        return a /= c;
      },
      [](T a, T b, T c) {
        a += b;
        a -= c;
        a *= b;
        return a /= c;
      });
  numbers.check([](auto a, auto b, auto c) { return math::fma(a, b, c); },
                [](T a, T b, T c) { return math::fma(a, b, c); });
  numbers.check([](auto a, auto b, auto) { return math::max(a, b); },
                [](T a, T b, T) { return std::max(a, b); });
  numbers.check([](auto a, auto b, auto) { return math::min(a, b); },
                [](T a, T b, T) { return std::min(a, b); });
  numbers.check([](auto a, auto, auto) { return math::abs(a); }, [](T a, T, T) { return std::abs(a); });
  numbers.check([](auto a, auto, auto) { return math::floor(a); }, [](T a, T, T) { return std::floor(a); });
  numbers.check([](auto a, auto, auto) { return math::sqrt(a); }, [](T a, T, T) { return std::sqrt(a); });
  numbers.check([](auto a, auto, auto) { return math::sign(a); },
                [](T a, T, T) { return T((a > 0) - (a < 0)); });
  numbers.check([](auto a, auto, auto c) { return math::rsqrt(a) * c; },
                [](T a, T, T c) { return 1 / std::sqrt(a) * c; });
}

TEMPLATE_TEST_CASE("conditions choose lane by lane", "", float, double, long double) {
  using T = TestType;
  const Numbers<T> numbers;
  numbers.check([](auto a, auto b, auto c) { return math::select(a < b, a, c); },
                [](T a, T b, T c) { return a < b ? a : c; });
  numbers.check([](auto a, auto b, auto) { return math::select(a <= b, 1, 0); },
                [](T a, T b, T) { return a <= b ? 1 : 0; });
  numbers.check([](auto a, auto b, auto) { return math::select(a > b, a, 0.5); },
                [](T a, T b, T) { return a > b ? a : T(0.5); });
  numbers.check([](auto a, auto b, auto) { return math::select(a >= b, 2, b); },
                [](T a, T b, T) { return a >= b ? T(2) : b; });
  numbers.check([](auto a, auto, auto c) { return math::select(a == c, 1, 2); },
                [](T a, T, T c) { return a == c ? 1 : 2; });
  numbers.check([](auto a, auto, auto c) { return math::select(a != c, 1, 2); },
                [](T a, T, T c) { return a != c ? 1 : 2; });
  numbers.check([](auto a, auto b, auto) { return math::select((a > 0) & (b > 0), 1, 0); },
                [](T a, T b, T) { return a > 0 && b > 0 ? 1 : 0; });
  numbers.check([](auto a, auto b, auto) { return math::select((a > 0) | !(b > 0), 1, 0); },
                [](T a, T b, T) { return a > 0 || !(b > 0) ? 1 : 0; });
  numbers.check(
      [](auto a, auto, auto) { return math::select(a < 0, math::sqrt(a), a); },  // the NaN arm does no harm
      [](T a, T, T) { return a < 0 ? nan_of<T> : a; });
  numbers.check([](auto a, auto, auto) { return math::select(math::is_finite(a / 0), 1, 0); },
                [](T, T, T) { return 0; });

  CHECK((Wide<T>(1) < 2).any());
  CHECK_FALSE((Wide<T>(2) < 2).any());
  T one_large[Wide<T>::size] = {};
  one_large[Wide<T>::size - 1] = 9;
  CHECK((Wide<T>::load(one_large) > 8).any());
  CHECK_FALSE((Wide<T>::load(one_large) > 9).any());
}

TEMPLATE_TEST_CASE("max and min keep NaN", "", float, double, long double) {
  using T = TestType;
  const T n = nan_of<T>;
  for (const auto& [a, b] : {std::pair{n, T(1)}, {T(1), n}, {n, n}, {n, infinity<T>}, {-infinity<T>, n}}) {
    CHECK(std::isnan(math::max(a, b)));
    CHECK(std::isnan(math::min(a, b)));
    CHECK(std::isnan(Wide<T>(math::max(Wide<T>(a), Wide<T>(b)))[0]));
    CHECK(std::isnan(Wide<T>(math::min(Wide<T>(a), b))[0]));
  }
  CHECK(Wide<T>(math::max(Wide<T>(-infinity<T>), 3))[0] == 3);
  CHECK(Wide<T>(math::min(Wide<T>(infinity<T>), 3))[0] == 3);

  T numbers[Wide<T>::size];
  for (Index k = 0; k < Wide<T>::size; ++k) {
    std::fill(numbers, numbers + Wide<T>::size, T(2));
    numbers[k] = n;
    CHECK(std::isnan(Wide<T>::load(numbers).max()));
    CHECK(std::isnan(Wide<T>::load(numbers).min()));
    numbers[k] = 5;
    CHECK(Wide<T>::load(numbers).max() == 5);
    numbers[k] = -5;
    CHECK(Wide<T>::load(numbers).min() == -5);
  }
}

TEMPLATE_TEST_CASE("part of a block is loaded and stored, and nothing beside it", "", float, double,
                   long double) {
  using T = TestType;
  constexpr Index size = Wide<T>::size;
  for (Index n = 0; n <= size; ++n) {
    INFO(n << " of " << size);
    // exactly n numbers on the heap: the address sanitizer sees a read beyond them
    const auto from = std::make_unique<T[]>(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) from[static_cast<std::size_t>(i)] = static_cast<T>(i + 1);
    const auto x = Wide<T>::load_partial(from.get(), n);
    for (Index i = 0; i < size; ++i) CHECK(x[i] == (i < n ? static_cast<T>(i + 1) : T(0)));

    const auto exact = std::make_unique<T[]>(static_cast<std::size_t>(n));
    x.store_partial(exact.get(), n);
    T beside[size];
    std::fill(beside, beside + size, T(-1));
    (x + 1).store_partial(beside, n);
    for (Index i = 0; i < size; ++i) CHECK(beside[i] == (i < n ? static_cast<T>(i + 2) : T(-1)));
    for (Index i = 0; i < n; ++i) CHECK(exact[static_cast<std::size_t>(i)] == static_cast<T>(i + 1));
  }
  T row[size + 1];  // nothing needs to be aligned
  Wide<T>(4).store(row + 1);
  CHECK(Wide<T>::load(row + 1).max() == 4);
}

TEMPLATE_TEST_CASE("the sum is a tree, the same in every build", "", float, double) {
  using T = TestType;
  T x[Wide<T>::size], tree[Wide<T>::size];
  for (Index i = 0; i < Wide<T>::size; ++i) tree[i] = x[i] = T(1) / static_cast<T>(3 + 7 * i);
  for (Index half = Wide<T>::size / 2; half > 0; half /= 2)
    for (Index i = 0; i < half; ++i) tree[i] = tree[i] + tree[i + half];
  CHECK(Wide<T>::load(x).sum() == tree[0]);
}

TEST_CASE("a literal takes the type of the block") {
  const Wide<float> x = 3;
  STATIC_REQUIRE(std::is_same_v<decltype(x * 0.1), Wide<float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(1 / (1 + x)), Wide<float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(math::max(x, 0)), Wide<float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(math::fma(x, 0.5, 1)), Wide<float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(math::select(x > 0, 1, 0)), Wide<float>>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<Wide<float>>);
  STATIC_REQUIRE(sizeof(Wide<float>) == 64);
  STATIC_REQUIRE(sizeof(Wide<double>) == 64);
  CHECK((x * 0.1)[0] == 3 * 0.1f);
  CHECK((x + Index(2))[15] == 5);
}

TEST_CASE("the vocabulary for plain numbers") {
  CHECK(math::exp(1.f) == std::exp(1.f));
  STATIC_REQUIRE(std::is_same_v<decltype(math::exp(1.f)), float>);
  STATIC_REQUIRE(std::is_same_v<decltype(math::max(1.f, 0)), float>);
  STATIC_REQUIRE(std::is_same_v<decltype(math::max(2, 3)), int>);
  CHECK(math::max(1.f, 2) == 2);
  CHECK(math::min(3, 2) == 2);
  CHECK(math::abs(-3) == 3);
  CHECK(math::abs(-3.5) == 3.5);
  CHECK(math::sign(-0.25) == -1);
  CHECK(math::sign(0.f) == 0);
  CHECK(math::sign(7) == 1);
  CHECK(std::isnan(math::sign(nan_of<double>)));
  CHECK(math::rsqrt(0.25) == 2);
  CHECK(math::pow(2.0, 10) == 1024);
  CHECK(math::fma(2.0, 3.0, 1) == 7);
  CHECK(math::select(true, 1, 0.5) == 1);
  CHECK(math::is_finite(1.0));
  CHECK_FALSE(math::is_finite(infinity<float>));
  CHECK_FALSE(math::is_finite(nan_of<double>));
  CHECK(Softened::value(4.0) == 0);
  CHECK(Softened::value(1.0) == Approx(2.0 / 3));
  CHECK(Softened::value(Wide<double>(1.0))[3] == Approx(2.0 / 3));
}

TEST_CASE("a user's scalar brings its functions, and lacks none that follow from its operators") {
  const Celsius x = Celsius::make(4), y = Celsius::make(9);
  CHECK(math::exp(x).t == std::exp(4.0));
  CHECK(math::rsqrt(x).t == 0.5);
  CHECK(math::max(x, y).t == 9);
  CHECK(math::min(x, y).t == 4);
  CHECK(math::fma(x, y, x).t == 40);
  CHECK(math::sign(x).t == 1);
  CHECK(math::select(x < y, x, y).t == 4);
  CHECK(math::is_finite(x));
  CHECK(std::isnan(math::max(Celsius::make(nan_of<double>), x).t));

  using W = Wide<Celsius>;
  STATIC_REQUIRE(W::size == 1);
  const W wide = W(x) * W(y) + 1;
  CHECK(wide.sum().t == 37);
  CHECK(math::exp(W(x)).v.t == std::exp(4.0));
  CHECK(math::select(W(x) < W(y), W(x), W(y)).v.t == 4);
  CHECK(math::max(W(x), 5).v.t == 5);
}

TEST_CASE("integers are blocks of one") {
  Wide<short> x = 300;
  x += 7;
  CHECK((x * 2).sum() == 614);
  CHECK(math::max(Wide<int>(3), 5).v == 5);
  CHECK((Wide<long>(7) / 2).v == 3);
}
