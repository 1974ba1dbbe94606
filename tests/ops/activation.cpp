// SPDX-License-Identifier: MIT
#include <gradus/ops/activation.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

const std::vector<double> values = {-20, -5, -1, -0.5, 0.25, 1, 3, 20};  // not 0, where some have a corner
const std::vector<double> with_zero = {-20, -1, -1e-3, 0, 1e-3, 1, 20};
const Array<double> x = {-20, -3, -0.5, 0, 0.5, 2, 10};
constexpr double infinity = std::numeric_limits<double>::infinity();

/// |a − b| ≤ 16 units in the last place: the literals are rounded, and both sides are right to a few.
void check_near(const Array<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == Index(b.size()));
  for (Index i = 0; i < a.size(); ++i)
    CHECK(std::abs(a(i) - b[std::size_t(i)]) <= 16 * 0x1p-52 * std::abs(b[std::size_t(i)]));
}

}  // namespace

TEST_CASE("sigmoid") {
  expect_op([](auto v) { return sigmoid(v); }, [](Real v) { return 1 / (1 + std::exp(-v)); },
            grid(with_zero));
  // scipy.special.expit, SciPy 1.17.1
  check_near(sigmoid(x).array(), {2.0611536181902037e-09, 0.04742587317756678, 0.3775406687981454, 0.5,
                                  0.6224593312018546, 0.8807970779778823, 0.9999546021312976});
  CHECK(sigmoid(Array<double>{-infinity, infinity, -1e30, 1e30}).array() == Array<double>{0, 1, 0, 1});
}

TEST_CASE("relu") {
  expect_op([](auto v) { return relu(v); }, [](Real v) { return v > 0 ? v : 0; }, grid(values));
  Tape tape;
  const auto v = tape.variable(Array<float>{-1, -0.0f, 0, 1e-30f, infinity, -infinity});
  const auto y = relu(v);
  CHECK(y.array() == Array<float>{0, 0, 0, 1e-30f, float(infinity), 0});
  tape.backward(sum(y));
  CHECK(tape.gradient(v) == Array<float>{0, 0, 0, 1, 1, 0});  // slope 0 at 0
  CHECK(std::isnan(relu(Array<float>{NAN}).item()));
}

TEST_CASE("leaky_relu") {
  expect_op([](auto v) { return leaky_relu(v, 0.25); }, [](Real v) { return v > 0 ? v : v / 4; },
            grid(values));
  CHECK(leaky_relu(Array<float>{-2, 0, 3}, 0.5).array() == Array<float>{-1, 0, 3});
}

TEST_CASE("elu") {
  expect_op([](auto v) { return elu(v); }, [](Real v) { return v > 0 ? v : std::expm1(v); }, grid(values));
  expect_op([](auto v) { return elu(v, 0.5); }, [](Real v) { return v > 0 ? v : std::expm1(v) / 2; },
            grid(values));
}

// x Φ(x) and its kin lose digits where 1 + erf cancels, x far below 0: what is left is right to 1e-15 of 1,
// not of itself
TEST_CASE("gelu") {
  expect_op([](auto v) { return gelu(v); }, [](Real v) { return v / 2 * std::erfc(-v * std::sqrt(0.5L)); },
            grid(with_zero), {.absolute = 64});
  const auto y = gelu(x).array();
  // x · scipy.special.ndtr(x), SciPy 1.17.1
  const double expected[] = {-5.507248237212311e-88,
                             -0.00404969409489028,
                             -0.15426876936299344,
                             0,
                             0.34573123063700656,
                             1.9544997361036416,
                             10};
  for (Index i = 0; i < 7; ++i) CHECK(std::abs(y(i) - expected[i]) <= 16 * 0x1p-52);
}

TEST_CASE("gelu_tanh") {
  const auto reference = [](Real v) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0L)) * (v + 0.044715L * v * v * v)));
  };
  expect_op([](auto v) { return gelu_tanh(v); }, reference, grid(with_zero), {.absolute = 64});
}

TEST_CASE("silu") {
  expect_op([](auto v) { return silu(v); }, [](Real v) { return v / (1 + std::exp(-v)); }, grid(with_zero));
  Tape tape;
  const auto v = tape.variable(Array<double>{-1000, 1000});
  const auto y = silu(v);
  CHECK(y.array() == Array<double>{-0.0, 1000});
  tape.backward(sum(y));
  CHECK(tape.gradient(v) == Array<double>{0, 1});
}

TEST_CASE("softplus") {
  expect_op([](auto v) { return softplus(v); }, [](Real v) { return std::log1p(std::exp(v)); },
            grid(with_zero));
  check_near(
      softplus(x).array(),  // numpy.logaddexp(0, x), NumPy 2.4.6; its first value has 1e-15 of rounding
      {2.061153620314381e-09, 0.04858735157374206, 0.4740769841801067, 0.6931471805599453, 0.9740769841801067,
       2.1269280110429727, 10.000045398899218});
  CHECK(softplus(Array<float>{-1e30f, 1e30f}).array() == Array<float>{0, 1e30f});
}

TEST_CASE("log_sigmoid") {
  expect_op([](auto v) { return log_sigmoid(v); }, [](Real v) { return -std::log1p(std::exp(-v)); },
            grid(with_zero));
  // scipy.special.log_expit, SciPy 1.17.1
  check_near(log_sigmoid(x).array(),
             {-20.000000002061153, -3.048587351573742, -0.9740769841801067, -0.6931471805599453,
              -0.4740769841801067, -0.1269280110429725, -4.539889921686465e-05});
  CHECK(log_sigmoid(Array<float>{-1e30f, 1e30f}).array() == Array<float>{-1e30f, 0});
}

TEST_CASE("activations keep NaN and give finite gradients for every finite number") {
  const auto all = [](const auto& v) {
    return std::vector{sigmoid(v),   relu(v), leaky_relu(v, 0.1), elu(v),        gelu(v),
                       gelu_tanh(v), silu(v), softplus(v),        log_sigmoid(v)};
  };
  for (const auto& y : all(Array<float>{NAN})) CHECK(std::isnan(y.item()));
  for (std::size_t k = 0; k < 9; ++k) {
    Tape tape;
    const auto v = tape.variable(Array<float>{-1e4f, -100, -88, 88, 100, 1e4f});
    tape.backward(sum(all(v)[k]));
    for (const float d : tape.gradient(v).values()) CHECK(std::isfinite(d));
  }
}
