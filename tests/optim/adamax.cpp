// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Adamax;

TEST_CASE("adamax as Keras has it: ε beside the maximum") {
  expect_rule(Adamax{.learning_rate = 0.01, .beta2 = 0.8, .epsilon = 1e-2},
              [](Real& w, Real g, Real* s, int t) {
                s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g;
                s[1] = std::max(Real(0.8) * s[1], std::abs(g));
                w -= 0.01 / (1 - std::pow(Real(0.9), Real(t))) * s[0] / (s[1] + 1e-2);
              });
}

TEST_CASE("adamax as PyTorch has it: ε in the maximum") {
  expect_rule(Adamax{.learning_rate = 0.01, .beta2 = 0.8, .epsilon = 1e-2, .epsilon_inside = true},
              [](Real& w, Real g, Real* s, int t) {
                s[0] = Real(0.9) * s[0] + (1 - Real(0.9)) * g;
                s[1] = std::max(Real(0.8) * s[1], std::abs(g) + 1e-2);
                w -= 0.01 / (1 - std::pow(Real(0.9), Real(t))) * s[0] / s[1];
              });
}

TEST_CASE("a first gradient of 0 moves nothing in adamax, even without ε") {
  Parameter<double> w(Array<double>{1, 2});
  optim::Optimizer<double> optimizer({&w}, Adamax{.learning_rate = 0.1, .epsilon = 0});
  Tape tape;
  tape.backward(sum(tape.input(Array<double>{0, 3}) * w));
  optimizer.step();
  CHECK(w.value()(0) == 1);
  CHECK(w.value()(1) == Approx(1.9).epsilon(1e-15));
}

TEST_CASE("adamax refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Adamax& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "adamax: learning_rate is -1; it must be at least 0");
  CHECK(refused({.beta1 = 1}) == "adamax: beta1 is 1; it must be less than 1");
  CHECK(refused({.beta2 = 2}) == "adamax: beta2 is 2; it must be within 0 and 1");
  CHECK(refused({.epsilon = -1}) == "adamax: epsilon is -1; it must be at least 0");
}
