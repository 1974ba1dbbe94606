// SPDX-License-Identifier: MIT
// v ← ρ v + (1 − ρ) g²     w ← w − η g / √(v + ε)       (Tieleman, Hinton, 2012)
// With momentum:  m ← μ m + η g / √(v + ε)     w ← w − m
// ε is under the root, as Keras has it; epsilon_outside puts it beside the root, as PyTorch does.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

struct RmsProp {
  double learning_rate = 1e-3, rho = 0.9, momentum = 0, epsilon = 1e-7;
  bool epsilon_outside = false;

  static constexpr const char* name = "rmsprop";
  static constexpr int states = 2;

  void check() const {
    detail::in_range(name, "learning_rate", learning_rate, 0);
    detail::in_range(name, "rho", rho, 0, 1);
    detail::in_range(name, "momentum", momentum, 0, 1);
    detail::in_range(name, "epsilon", epsilon, 0);
  }
  template <class T> std::array<double, 5> numbers(std::int64_t, Powers&) const {
    return {learning_rate, detail::rounded<T>(rho), momentum, epsilon_outside ? 0 : epsilon,
            epsilon_outside ? epsilon : 0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 5>& h) {
    const auto& [eta, rho, mu, inside, outside] = h;
    auto& [v, m] = s;
    v = math::fma(rho, v, (1 - rho) * (g * g));
    m = math::fma(mu, m, eta * g / (math::sqrt(v + inside) + outside));
    w = w - m;
  }
};

}  // namespace gradus::optim
