// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Adagrad;

TEST_CASE("adagrad as Keras has it: begins at 0.1, ε under the root") {
  expect_rule(Adagrad{.learning_rate = 0.1}, [](Real& w, Real g, Real* s, int) {
    s[0] += g * g;
    w -= 0.1 * g / std::sqrt(s[0] + 0.1 + 1e-7);
  });
}

TEST_CASE("adagrad as PyTorch has it: begins at 0, ε beside the root") {
  expect_rule(Adagrad{.learning_rate = 0.1, .initial = 0, .epsilon = 1e-10, .epsilon_outside = true},
              [](Real& w, Real g, Real* s, int) {
                s[0] += g * g;
                w -= 0.1 * g / (std::sqrt(s[0]) + 1e-10);
              });
}

TEST_CASE("a gradient of 0 at the beginning moves nothing, even without ε") {
  Parameter<double> w(Array<double>{1, 2});
  optim::Optimizer<double> optimizer({&w}, Adagrad{.learning_rate = 0.1, .initial = 0, .epsilon = 0});
  Tape tape;
  tape.backward(sum(tape.input(Array<double>{0, 3}) * w));
  optimizer.step();
  CHECK(w.value()(0) == 1);
  CHECK(w.value()(1) == Approx(1.9).epsilon(1e-15));
}

TEST_CASE("adagrad refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Adagrad& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "adagrad: learning_rate is -1; it must be at least 0");
  CHECK(refused({.initial = -1}) == "adagrad: initial is -1; it must be at least 0");
  CHECK(refused({.epsilon = -1}) == "adagrad: epsilon is -1; it must be at least 0");
}
