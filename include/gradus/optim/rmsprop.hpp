// SPDX-License-Identifier: MIT
// v ← ρ v + (1 − ρ) g²     m ← μ m + η g / √(v + ε)     w ← w − m       (Tieleman, Hinton, 2012)
// Centred: a ← ρ a + (1 − ρ) g, and v − a² under the root for v          (Graves, arXiv:1308.0850, 2013)
// ε is under the root, as Keras has it; epsilon_outside puts it beside the root, as PyTorch does.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Defaults are Keras'. For PyTorch's: learning_rate = 0.01, rho = 0.99 (its alpha), epsilon = 1e-8,
/// epsilon_outside = true, rate_in_momentum = false (w ← w − η m: the same while η is).
struct RmsProp {
  double learning_rate = 1e-3, rho = 0.9, momentum = 0, epsilon = 1e-7;
  bool epsilon_outside = false, rate_in_momentum = true;

  static constexpr const char* name = "rmsprop";
  static constexpr int states = 2;

  void check() const { check(name, *this); }
  static void check(const char* who, const RmsProp& r) {
    detail::in_range(who, "learning_rate", r.learning_rate, 0);
    detail::in_range(who, "rho", r.rho, 0, 1);
    detail::in_range(who, "momentum", r.momentum, 0, 1);
    detail::in_range(who, "epsilon", r.epsilon, 0);
  }
  /// η or 1, 1 or η, ρ, μ, ε or 0, 0 or ε
  template <class T> std::array<double, 6> numbers(std::int64_t, Powers&) const {
    const double rate = learning_rate;
    return {rate_in_momentum ? rate : 1,   rate_in_momentum ? 1 : rate,  detail::rounded<T>(rho), momentum,
            epsilon_outside ? 0 : epsilon, epsilon_outside ? epsilon : 0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 6>& h) {
    const auto& [of_g, of_m, rho, mu, inside, outside] = h;
    auto& [v, m] = s;
    v = math::fma(rho, v, (1 - rho) * (g * g));
    m = math::fma(mu, m, of_g * g / (math::sqrt(v + inside) + outside));
    w = w - of_m * m;
  }
};

/// RMSprop(centered = True) of Keras' and PyTorch's: see RmsProp.
struct CenteredRmsProp {
  double learning_rate = 1e-3, rho = 0.9, momentum = 0, epsilon = 1e-7;
  bool epsilon_outside = false, rate_in_momentum = true;

  static constexpr const char* name = "centered_rmsprop";
  static constexpr int states = 3;

  void check() const { RmsProp::check(name, plain()); }
  template <class T> std::array<double, 6> numbers(std::int64_t t, Powers& powers) const {
    return plain().numbers<T>(t, powers);
  }
  template <class X> static void update(X& w, X g, std::array<X, 3>& s, const std::array<X, 6>& h) {
    const auto& [of_g, of_m, rho, mu, inside, outside] = h;
    auto& [v, m, a] = s;
    v = math::fma(rho, v, (1 - rho) * (g * g));
    a = math::fma(rho, a, (1 - rho) * g);
    const X variance = math::max(math::fma(-a, a, v), X(0));  // rounding may leave a little less
    m = math::fma(mu, m, of_g * g / (math::sqrt(variance + inside) + outside));
    w = w - of_m * m;
  }

 private:
  RmsProp plain() const { return {learning_rate, rho, momentum, epsilon, epsilon_outside, rate_in_momentum}; }
};

}  // namespace gradus::optim
