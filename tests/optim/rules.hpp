// SPDX-License-Identifier: MIT
// Runs of a rule beside its formulas, written down once more in plain long double.
#pragma once

#include <cmath>
#include <vector>

#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/reduce.hpp>
#include <gradus/optim/optim.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

namespace gradus::test {

/// The gradient of number i in step t (from 1): any that changes signs and sizes.
inline double gradient_at(Index i, int t) {
  return as_float(std::cos(0.7 * double(i) + 1.3 * t) * (1 + double(i % 3)) * (i % 5 == 4 ? 1e-4 : 1));
}
inline constexpr Index rule_size = 37;  // odd, more than two blocks

/// The numbers after `steps` updates by the optimizer; they begin as numbers({rule_size}).
template <class T> Array<T> run_rule(const optim::Rule<T>& rule, int steps,
                                     const optim::Schedule& schedule = {}, const optim::Clip& clip = {},
                                     Device device = {}) {
  Parameter<T> w(numbers({rule_size}).to<T>().to(device));
  optim::Optimizer<T> optimizer({&w}, rule, clip, schedule);
  Tape tape;
  for (int t = 1; t <= steps; ++t) {
    Array<T> g(Shape{rule_size});
    for (Index i = 0; i < rule_size; ++i) g.mutable_data()[i] = static_cast<T>(gradient_at(i, t));
    tape.backward(sum(tape.input(g.to(device)) * w));
    optimizer.step();
  }
  return w.value().to("cpu").copy();
}

/// formula(w, g, state, t) in long double, on every device; `state` are three numbers, 0 at first.
template <class R, class F>
void expect_rule(const R& rule, const F& formula, const optim::Schedule& schedule = {}) {
  constexpr int steps = 50;
  Array<double> expected(Shape{rule_size});
  for (Index i = 0; i < rule_size; ++i) {
    Real w = numbers({rule_size})(i), state[3] = {};
    for (int t = 1; t <= steps; ++t) formula(w, Real(gradient_at(i, t)), state, t);
    expected.mutable_data()[i] = double(w);
  }
  for (const Device device : devices()) {
    const auto in_double = run_rule<double>(rule, steps, schedule, {}, device);
    const auto in_float = run_rule<float>(rule, steps, schedule, {}, device);
    INFO(device.name());
    for (Index i = 0; i < rule_size; ++i) {
      CHECK(std::abs(expected(i) - in_double(i)) < 2e-14);
      CHECK(std::abs(expected(i) - double(in_float(i))) < 2e-5);
    }
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

}  // namespace gradus::test
