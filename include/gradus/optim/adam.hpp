// SPDX-License-Identifier: MIT
// m ← β₁ m + (1 − β₁) g     v ← β₂ v + (1 − β₂) g²
// w ← w − a m / (c √v + ε)                            (Kingma, Ba, ICLR 2015)
//
// Algorithm 1, PyTorch's:   a = η / (1 − β₁ᵗ),                   c = 1 / √(1 − β₂ᵗ)
// its section 2, Keras':    a = η √(1 − β₂ᵗ) / (1 − β₁ᵗ),        c = 1         (ε is then the paper's ε̂)
// AdamW: also w ← w − η λ w, decoupled from the gradient (Loshchilov, Hutter, ICLR 2019).
// AmsGrad: with the largest v so far for v (Reddi, Kale, Kumar, ICLR 2018), before its correction by c.
#pragma once

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Defaults and the place of ε are Keras'. For PyTorch's: epsilon = 1e-8, epsilon_hat = false. float32_betas:
/// the correction's β are rounded to float32 for doubles as well, as Keras on TensorFlow has them (losses
/// differ by some 1e-6); nothing to a float.
struct Adam {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7;
  bool epsilon_hat = true, float32_betas = false;

  static constexpr const char* name = "adam";
  static constexpr int states = 2;

  void check() const { check(name, *this); }
  static void check(const char* who, const Adam& a) {
    detail::in_range(who, "learning_rate", a.learning_rate, 0);
    detail::in_range(who, "beta1", a.beta1, 0, 1);
    detail::in_range(who, "beta2", a.beta2, 0, 1);
    detail::in_range(who, "epsilon", a.epsilon, 0);
    // 1 would make the bias correction 0/0
    detail::require<ValueError>(a.beta1 < 1, who, ": beta1 is ", a.beta1, "; it must be less than 1");
    detail::require<ValueError>(a.beta2 < 1, who, ": beta2 is ", a.beta2, "; it must be less than 1");
  }
  /// a, c, ε, β₁, β₂, ηλ
  template <class T> std::array<double, 6> numbers(std::int64_t t, Powers& powers) const {
    const double p1 = powers.first.at(detail::rounded<T>(beta1, float32_betas), t),
                 p2 = powers.second.at(detail::rounded<T>(beta2, float32_betas), t);
    const double a = learning_rate / (1 - p1), root = std::sqrt(1 - p2);
    return {epsilon_hat ? a * root : a, epsilon_hat ? 1 : 1 / root, epsilon,
            detail::rounded<T>(beta1),  detail::rounded<T>(beta2),  0};
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 6>& h) {
    const auto& [a, c, epsilon, b1, b2, decay] = h;
    auto& [m, v] = s;
    m = math::fma(b1, m, (1 - b1) * g);
    v = math::fma(b2, v, (1 - b2) * (g * g));
    w = math::fma(-decay, w, w) - a * m / math::fma(c, math::sqrt(v), epsilon);
  }
};

/// See Adam. weight_decay: Keras' default (on TensorFlow 0.004f for doubles as well); PyTorch's is 0.01.
struct AdamW {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weight_decay = 0.004;
  bool epsilon_hat = true, float32_betas = false;

  static constexpr const char* name = "adamw";
  static constexpr int states = 2;

  void check() const {
    Adam::check(name, adam());
    detail::in_range(name, "weight_decay", weight_decay, 0);
  }
  template <class T> std::array<double, 6> numbers(std::int64_t t, Powers& powers) const {
    auto h = adam().numbers<T>(t, powers);
    h[5] = learning_rate * weight_decay;
    return h;
  }
  template <class X> static void update(X& w, X g, std::array<X, 2>& s, const std::array<X, 6>& h) {
    Adam::update(w, g, s, h);
  }

 private:
  Adam adam() const { return {learning_rate, beta1, beta2, epsilon, epsilon_hat, float32_betas}; }
};

/// Adam(amsgrad = True) of Keras' and PyTorch's, with weight_decay AdamW(amsgrad = True).
struct AmsGrad {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weight_decay = 0;
  bool epsilon_hat = true, float32_betas = false;

  static constexpr const char* name = "amsgrad";
  static constexpr int states = 3;

  void check() const {
    Adam::check(name, adam());
    detail::in_range(name, "weight_decay", weight_decay, 0);
  }
  template <class T> std::array<double, 6> numbers(std::int64_t t, Powers& powers) const {
    auto h = adam().numbers<T>(t, powers);
    h[5] = learning_rate * weight_decay;
    return h;
  }
  template <class X> static void update(X& w, X g, std::array<X, 3>& s, const std::array<X, 6>& h) {
    const auto& [a, c, epsilon, b1, b2, decay] = h;
    auto& [m, v, largest] = s;
    m = math::fma(b1, m, (1 - b1) * g);
    v = math::fma(b2, v, (1 - b2) * (g * g));
    largest = math::max(largest, v);
    w = math::fma(-decay, w, w) - a * m / math::fma(c, math::sqrt(largest), epsilon);
  }

 private:
  Adam adam() const { return {learning_rate, beta1, beta2, epsilon, epsilon_hat, float32_betas}; }
};

}  // namespace gradus::optim
