// SPDX-License-Identifier: MIT
#include <gradus/ops/exponential.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
const std::vector<double> any = {-5, -1, -0.5, -1e-3, 0, 1e-3, 0.25, 1, 3};
const std::vector<double> positive = {0.25, 0.5, 0.999, 1, 1.001, 3, 20, 1e6};
constexpr double infinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("exp") {
  expect_op([](auto x) { return exp(x); }, [](Real x) { return std::exp(x); }, grid(any));
  CHECK(exp(Array<double>{-infinity, -1e4, 0, 1e4}).array() == Array<double>{0, 0, 1, infinity});
}
TEST_CASE("expm1") {
  expect_op([](auto x) { return expm1(x); }, [](Real x) { return std::expm1(x); }, grid(any));
}
TEST_CASE("log") {
  expect_op([](auto x) { return log(x); }, [](Real x) { return std::log(x); }, grid(positive));
  CHECK(log(Array<double>{0, 1, infinity}).array() == Array<double>{-infinity, 0, infinity});
  CHECK(std::isnan(log(Array<double>{-1}).item()));
}
TEST_CASE("log1p") {
  expect_op([](auto x) { return log1p(x); }, [](Real x) { return std::log1p(x); },
            grid({-0.5, -1e-3, 0, 1e-3, 1, 20}));
  CHECK(log1p(Array<double>{-1}).item() == -infinity);
}
TEST_CASE("sin") {
  expect_op([](auto x) { return sin(x); }, [](Real x) { return std::sin(x); }, grid(any));
}
TEST_CASE("cos") {
  expect_op([](auto x) { return cos(x); }, [](Real x) { return std::cos(x); }, grid(any));
}
TEST_CASE("tanh") {
  expect_op([](auto x) { return tanh(x); }, [](Real x) { return std::tanh(x); }, grid(any));
  CHECK(tanh(Array<float>{-1e30f, 1e30f}).array() == Array<float>{-1, 1});
}
TEST_CASE("erf") {
  expect_op([](auto x) { return erf(x); }, [](Real x) { return std::erf(x); }, grid(any));
  // scipy.special.erf, SciPy 1.17.1
  CHECK(std::abs(erf(Array<double>{0.5}).item() - 0.5204998778130465) <= 2 * 0x1p-53);
}

TEST_CASE("exponential functions keep NaN") {
  const Array<double> x = {NAN};
  for (const auto& y : {exp(x), expm1(x), log(x), log1p(x), sin(x), cos(x), tanh(x), erf(x)})
    CHECK(std::isnan(y.item()));
}
