// SPDX-License-Identifier: MIT
// v ← v + g²     w ← w − η g / √(v + v₀ + ε)       (Duchi, Hazan, Singer, JMLR 12, 2011)
// v₀ and ε are under the root, as Keras has them; epsilon_outside puts ε beside it, as PyTorch does.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Defaults are Keras' (on TensorFlow 0.1f for doubles as well). For PyTorch's: learning_rate = 0.01,
/// initial = 0, epsilon = 1e-10, epsilon_outside = true.
struct Adagrad {
  double learning_rate = 1e-3, initial = 0.1, epsilon = 1e-7;
  bool epsilon_outside = false;

  static constexpr const char* name = "adagrad";
  static constexpr int states = 1;

  void check() const {
    detail::in_range(name, "learning_rate", learning_rate, 0);
    detail::in_range(name, "initial", initial, 0);
    detail::in_range(name, "epsilon", epsilon, 0);
  }
  template <class T> std::array<double, 3> numbers(std::int64_t, Powers&) const {
    return {learning_rate, initial + (epsilon_outside ? 0 : epsilon), epsilon_outside ? epsilon : 0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 1>& s, const std::array<X, 3>& h) {
    const auto& [eta, inside, outside] = h;
    s[0] = math::fma(g, g, s[0]);
    // where nothing has come yet and all else is 0, there is nothing to do either: no 0/0
    const X root = math::sqrt(s[0] + inside) + outside;
    w = w - math::select(root > X(0), eta * g / root, X(0));
  }
};

}  // namespace gradus::optim
