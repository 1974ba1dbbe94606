// SPDX-License-Identifier: MIT
// v ← ρ v + (1 − ρ) g²     d = √(u + ε) / √(v + ε) · g     u ← ρ u + (1 − ρ) d²     w ← w − η d
//                                                                       (Zeiler, arXiv:1212.5701, 2012)
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Defaults are Keras'. For PyTorch's (and for the paper's η): learning_rate = 1, rho = 0.9, epsilon = 1e-6.
struct Adadelta {
  double learning_rate = 1e-3, rho = 0.95, epsilon = 1e-7;

  static constexpr const char* name = "adadelta";
  static constexpr int states = 2;

  void check() const {
    detail::in_range(name, "learning_rate", learning_rate, 0);
    detail::in_range(name, "rho", rho, 0, 1);
    detail::in_range(name, "epsilon", epsilon, 0);
    // without ε nothing would ever move: u begins at 0
    detail::require<ValueError>(epsilon > 0, name, ": epsilon is 0; it must be positive");
  }
  template <class T> std::array<double, 3> numbers(std::int64_t, Powers&) const {
    return {learning_rate, detail::rounded<T>(rho), epsilon};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 3>& h) {
    const auto& [eta, rho, epsilon] = h;
    auto& [v, u] = s;
    v = math::fma(rho, v, (1 - rho) * (g * g));
    const X d = math::sqrt(u + epsilon) / math::sqrt(v + epsilon) * g;
    u = math::fma(rho, u, (1 - rho) * (d * d));
    w = w - eta * d;
  }
};

}  // namespace gradus::optim
