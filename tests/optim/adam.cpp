// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Adam;
using optim::AdamW;
using optim::AmsGrad;

namespace {

/// The paper's moments, corrected for their beginning at 0: {m̂, v̂}.
std::pair<Real, Real> corrected(Real g, Real* s, int t, Real b1, Real b2) {
  s[0] = b1 * s[0] + (1 - b1) * g;
  s[1] = b2 * s[1] + (1 - b2) * g * g;
  return {s[0] / (1 - std::pow(b1, Real(t))), s[1] / (1 - std::pow(b2, Real(t)))};
}

}  // namespace

TEST_CASE("adam with PyTorch's ε: w ← w − η m̂ / (√v̂ + ε)") {
  expect_rule(Adam{.learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .epsilon_hat = false},
              [](Real& w, Real g, Real* s, int t) {
                const auto [m, v] = corrected(g, s, t, Real(0.8), Real(0.95));
                w -= 0.01 * m / (std::sqrt(v) + 1e-3);
              });
}

TEST_CASE("adam with Keras' ε, and its defaults: w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) m / (√v + ε)") {
  const auto formula = [](double eta, double epsilon) {
    return [=](Real& w, Real g, Real* s, int t) {
      corrected(g, s, t, Real(0.9), Real(0.999));
      const Real a = eta * std::sqrt(1 - std::pow(Real(0.999), Real(t))) / (1 - std::pow(Real(0.9), Real(t)));
      w -= a * s[0] / (std::sqrt(s[1]) + epsilon);
    };
  };
  expect_rule(Adam{}, formula(1e-3, 1e-7));
  expect_rule(Adam{.learning_rate = 0.05, .epsilon = 1e-2}, formula(0.05, 1e-2));
}

TEST_CASE("adamw also shrinks w by η λ") {
  expect_rule(AdamW{.learning_rate = 0.01, .epsilon = 1e-8, .weight_decay = 0.1, .epsilon_hat = false},
              [](Real& w, Real g, Real* s, int t) {
                const auto [m, v] = corrected(g, s, t, Real(0.9), Real(0.999));
                w -= 0.01 * Real(0.1) * w;
                w -= 0.01 * m / (std::sqrt(v) + 1e-8);
              });
}

TEST_CASE("amsgrad divides by the largest v so far: Keras' ε̂, PyTorch's ε and weight decay") {
  expect_rule(AmsGrad{.learning_rate = 0.01, .beta2 = 0.8, .epsilon = 1e-3}, [](Real& w, Real g, Real* s,
                                                                                int t) {
    corrected(g, s, t, Real(0.9), Real(0.8));
    s[2] = std::max(s[2], s[1]);
    const Real a = 0.01 * std::sqrt(1 - std::pow(Real(0.8), Real(t))) / (1 - std::pow(Real(0.9), Real(t)));
    w -= a * s[0] / (std::sqrt(s[2]) + 1e-3);
  });
  expect_rule(
      AmsGrad{
          .learning_rate = 0.01, .beta2 = 0.8, .epsilon = 1e-3, .weight_decay = 0.1, .epsilon_hat = false},
      [](Real& w, Real g, Real* s, int t) {
        const Real m = corrected(g, s, t, Real(0.9), Real(0.8)).first;
        s[2] = std::max(s[2], s[1]);
        w -= 0.01 * Real(0.1) * w;
        w -= 0.01 * m / (std::sqrt(s[2] / (1 - std::pow(Real(0.8), Real(t)))) + 1e-3);
      });
}

TEST_CASE("float32_betas: the correction's β alone are rounded, and only for doubles") {
  optim::Powers powers;
  const auto exact = Adam{}.numbers<double>(1, powers),
             rounded = Adam{.float32_betas = true}.numbers<double>(1, powers);
  CHECK(exact[0] == Approx(1e-3 / 0.1 * std::sqrt(0.001)).epsilon(1e-12));
  CHECK(rounded[0] == Approx(1e-3 / (1 - double(0.9f)) * std::sqrt(1 - double(0.999f))).epsilon(1e-12));
  CHECK(rounded[3] == 0.9);
  CHECK(rounded[4] == 0.999);
  CHECK(Adam{}.numbers<float>(9, powers) == Adam{.float32_betas = true}.numbers<float>(9, powers));
}

TEST_CASE("the first step is η in the direction of −g, whatever the size of g") {
  const auto w = run_rule<double>(Adam{.learning_rate = 0.01, .epsilon = 0}, 1);
  for (Index i = 0; i < rule_size; ++i)
    CHECK(w(i) - numbers({rule_size})(i) == Approx(gradient_at(i, 1) > 0 ? -0.01 : 0.01).epsilon(1e-10));
}

TEST_CASE("adam refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const optim::Rule<float>& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused(Adam{.learning_rate = HUGE_VAL}) == "adam: learning_rate is inf; it must be at least 0");
  CHECK(refused(Adam{.beta1 = -0.1}) == "adam: beta1 is -0.1; it must be within 0 and 1");
  CHECK(refused(Adam{.beta2 = 1.5}) == "adam: beta2 is 1.5; it must be within 0 and 1");
  CHECK(refused(Adam{.epsilon = -1}) == "adam: epsilon is -1; it must be at least 0");
  CHECK(refused(AdamW{.weight_decay = -1}) == "adamw: weight_decay is -1; it must be at least 0");
  CHECK(refused(AmsGrad{.weight_decay = -1}) == "amsgrad: weight_decay is -1; it must be at least 0");
  CHECK(refused(AmsGrad{.epsilon = -1}) == "amsgrad: epsilon is -1; it must be at least 0");
  // 1 − βᵗ would be 0: every parameter NaN after one step
  CHECK(refused(Adam{.beta1 = 1}) == "adam: beta1 is 1; it must be less than 1");
  CHECK(refused(AdamW{.beta2 = 1}) == "adamw: beta2 is 1; it must be less than 1");
}
