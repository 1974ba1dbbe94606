// SPDX-License-Identifier: MIT
// m ← μ m + g        w ← w − η m            (Polyak's momentum, as PyTorch writes it; μ = 0: gradient
// descent)
//                    w ← w − η (g + μ m)    (Nesterov's)
// with g ← g + λ w before, for weight decay.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

struct Sgd {
  double learning_rate = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;

  static constexpr const char* name = "sgd";
  static constexpr int states = 1;

  void check() const {
    detail::in_range(name, "learning_rate", learning_rate, 0);
    detail::in_range(name, "momentum", momentum, 0, 1);
    detail::in_range(name, "weight_decay", weight_decay, 0);
  }
  template <class T> std::array<double, 4> numbers(std::int64_t, Powers&) const {
    return {learning_rate, momentum, weight_decay, nesterov ? 1.0 : 0.0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 1>& s, const std::array<X, 4>& h) {
    const auto& [eta, mu, lambda, nesterov] = h;
    g = math::fma(lambda, w, g);
    s[0] = math::fma(mu, s[0], g);
    const X ahead = math::fma(mu, s[0], g);
    w = w - eta * math::select(nesterov > X(0), ahead, s[0]);
  }
};

}  // namespace gradus::optim
