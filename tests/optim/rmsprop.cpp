// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::CenteredRmsProp;
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

TEST_CASE("rmsprop's learning rate is part of the momentum, or comes after it, as PyTorch has it") {
  for (const bool within : {true, false})
    expect_rule(
        RmsProp{.learning_rate = 0.01, .momentum = 0.7, .epsilon = 1e-3, .rate_in_momentum = within},
        [=](Real& w, Real g, Real* s, int t) {
          const Real eta = 0.01 * std::pow(Real(0.9), Real(t - 1));
          s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g * g;
          s[1] = Real(0.7) * s[1] + (within ? eta : 1) * g / std::sqrt(s[0] + 1e-3);
          w -= (within ? 1 : eta) * s[1];
        },
        optim::schedule::exponential(0.9));
}

TEST_CASE("centred rmsprop divides by the deviation: as Keras and as PyTorch have ε") {
  const auto deviation = [](Real g, Real* s) {
    s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g * g;
    s[1] = Real(0.9) * s[1] + (1 - Real(0.9)) * g;
    return s[0] - s[1] * s[1];
  };
  expect_rule(CenteredRmsProp{.learning_rate = 0.01, .epsilon = 1e-3},
              [=](Real& w, Real g, Real* s, int) { w -= 0.01 * g / std::sqrt(deviation(g, s) + 1e-3); });
  expect_rule(
      CenteredRmsProp{.learning_rate = 0.01, .momentum = 0.7, .epsilon = 1e-3, .epsilon_outside = true},
      [=](Real& w, Real g, Real* s, int) {
        const Real root = std::sqrt(deviation(g, s));
        s[2] = Real(0.7) * s[2] + 0.01 * g / (root + 1e-3);
        w -= s[2];
      });
}

TEST_CASE("a gradient that never changes has a deviation of 0 at last, and no NaN") {
  Parameter<float> w(Array<float>{1, 1, 1});
  optim::Optimizer<float> optimizer({&w}, CenteredRmsProp{.learning_rate = 1e-9, .epsilon_outside = true});
  Tape tape;
  for (int t = 0; t < 500; ++t) {
    tape.backward(sum(tape.input(Array<float>{0.1f, 3, -7e3f}) * w));
    optimizer.step();
  }
  for (const float x : w.value().values()) CHECK(std::isfinite(x));
}

TEST_CASE("rmsprop refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const RmsProp& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "rmsprop: learning_rate is -1; it must be at least 0");
  CHECK(refused({.rho = 2}) == "rmsprop: rho is 2; it must be within 0 and 1");
  CHECK(refused({.momentum = -1}) == "rmsprop: momentum is -1; it must be within 0 and 1");
  CHECK(words<ValueError>([&] { optim::Optimizer<float>({&w}, CenteredRmsProp{.rho = 2}); }) ==
        "centered_rmsprop: rho is 2; it must be within 0 and 1");
  CHECK(refused({.epsilon = -1}) == "rmsprop: epsilon is -1; it must be at least 0");
}
