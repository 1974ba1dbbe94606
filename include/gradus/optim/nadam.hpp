// SPDX-License-Identifier: MIT
// m ← β₁ m + (1 − β₁) g     v ← β₂ v + (1 − β₂) g²     μₜ = β₁ (1 − ½ · 0.96^(t ψ))
// w ← w − η (μₜ₊₁ m / (1 − μ₁ … μₜ₊₁) + (1 − μₜ) g / (1 − μ₁ … μₜ)) / (√(v / (1 − β₂ᵗ)) + ε)
//                                                               (Dozat, ICLR 2016 workshop)
#pragma once

#include <gradus/optim/adam.hpp>

namespace gradus::optim {

/// Adam with Nesterov's momentum. Defaults are Keras', momentum_decay is ψ. For PyTorch's: learning_rate =
/// 2e-3, epsilon = 1e-8, momentum_decay = 4e-3. float32_betas: β and 0.96 are rounded to float32 for doubles
/// as well, but in the product of all μ, as Keras on TensorFlow has them; float32_product: this one alone,
/// after each factor, as PyTorch keeps it (losses differ by some 1e-9).
struct Nadam {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, momentum_decay = 1;
  bool float32_betas = false, float32_product = false;

  static constexpr const char* name = "nadam";
  static constexpr int states = 2;

  void check() const {
    Adam::check(name, {learning_rate, beta1, beta2, epsilon});
    detail::in_range(name, "momentum_decay", momentum_decay, 0);
  }
  /// of g, of m, 1 / √(1 − β₂ᵗ), ε, β₁, β₂
  template <class T> std::array<double, 6> numbers(std::int64_t t, Powers& powers) const {
    const auto momentum = [this](double b, double base, std::int64_t at) {
      return b * (1 - 0.5 * std::pow(base, double(at) * momentum_decay));
    };
    const double b1 = detail::rounded<T>(beta1, float32_betas), b2 = detail::rounded<T>(beta2, float32_betas),
                 base = float32_betas ? detail::rounded<float>(0.96) : 0.96;
    const double mu = momentum(b1, base, t), next = momentum(b1, base, t + 1);
    const double product = powers.first.at(beta1, t, [&](double before, std::int64_t i) {
      const double factor = momentum(detail::rounded<T>(beta1), 0.96, i);
      return float32_product ? double(float(before) * float(factor)) : before * factor;
    });
    return {learning_rate * (1 - mu) / (1 - product),
            learning_rate * next / (1 - product * next),
            1 / std::sqrt(1 - powers.second.at(b2, t)),
            epsilon,
            b1,
            b2};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 6>& h) {
    const auto& [of_g, of_m, c, epsilon, b1, b2] = h;
    auto& [m, v] = s;
    m = math::fma(b1, m, (1 - b1) * g);
    v = math::fma(b2, v, (1 - b2) * (g * g));
    w = w - math::fma(of_m, m, of_g * g) / math::fma(c, math::sqrt(v), epsilon);
  }
};

}  // namespace gradus::optim
