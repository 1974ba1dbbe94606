// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Nadam;

namespace {

/// Dozat's formulas with β₁ = 0.8, β₂ = 0.95; s[2] is one less than the product of all μ, since it begins at 0.
auto dozat(Real eta, Real epsilon, Real psi) {
  return [=](Real& w, Real g, Real* s, int t) {
    const auto mu = [=](int i) { return Real(0.8) * (1 - std::pow(Real(0.96), psi * i) / 2); };
    s[0] = Real(0.8) * s[0] + (1 - Real(0.8)) * g;
    s[1] = Real(0.95) * s[1] + (1 - Real(0.95)) * g * g;
    s[2] = (1 + s[2]) * mu(t) - 1;
    const Real product = 1 + s[2];
    const Real m = mu(t + 1) * s[0] / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product);
    w -= eta * m / (std::sqrt(s[1] / (1 - std::pow(Real(0.95), Real(t)))) + epsilon);
  };
}

}  // namespace

TEST_CASE("nadam with Keras' momentum schedule and with PyTorch's") {
  const Nadam rule{.learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3};
  expect_rule(rule, dozat(0.01, 1e-3, 1));
  Nadam slow = rule;
  slow.momentum_decay = 4e-3;
  expect_rule(slow, dozat(0.01, 1e-3, 4e-3));
}

TEST_CASE("the product of all μ in float32, as PyTorch keeps it") {
  optim::Powers a, b;
  const auto momentum = [](int i) { return 0.9 * (1 - 0.5 * std::pow(0.96, i)); };
  float product = 1;
  for (int t = 1; t <= 20; ++t) {
    product *= static_cast<float>(momentum(t));
    CHECK(Nadam{.float32_product = true}.numbers<double>(t, a)[0] ==
          Approx(1e-3 * (1 - momentum(t)) / (1 - double(product))).epsilon(1e-14));
  }
  CHECK(Nadam{}.numbers<double>(20, b)[0] != Nadam{.float32_product = true}.numbers<double>(20, a)[0]);
}

TEST_CASE("nadam's numbers of a step are the same, whether training began there or before") {
  optim::Powers steady, resumed;
  for (int t = 1; t < 30; ++t) (void)Nadam{}.numbers<double>(t, steady);
  CHECK(Nadam{}.numbers<double>(30, steady) == Nadam{}.numbers<double>(30, resumed));
}

TEST_CASE("nadam refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Nadam& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "nadam: learning_rate is -1; it must be at least 0");
  CHECK(refused({.beta1 = 1}) == "nadam: beta1 is 1; it must be less than 1");
  CHECK(refused({.epsilon = -1}) == "nadam: epsilon is -1; it must be at least 0");
  CHECK(refused({.momentum_decay = -1}) == "nadam: momentum_decay is -1; it must be at least 0");
}
