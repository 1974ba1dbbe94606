// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Sgd;

TEST_CASE("gradient descent: w ← w − η g") {
  expect_rule(Sgd{.learning_rate = 0.1}, [](Real& w, Real g, Real*, int) { w -= 0.1 * g; });
  expect_rule(Sgd{}, [](Real& w, Real g, Real*, int) { w -= 0.01 * g; });
}

TEST_CASE("momentum: m ← μ m + g, w ← w − η m") {
  expect_rule(Sgd{.learning_rate = 0.1, .momentum = 0.9}, [](Real& w, Real g, Real* m, int) {
    m[0] = 0.9 * m[0] + g;
    w -= 0.1 * m[0];
  });
}

TEST_CASE("Nesterov's momentum: w ← w − η (g + μ m)") {
  expect_rule(Sgd{.learning_rate = 0.1, .momentum = 0.8, .nesterov = true},
              [](Real& w, Real g, Real* m, int) {
                m[0] = 0.8 * m[0] + g;
                w -= 0.1 * (g + 0.8 * m[0]);
              });
}

TEST_CASE("weight decay: g ← g + λ w before all else") {
  expect_rule(Sgd{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.05},
              [](Real& w, Real g, Real* m, int) {
                m[0] = 0.9 * m[0] + (g + 0.05 * w);
                w -= 0.1 * m[0];
              });
}

TEST_CASE("a learning rate that changes: in the momentum, as Keras has it, or after it") {
  for (const bool within : {true, false})
    expect_rule(
        Sgd{.learning_rate = 0.1, .momentum = 0.8, .nesterov = true, .rate_in_momentum = within},
        [=](Real& w, Real g, Real* m, int t) {
          const Real eta = 0.1 * std::pow(Real(0.9), Real(t - 1)), first = within ? eta : 1;
          m[0] = 0.8 * m[0] + first * g;
          w -= eta / first * (first * g + 0.8 * m[0]);
        },
        optim::schedule::exponential(0.9));
}

TEST_CASE("sgd refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Sgd& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "sgd: learning_rate is -1; it must be at least 0");
  CHECK(refused({.learning_rate = double(NAN)}) == "sgd: learning_rate is nan; it must be at least 0");
  CHECK(refused({.momentum = 1.5}) == "sgd: momentum is 1.5; it must be within 0 and 1");
  CHECK(refused({.weight_decay = -0.1}) == "sgd: weight_decay is -0.1; it must be at least 0");
}
