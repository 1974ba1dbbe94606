// SPDX-License-Identifier: MIT
#include <gradus/ops/arithmetic.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
const std::vector<double> left = {-3, -0.5, 0, 0.1, 2, 1e4}, right = {-2, -0.75, 0.3, 1, 100};
}  // namespace

TEST_CASE("tensor and tensor") {
  expect_op([](auto a, auto b) { return a + b; }, [](Real a, Real b) { return a + b; }, grid(left, right));
  expect_op([](auto a, auto b) { return a - b; }, [](Real a, Real b) { return a - b; }, grid(left, right));
  expect_op([](auto a, auto b) { return a * b; }, [](Real a, Real b) { return a * b; }, grid(left, right));
  expect_op([](auto a, auto b) { return a / b; }, [](Real a, Real b) { return a / b; }, grid(left, right));
  expect_op([](auto a) { return -a; }, [](Real a) { return -a; }, grid(left));
}

TEST_CASE("tensor and number") {
  expect_op([](auto x) { return x + 2.5; }, [](Real x) { return x + 2.5L; }, grid(left));
  expect_op([](auto x) { return 2.5 + x; }, [](Real x) { return 2.5L + x; }, grid(left));
  expect_op([](auto x) { return x - 2; }, [](Real x) { return x - 2; }, grid(left));
  expect_op([](auto x) { return 2 - x; }, [](Real x) { return 2 - x; }, grid(left));
  expect_op([](auto x) { return x * 0.5f; }, [](Real x) { return x / 2; }, grid(left));
  expect_op([](auto x) { return 3 * x; }, [](Real x) { return 3 * x; }, grid(left));
  expect_op([](auto x) { return x / 3; }, [](Real x) { return x / 3; }, grid(left));
  expect_op([](auto x) { return 3 / x; }, [](Real x) { return 3 / x; }, grid(right));
}

TEST_CASE("numbers of other types mean what they say") {
  const Array<float> x = {1, 2};
  CHECK((x - 1u).array() == Array<float>{0, 1});  // −1u is 4294967295
  CHECK((x - std::size_t(1)).array() == Array<float>{0, 1});
  CHECK((1u - x).array() == Array<float>{0, -1});
  CHECK((x * true + 'a').array() == Array<float>{98, 99});
  CHECK((x / 3)(0) == 1.0f / 3);
}

TEST_CASE("whole numbers have arithmetic too") {
  const Array<std::int32_t> a = {7, -3}, b = {2, 5};
  CHECK((a + b).array() == Array<std::int32_t>{9, 2});
  CHECK((a - 1).array() == Array<std::int32_t>{6, -4});
  CHECK((a * b).array() == Array<std::int32_t>{14, -15});
  CHECK((a / b).array() == Array<std::int32_t>{3, 0});
  CHECK((-a).array() == Array<std::int32_t>{-7, 3});
}

TEST_CASE("arrays, parameters and tensors mix") {
  const Array<double> a = {1, 2};
  const Parameter<double> p(Array<double>{3, 4});
  const Tensor<double> t = a;
  CHECK((a + p).array() == Array<double>{4, 6});
  CHECK((p * t).array() == Array<double>{3, 8});
  CHECK((p - p).array() == Array<double>{0, 0});
  CHECK((a / t).array() == Array<double>{1, 1});
}

TEST_CASE("arithmetic: shapes that do not fit are named") {
  const Array<float> a(Shape{2, 3}), b(Shape{4}), c(Shape{3, 1, 5});
  CHECK(words<ShapeError>([&] { a + b; }) ==
        "add: a is [2, 3], b is [4]; sizes must be equal or 1, but axis -1 has 3 and 4");
  CHECK(words<ShapeError>([&] { a - b; }).substr(0, 4) == "sub:");
  CHECK(words<ShapeError>([&] { a* b; }).substr(0, 4) == "mul:");
  CHECK(words<ShapeError>([&] { c / a; }) ==
        "div: a is [3, 1, 5], b is [2, 3]; sizes must be equal or 1, but axis -1 has 5 and 3");
  const Array<float> none(Shape{0}), two(Shape{2});
  CHECK(words<ShapeError>([&] { none + two; }) ==
        "add: a is [0], b is [2]; sizes must be equal or 1, but axis -1 has 0 and 2");
}
