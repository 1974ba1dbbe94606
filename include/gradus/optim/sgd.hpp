// SPDX-License-Identifier: MIT
// m ← μ m + g        w ← w − η m            (Polyak's momentum, as PyTorch writes it; μ = 0: gradient
// descent)
//                    w ← w − η (g + μ m)    (Nesterov's)
// with g ← g + λ w before, for weight decay.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Keras': learning_rate = 0.01, rate_in_momentum = true (m ← μ m + η g, w ← w − m: the same while η is), and
/// no weight_decay. PyTorch's: learning_rate = 1e-3, else as here. Keras on TensorFlow rounds the momentum
/// to float32 for doubles as well: 0.9f.
struct Sgd {
  double learning_rate = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false, rate_in_momentum = false;

  static constexpr const char* name = "sgd";
  static constexpr int states = 1;

  void check() const {
    detail::in_range(name, "learning_rate", learning_rate, 0);
    detail::in_range(name, "momentum", momentum, 0, 1);
    detail::in_range(name, "weight_decay", weight_decay, 0);
  }
  /// η or 1, 1 or η, μ, λ, 1 for Nesterov's
  template <class T> std::array<double, 5> numbers(std::int64_t, Powers&) const {
    return {rate_in_momentum ? learning_rate : 1, rate_in_momentum ? 1 : learning_rate, momentum,
            weight_decay, nesterov ? 1.0 : 0.0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 1>& s, const std::array<X, 5>& h) {
    const auto& [of_g, of_m, mu, lambda, nesterov] = h;
    g = of_g * math::fma(lambda, w, g);
    s[0] = math::fma(mu, s[0], g);
    const X ahead = math::fma(mu, s[0], g);
    w = w - of_m * math::select(nesterov > X(0), ahead, s[0]);
  }
};

}  // namespace gradus::optim
