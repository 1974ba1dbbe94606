// SPDX-License-Identifier: MIT
// m ← β₁ m + (1 − β₁) g     u ← max(β₂ u, |g|)
// w ← w − η / (1 − β₁ᵗ) · m / (u + ε)                 (Kingma, Ba, ICLR 2015, section 7.1)
// ε is added to u, as Keras has it; epsilon_inside: to |g| in the maximum, as PyTorch does.
#pragma once

#include <gradus/optim/adam.hpp>

namespace gradus::optim {

/// Defaults are Keras'. For PyTorch's: learning_rate = 2e-3, epsilon = 1e-8, epsilon_inside = true.
/// float32_betas: see Adam.
struct Adamax {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7;
  bool epsilon_inside = false, float32_betas = false;

  static constexpr const char* name = "adamax";
  static constexpr int states = 2;

  void check() const { Adam::check(name, {learning_rate, beta1, beta2, epsilon}); }
  template <class T> std::array<double, 5> numbers(std::int64_t t, Powers& powers) const {
    const double b1 = detail::rounded<T>(beta1, float32_betas);
    return {learning_rate / (1 - powers.first.at(b1, t)), detail::rounded<T>(beta1),
            detail::rounded<T>(beta2), epsilon_inside ? epsilon : 0, epsilon_inside ? 0 : epsilon};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 5>& h) {
    const auto& [a, b1, b2, inside, outside] = h;
    auto& [m, u] = s;
    m = math::fma(b1, m, (1 - b1) * g);
    u = math::max(b2 * u, math::abs(g) + inside);
    // where nothing has come yet and ε is 0, there is nothing to do: no 0/0
    w = w - math::select(u + outside > X(0), a * m / (u + outside), X(0));
  }
};

}  // namespace gradus::optim
