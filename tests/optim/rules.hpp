// SPDX-License-Identifier: MIT
// Runs of a rule beside its formulas, written down once more in plain long double.
#pragma once

#include <cmath>
#include <vector>

#include <gradus/io/safetensors.hpp>
#include <gradus/nn/activation.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/ops/loss.hpp>
#include <gradus/optim/optim.hpp>

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

/// formula(w, g, state, t) in long double, on every device; `state` are two numbers, 0 at first.
template <class R, class F> void expect_rule(const R& rule, const F& formula) {
  constexpr int steps = 50;
  Array<double> expected(Shape{rule_size});
  for (Index i = 0; i < rule_size; ++i) {
    Real w = numbers({rule_size})(i), state[2] = {};
    for (int t = 1; t <= steps; ++t) formula(w, Real(gradient_at(i, t)), state, t);
    expected.mutable_data()[i] = double(w);
  }
  for (const Device device : devices()) {
    const auto in_double = run_rule<double>(rule, steps, {}, {}, device);
    const auto in_float = run_rule<float>(rule, steps, {}, {}, device);
    INFO(device.name());
    for (Index i = 0; i < rule_size; ++i) {
      CHECK(std::abs(expected(i) - in_double(i)) < 2e-14);
      CHECK(std::abs(expected(i) - double(in_float(i))) < 2e-5);
    }
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

/// Repeats a run of PyTorch's on every device: rows in order, batches of 32, and checks losses and parameters to a
/// bound.
inline void expect_torch_run(const std::string& name, const std::vector<Index>& sizes, bool logits,
                             const optim::Rule<double>& rule, const optim::Clip& clip = {},
                             double bound = 1e-12) {
  const auto file = io::read_safetensors(GRADUS_SOURCE_DIR "/tests/data_files/" + name + ".safetensors");
  const auto x = file.get<double>("x"), y = file.get<double>("y"), losses = file.get<double>("losses");
  for (const Device device : devices()) {
    INFO(device.name());
    const auto near = [&](const Array<double>& a, const Array<double>& expected, double most) {
      const auto here = a.to("cpu");
      for (Index i = 0; i < expected.size(); ++i) CHECK(std::abs(here.data()[i] - expected.data()[i]) < most);
    };
    nn::Sequential<double> model{nn::Dense<double>{sizes[0], sizes[1]}, nn::Relu<double>{},
                                 nn::Dense<double>{sizes[1], sizes[2]}};
    for (const auto& p : model.named_parameters()) p.set_value(file.get<double>("init." + p.name));
    model.to(device);
    optim::Optimizer<double> optimizer(model, rule, clip);
    Tape tape;
    for (Index s = 0; s < losses.size(); ++s) {
      const Index first = s * 32 % x.shape()[0];
      const auto out = model(tape.input(x.slice(first, first + 32).to(device)));
      const auto t = y.slice(first, first + 32).to(device);
      const auto loss = logits ? binary_cross_entropy(out, t) : mse(out, t);
      CHECK(loss.item() == Approx(losses(s)).epsilon(bound));
      tape.backward(loss);
      if (s == 0)
        for (const auto& p : model.named_parameters())
          near(p.parameter->gradient(), file.get<double>("grad." + p.name), 1e-14);
      optimizer.step();
    }
    for (const auto& p : model.named_parameters())
      near(p.value(), file.get<double>("final." + p.name), bound);
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

}  // namespace gradus::test
