// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Clip;

namespace {

const Array<double> ga{3, -4, 0.5}, gb{{12}};  // norms 5.02…, 12

/// What gradients of ga and gb become: one step of w ← w − g from 0.
std::pair<Array<double>, Array<double>> clipped(const Clip& clip) {
  Parameter<double> a(Array<double>(Shape{3})), b(Array<double>(Shape{1, 1}));
  optim::Optimizer<double> optimizer({&a, &b}, optim::Sgd{.learning_rate = 1}, clip);
  Tape tape;
  tape.backward(sum(tape.input(ga) * a) + sum(tape.input(gb) * b));
  optimizer.step();
  const auto negative = [](const Array<double>& v) { return (-v).array(); };
  return {negative(a.value()), negative(b.value())};
}
void check_scaled(const Array<double>& got, const Array<double>& g, double factor) {
  for (Index i = 0; i < g.size(); ++i) CHECK(got.data()[i] == Approx(g.data()[i] * factor).epsilon(1e-14));
}

}  // namespace

TEST_CASE("by value: every number within ±c") {
  const auto [a, b] = clipped({.value = 2});
  CHECK(a == Array<double>{2, -2, 0.5});
  CHECK(b == Array<double>{{2}});
}

TEST_CASE("by norm: each parameter by itself, and only if it is longer") {
  const auto [a, b] = clipped({.norm = 6});
  check_scaled(a, ga, 1);
  check_scaled(b, gb, 0.5);
}

TEST_CASE("by global norm: all parameters together") {
  const double norm = std::sqrt(9 + 16 + 0.25 + 144);
  const auto [a, b] = clipped({.global_norm = 1});
  check_scaled(a, ga, 1 / norm);
  check_scaled(b, gb, 1 / norm);
  const auto [c, d] = clipped({.global_norm = 14});
  check_scaled(c, ga, 1);
  check_scaled(d, gb, 1);
}

TEST_CASE("all three apply, in the order value, norm, global norm") {
  const auto [a, b] = clipped({.value = 3, .norm = 2, .global_norm = 1});
  const double norm_a = std::sqrt(9 + 9 + 0.25);  // (3, −3, 0.5), then length 2
  check_scaled(a, Array<double>{3, -3, 0.5}, 2 / norm_a / std::sqrt(8.0));
  check_scaled(b, Array<double>{{2}}, 1 / std::sqrt(8.0));  // 3, then 2
}

TEST_CASE("gradients of 0 stay 0") {
  Parameter<double> a(Array<double>{1, 2});
  optim::Optimizer<double> optimizer({&a}, optim::Sgd{}, {.norm = 1, .global_norm = 1});
  Tape tape;
  tape.backward(sum(tape.input(Array<double>{0, 0}) * a));
  optimizer.step();
  CHECK(a.value() == Array<double>{1, 2});
}

TEST_CASE("frozen parameters count for no norm") {
  Parameter<double> a(Array<double>(Shape{3})), b(Array<double>(Shape{1, 1}));
  b.freeze();
  optim::Optimizer<double> optimizer({&a, &b}, optim::Sgd{.learning_rate = 1}, {.global_norm = 1});
  Tape tape;
  tape.backward(sum(tape.input(ga) * a) + sum(tape.input(gb) * b));
  optimizer.step();
  check_scaled((-a.value()).array(), ga, 1 / std::sqrt(25.25));
  CHECK(b.value().item() == 0);
}

TEST_CASE("ε is added to a norm before it is looked at") {
  const auto [a, b] = clipped({.norm = 11.5, .epsilon = 0.5});
  check_scaled(a, ga, 1);
  check_scaled(b, gb, 11.5 / 12.5);
  const auto [c, d] = clipped({.global_norm = 13.5, .epsilon = 1});  // ‖g‖ is 13.009…
  const double norm = std::sqrt(9 + 16 + 0.25 + 144);
  check_scaled(c, ga, 13.5 / (norm + 1));
  check_scaled(d, gb, 13.5 / (norm + 1));
}

TEST_CASE("limits below 0 are refused") {
  Parameter<float> w(Array<float>{1});
  const auto refused = [&](const Clip& clip) {
    return words<ValueError>([&] { optim::Optimizer<float>({&w}, optim::Sgd{}, clip); });
  };
  CHECK(refused({.value = -1}) == "clip: value is -1; it must be at least 0");
  CHECK(refused({.norm = -1}) == "clip: norm is -1; it must be at least 0");
  CHECK(refused({.norm = 1, .epsilon = -1}) == "clip: epsilon is -1; it must be at least 0");
  CHECK(refused({.global_norm = double(NAN)}) == "clip: global_norm is nan; it must be at least 0");
}
