// SPDX-License-Identifier: MIT
#include <gradus/ops/rectifier.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

const std::vector<double> values = {-100, -5, -1, -0.25, 0.5, 1, 3, 20};  // not 0, where some have a corner
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F> Array<double> slope(const F& f, const Array<double>& at) {
  Tape tape;
  const auto x = tape.variable(at);
  tape.backward(sum(f(x)));
  return tape.gradient(x);
}

}  // namespace

TEST_CASE("prelu") {
  expect_op([](auto x, auto a) { return prelu(x, a); }, [](Real x, Real a) { return x > 0 ? x : a * x; },
            grid(values, {-0.5, 0.25, 1.5}));
  Tape tape;
  const auto x = tape.variable(Array<double>{{-2, 0}, {3, -4}}), a = tape.variable(Array<double>{0.5, 0.25});
  const auto y = prelu(x, a);
  CHECK(y.array() == Array<double>{{-1, 0}, {3, -1}});
  tape.backward(sum(y));
  CHECK(tape.gradient(x) == Array<double>{{0.5, 0.25}, {1, 0.25}});  // that of below at 0
  CHECK(tape.gradient(a) == Array<double>{-2, -4});
  CHECK(prelu(Array<float>{-infinity, infinity}, Array<float>{0.5}).array() ==
        Array<float>{-infinity, infinity});
  CHECK(std::isnan(prelu(Array<float>{NAN}, Array<float>{0.5}).item()));
}

TEST_CASE("celu") {
  for (const double alpha : {1.0, 0.5, 4.0})
    expect_op([=](auto x) { return celu(x, alpha); },
              [=](Real x) { return x > 0 ? x : alpha * std::expm1(x / alpha); }, grid(values));
  const auto f = [](const auto& x) { return celu(x, 0.5); };
  CHECK(f(Array<double>{-infinity, -1e300, 0, infinity}).array() == Array<double>{-0.5, -0.5, 0, infinity});
  CHECK(slope(f, {-infinity, -1000, 0, 1000}) == Array<double>{0, 0, 1, 1});
  CHECK(std::isnan(celu(Array<float>{NAN}).item()));
  CHECK(words<ValueError>([] { celu(Array<float>{1}, 0); }) == "celu: alpha is 0; it must be positive");
  CHECK(words<ValueError>([] { celu(Array<float>{1}, -2); }) == "celu: alpha is -2; it must be positive");
}

TEST_CASE("selu") {
  // both numbers to 20 digits: https://arxiv.org/abs/1706.02515
  constexpr Real alpha = 1.67326324235437728482L, gamma = 1.05070098735548049342L;
  expect_op([](auto x) { return selu(x); },
            [](Real x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); }, grid(values));
  const auto f = [](const auto& x) { return selu(x); };
  CHECK(f(Array<double>{0, infinity}).array() == Array<double>{0, infinity});
  CHECK(f(Array<double>{-infinity}).item() == Approx(double(-alpha * gamma)).epsilon(1e-15));
  const auto slopes = slope(f, {-1000, 0, 1000});
  CHECK(slopes(0) == 0);
  CHECK(slopes(1) == Approx(double(alpha * gamma)).epsilon(1e-15));  // that of below
  CHECK(slopes(2) == Approx(double(gamma)).epsilon(1e-15));
  CHECK(std::isnan(selu(Array<float>{NAN}).item()));
}
