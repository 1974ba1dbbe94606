// SPDX-License-Identifier: MIT
#include <gradus/ops/saturating.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("softsign") {
  expect_op([](auto x) { return softsign(x); }, [](Real x) { return x / (1 + std::abs(x)); },
            grid({-1e6, -20, -1, -0.25, 0.125, 0.5, 3, 1e8}));
  Tape tape;
  const auto x = tape.variable(Array<float>{0, 1e30f, -1e30f, 3e38f});
  const auto y = softsign(x);
  CHECK(y.array() == Array<float>{0, 1, -1, 1});
  tape.backward(sum(y));
  CHECK(tape.gradient(x) == Array<float>{1, 0, 0, 0});  // both sides of 0 have slope 1
  CHECK(std::isnan(softsign(Array<float>{NAN}).item()));
  CHECK(std::isnan(softsign(Array<float>{infinity}).item()));
}

TEST_CASE("hard_sigmoid") {
  const auto reference = [](Real a, Real b) {
    return [=](Real x) { return std::clamp(a * x + b, Real(0), Real(1)); };
  };
  const auto samples = grid({-1e6, -3.5, -2.25, -1, 0, 0.5, 2, 2.875, 4, 1e8});
  // a sum that cancels near −3: right to the roundings of its terms, which are about ½
  expect_op([](auto x) { return hard_sigmoid(x); }, reference(Real(1) / 6, 0.5L), samples, {.absolute = 4});
  expect_op([](auto x) { return hard_sigmoid(x, 0.25, 0.625); }, reference(0.25L, 0.625L), samples);
  Tape tape;
  const auto x = tape.variable(Array<float>{-infinity, -3, 0, 3, infinity});
  const auto y = hard_sigmoid(x);
  CHECK(y.array() == Array<float>{0, 0, 0.5, 1, 1});
  tape.backward(sum(y));
  CHECK(tape.gradient(x) == Array<float>{0, 0, 1.0f / 6, 0, 0});  // 0 at the corners
  CHECK(std::isnan(hard_sigmoid(Array<float>{NAN}).item()));
}
