// SPDX-License-Identifier: MIT
#include <gradus/ops/compare.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
const std::vector<double> left = {-3, -0.5, 0.1, 2, 50}, right = {-2, 0.3, 1, 100};  // no two are equal
const double not_a_number = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("maximum and minimum") {
  expect_op([](auto a, auto b) { return maximum(a, b); }, [](Real a, Real b) { return a > b ? a : b; },
            grid(left, right));
  expect_op([](auto a, auto b) { return minimum(a, b); }, [](Real a, Real b) { return a < b ? a : b; },
            grid(left, right));
}

TEST_CASE("maximum and minimum: equal operands share the gradient, NaN stays") {
  for (const bool larger : {true, false}) {
    Tape tape;
    const auto a = tape.variable(Array<float>{1, 2, 3}), b = tape.variable(Array<float>{1, 5, -5});
    const auto y = larger ? maximum(a, b) : minimum(a, b);
    CHECK(y.array() == (larger ? Array<float>{1, 5, 3} : Array<float>{1, 2, -5}));
    tape.backward(sum(y));
    CHECK(tape.gradient(a) == (larger ? Array<float>{0.5, 0, 1} : Array<float>{0.5, 1, 0}));
    CHECK(tape.gradient(b) == (larger ? Array<float>{0.5, 1, 0} : Array<float>{0.5, 0, 1}));
  }
  const Array<double> a = {not_a_number, 1, not_a_number}, b = {1, not_a_number, not_a_number};
  for (const double y : maximum(a, b).array().values()) CHECK(std::isnan(y));
  for (const double y : minimum(a, b).array().values()) CHECK(std::isnan(y));
}

TEST_CASE("clamp") {
  const auto reference = [](Real x) { return x < -1 ? -1 : x > 2.5L ? 2.5L : x; };
  expect_op([](auto x) { return clamp(x, -1, 2.5); }, reference, grid({-10, -1.5, -0.5, 0, 2, 3, 1e6}));
  Tape tape;
  const auto x = tape.variable(Array<float>{-1, 0, 1, 2, -2});
  const auto y = clamp(x, -1, 1);
  CHECK(y.array() == Array<float>{-1, 0, 1, 1, -1});
  tape.backward(sum(y));
  CHECK(tape.gradient(x) == Array<float>{1, 1, 1, 0, 0});  // the ends belong to it
  CHECK(std::isnan(clamp(Array<double>{not_a_number}, 0, 1).item()));
  CHECK(words<ValueError>([&] { clamp(x, 2, 1); }) ==
        "clamp: low is 2, high is 1; low must not be above high");
  CHECK(words<ValueError>([&] { clamp(x, not_a_number, 1); }) ==
        "clamp: low is nan, high is 1; low must not be above high");
}

TEST_CASE("comparisons") {
  const Array<double> a = {1, 2, 3, not_a_number}, b = {2, 2, 2, 2};
  CHECK(less(a, b).array() == Array<bool>{true, false, false, false});
  CHECK(less_equal(a, b).array() == Array<bool>{true, true, false, false});
  CHECK(greater(a, b).array() == Array<bool>{false, false, true, false});
  CHECK(greater_equal(a, b).array() == Array<bool>{false, true, true, false});
  CHECK(equal(a, b).array() == Array<bool>{false, true, false, false});
  CHECK(not_equal(a, b).array() == Array<bool>{true, false, true, true});
  CHECK(greater(Array<float>{{1}, {3}}, Array<float>{0, 2, 4}).array() ==
        Array<bool>{{true, false, false}, {true, true, false}});
  CHECK(less(Array<std::int32_t>{1, 2}, Array<std::int32_t>{2, 2}).array() == Array<bool>{true, false});
  CHECK(less(Array<float>(Shape{0}), Array<float>(Shape{0})).shape() == Shape{0});
  CHECK(words<ShapeError>([&] { less(a, Array<double>(Shape{3})); }) ==
        "<: a is [4], b is [3]; sizes must be equal or 1, but axis -1 has 4 and 3");
}

TEST_CASE("comparisons have no gradient") {
  Tape tape;
  const auto x = tape.variable(Array<float>{1, 2});
  CHECK_FALSE(greater(x, Array<float>{0, 3}).wants_gradient());
}

TEST_CASE("where") {
  for (const auto& [mask, a, b] : {std::tuple{Shape{7}, Shape{7}, Shape{7}},
                                   {{33}, {}, {33}},
                                   {{3, 1}, {5}, {3, 5}},
                                   {{2, 3}, {1, 1, 3}, {}},
                                   {{}, {7}, {7}},
                                   {{0}, {1}, {0}},
                                   {{1}, {1}, {1}}}) {
    const auto draws = numbers(mask, -1, 1, 5);
    const auto m = greater(draws, full<double>({}, 0)).array();
    const auto reference = [&](const Array<double>& x, const Array<double>& y) {
      return elementwise({draws, x, y}, [](const Real* e) { return e[0] > 0 ? e[1] : e[2]; });
    };
    expect_op([&](auto x, auto y) { return where(m.to(x.device()), x, y); }, reference,
              {{numbers(a), numbers(b, 2, 3)}});
  }
  const Array<bool> m = {true, false};
  CHECK(where(m, Array<double>{1, not_a_number}, Array<double>{not_a_number, 2}).array() ==
        Array<double>{1, 2});
  CHECK(where(m, Array<std::int32_t>{1, 2}, Array<std::int32_t>{3, 4}).array() == Array<std::int32_t>{1, 4});
  CHECK(words<ShapeError>([&] { where(m, Array<float>(Shape{3}), Array<float>(Shape{1})); }) ==
        "where: a is [2], b is [3]; sizes must be equal or 1, but axis -1 has 2 and 3");
}

TEST_CASE("where keeps a gradient out of the branch not taken") {
  Tape tape;
  const auto x = tape.variable(Array<double>{-1, 4});
  const auto y = where(greater(x, full<double>({}, 0)), x * 3.0, full<double>({}, 0));
  tape.backward(sum(y * Array<double>{not_a_number, 1}));  // its NaN multiplies 0 · dy, and is not taken
  CHECK(tape.gradient(x)(1) == 3);
}
