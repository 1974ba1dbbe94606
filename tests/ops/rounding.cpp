// SPDX-License-Identifier: MIT
#include <gradus/ops/rounding.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
// no two sides of a jump within the steps of the differences
const std::vector<double> values = {-1000000.25, -2.75, -1.25, -0.375, 0.25, 0.625, 3.0625, 2097150.75};
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The same numbers, and the same signs of zeros.
template <class T> void check_same(const Array<T>& a, const Array<T>& b) {
  CHECK(a == b);
  for (Index i = 0; i < a.size(); ++i) CHECK(std::signbit(a(i)) == std::signbit(b(i)));
}
}  // namespace

TEST_CASE("floor") {
  expect_op([](auto x) { return floor(x); }, [](Real x) { return std::floor(x); }, grid(values));
  check_same(floor(Array<double>{-1.5, -1, -0.0, 0, 0.5, 2, 0x1p53 + 2, -infinity, infinity}).array(),
             {-2, -1, -0.0, 0, 0, 2, 0x1p53 + 2, -infinity, infinity});
}

TEST_CASE("ceil") {
  expect_op([](auto x) { return ceil(x); }, [](Real x) { return std::ceil(x); }, grid(values));
  check_same(ceil(Array<double>{-1.5, -0.5, -0.0, 0, 0.5, 2, -0x1p53 - 2, -infinity, infinity}).array(),
             {-1, -0.0, -0.0, 0, 1, 2, -0x1p53 - 2, -infinity, infinity});
}

TEST_CASE("round: to the even one of two") {
  expect_op([](auto x) { return round(x); }, [](Real x) { return std::nearbyint(x); }, grid(values));
  check_same(
      round(Array<double>{-3.5, -2.5, -1.5, -0.5, -0.25, -0.0, 0, 0.5, 1.5, 2.5, 1e300, -infinity, infinity})
          .array(),
      {-4, -2, -2, -0.0, -0.0, -0.0, 0, 0, 2, 2, 1e300, -infinity, infinity});
  // the largest number below ½, and odd numbers so large that a half more is not there: x + ½ would round up
  check_same(round(Array<float>{0.49999997f, -0.49999997f, 8388609, 4194303.5f, 16777215}).array(),
             {0, -0.0f, 8388609, 4194304, 16777215});
}

TEST_CASE("rounding keeps NaN, and has slope 0 everywhere") {
  const auto all = [](const auto& v) { return std::vector{floor(v), ceil(v), round(v)}; };
  for (const auto& y : all(Array<float>{NAN})) CHECK(std::isnan(y.item()));
  for (std::size_t k = 0; k < 3; ++k) {
    Tape tape;
    const auto x = tape.variable(Array<float>{-1, -0.5, 0, 0.5, 7});
    tape.backward(sum(all(x)[k]));
    CHECK(tape.gradient(x) == Array<float>(Shape{5}));
  }
}
