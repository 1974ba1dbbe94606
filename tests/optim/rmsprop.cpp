// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::RmsProp;

TEST_CASE("rmsprop as Keras has it: ε under the root") {
  expect_rule(RmsProp{.learning_rate = 0.01, .epsilon = 1e-3}, [](Real& w, Real g, Real* s, int) {
    s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g * g;
    w -= 0.01 * g / std::sqrt(s[0] + 1e-3);
  });
}

TEST_CASE("rmsprop as PyTorch has it: ε beside the root") {
  expect_rule(RmsProp{.learning_rate = 0.01, .rho = 0.99, .epsilon = 1e-8, .epsilon_outside = true},
              [](Real& w, Real g, Real* s, int) {
                s[0] = Real(0.99) * s[0] + (1 - Real(0.99)) * g * g;
                w -= 0.01 * g / (std::sqrt(s[0]) + 1e-8);
              });
}

TEST_CASE("rmsprop with momentum") {
  expect_rule(RmsProp{.learning_rate = 0.01, .momentum = 0.7, .epsilon = 1e-3},
              [](Real& w, Real g, Real* s, int) {
                s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g * g;
                s[1] = Real(0.7) * s[1] + 0.01 * g / std::sqrt(s[0] + 1e-3);
                w -= s[1];
              });
}

TEST_CASE("rmsprop refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const RmsProp& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "rmsprop: learning_rate is -1; it must be at least 0");
  CHECK(refused({.rho = 2}) == "rmsprop: rho is 2; it must be within 0 and 1");
  CHECK(refused({.momentum = -1}) == "rmsprop: momentum is -1; it must be within 0 and 1");
  CHECK(refused({.epsilon = -1}) == "rmsprop: epsilon is -1; it must be at least 0");
}
