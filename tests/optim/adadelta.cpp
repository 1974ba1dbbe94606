// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Adadelta;

namespace {

auto zeiler(Real eta, Real rho, Real epsilon) {
  return [=](Real& w, Real g, Real* s, int) {
    s[0] = rho * s[0] + (1 - rho) * g * g;
    const Real d = std::sqrt((s[1] + epsilon) / (s[0] + epsilon)) * g;
    s[1] = rho * s[1] + (1 - rho) * d * d;
    w -= eta * d;
  };
}

}  // namespace

TEST_CASE("adadelta with Keras' defaults and with PyTorch's") {
  expect_rule(Adadelta{}, zeiler(Real(1e-3), Real(0.95), Real(1e-7)));
  expect_rule(Adadelta{.learning_rate = 1, .rho = 0.9, .epsilon = 1e-6}, zeiler(1, Real(0.9), Real(1e-6)));
}

TEST_CASE("adadelta refuses hyper-parameters outside their range") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Adadelta& rule) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, rule); });
  };
  CHECK(refused({.learning_rate = -1}) == "adadelta: learning_rate is -1; it must be at least 0");
  CHECK(refused({.rho = 2}) == "adadelta: rho is 2; it must be within 0 and 1");
  CHECK(refused({.epsilon = -1}) == "adadelta: epsilon is -1; it must be at least 0");
  CHECK(refused({.epsilon = 0}) == "adadelta: epsilon is 0; it must be positive");
}
