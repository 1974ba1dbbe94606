// SPDX-License-Identifier: MIT
#include <gradus/ops/power.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
const std::vector<double> any = {-5, -1, -0.5, 0.25, 1, 3, 100}, positive = {0.5, 0.75, 1, 3, 100};
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F> Array<double> slope(const F& f, const Array<double>& x) {
  Tape tape;
  const auto v = tape.variable(x);
  tape.backward(sum(f(v)));
  return tape.gradient(v);
}
}  // namespace

TEST_CASE("pow") {
  const auto power = [](Real a, Real b) { return std::pow(a, b); };
  expect_op([](auto a, auto b) { return pow(a, b); }, power, grid({0.5, 0.75, 1, 3}, {-2, -0.5, 0.25, 1, 3}));
  expect_op([](auto x) { return pow(x, 2.5); }, [](Real x) { return std::pow(x, 2.5L); }, grid(positive));
  expect_op([](auto x) { return pow(x, 3); }, [](Real x) { return x * x * x; }, grid(any));
  expect_op([](auto x) { return pow(x, -1); }, [](Real x) { return 1 / x; }, grid(any));
  expect_op([](auto x) { return pow(x, 0); }, [](Real) { return 1; }, grid(any));
}

TEST_CASE("pow at 0 and below") {
  const auto to_the = [](double p) { return [p](const auto& x) { return pow(x, p); }; };
  CHECK(slope(to_the(0), {0, -1}) == Array<double>{0, 0});  // x⁰ = 1
  CHECK(slope(to_the(1), {0, -1}) == Array<double>{1, 1});
  CHECK(slope(to_the(2), {0, -1}) == Array<double>{0, -2});
  CHECK(slope(to_the(0.5), {0})(0) == infinity);
  Tape tape;
  const auto a = tape.variable(Array<double>{0, 0, 2}), b = tape.variable(Array<double>{0, 2, 3});
  const auto y = pow(a, b);
  CHECK(y.array() == Array<double>{1, 0, 8});
  tape.backward(sum(y));
  CHECK(tape.gradient(a) == Array<double>{0, 0, 12});
  CHECK(tape.gradient(b)(0) == 0);  // 0ᵇ is constant for b > 0: no ln 0
  CHECK(tape.gradient(b)(1) == 0);
  CHECK(tape.gradient(b)(2) == Approx(8 * std::log(2.0)).epsilon(1e-15));  // a few roundings
}

TEST_CASE("square") {
  expect_op([](auto x) { return square(x); }, [](Real x) { return x * x; }, grid(any));
}
TEST_CASE("sqrt") {
  expect_op([](auto x) { return sqrt(x); }, [](Real x) { return std::sqrt(x); }, grid(positive));
  CHECK(sqrt(Array<double>{0, 4, infinity}).array() == Array<double>{0, 2, infinity});
  CHECK(slope([](const auto& x) { return sqrt(x); }, {0})(0) == infinity);
}
TEST_CASE("rsqrt") {
  expect_op([](auto x) { return rsqrt(x); }, [](Real x) { return 1 / std::sqrt(x); }, grid(positive));
}
TEST_CASE("reciprocal") {
  expect_op([](auto x) { return reciprocal(x); }, [](Real x) { return 1 / x; }, grid(any));
}
TEST_CASE("abs") {
  expect_op([](auto x) { return abs(x); }, [](Real x) { return x < 0 ? -x : x; }, grid(any));
  CHECK(slope([](const auto& x) { return abs(x); }, {0, -0.0}) == Array<double>{0, 0});
}
TEST_CASE("sign") {
  expect_op([](auto x) { return sign(x); }, [](Real x) { return x < 0 ? -1 : 1; }, grid(any));
  CHECK(sign(Array<double>{-0.0, 0, -infinity}).array() == Array<double>{0, 0, -1});
  CHECK(std::isnan(sign(Array<double>{NAN}).item()));
}
