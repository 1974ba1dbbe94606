// SPDX-License-Identifier: MIT
// Dual numbers: a + a′ε with ε² = 0, a value and its derivative along one direction. As a scalar of tensors
// they are forward mode: f(a + a′ε) = f(a) + f′(a) a′ε. On a tape they are forward over reverse: the gradient
// of a loss at x + vε is ∇ + (H·v)ε, H the second derivatives (Pearlmutter, "Fast Exact Multiplication by the
// Hessian", Neural Computation 6, 1994). A Dual of Duals has third derivatives, and so on.
//
// Comparisons are of values. Where a function has a seam (|x| at 0, the larger of two that are equal), the
// derivative is the one from below, as relu's is: so ln(1 + eˣ), written with max and |x|, is smooth across it.
//
// The CPU computes with them, one by one; other devices do not.
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

#include <gradus/core/math.hpp>

namespace gradus {

/// value + tangent ε. T: float, double, or a Dual.
template <class T> struct Dual {
  T value = 0;
  T tangent = 0;

  Dual() = default;
  template <math::Number N> Dual(N number) : value(static_cast<T>(number)) {}
  Dual(const T& number) requires(!math::Number<T>) : value(number) {}
  Dual(const T& v, const T& along) : value(v), tangent(along) {}

  Dual operator-() const { return {-value, -tangent}; }
  friend Dual operator+(const Dual& a, const Dual& b) { return {a.value + b.value, a.tangent + b.tangent}; }
  friend Dual operator-(const Dual& a, const Dual& b) { return {a.value - b.value, a.tangent - b.tangent}; }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.tangent * b.value + a.value * b.tangent};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const T q = a.value / b.value;
    return {q, (a.tangent - q * b.tangent) / b.value};
  }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  Dual& operator/=(const Dual& b) { return *this = *this / b; }

  friend bool operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend bool operator!=(const Dual& a, const Dual& b) { return a.value != b.value; }
  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend bool operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }

  // (f(a), f′(a) a′), each derivative as its op has it
  friend Dual exp(const Dual& x) {
    const T y = math::exp(x.value);
    return {y, y * x.tangent};
  }
  friend Dual expm1(const Dual& x) {
    const T y = math::expm1(x.value);
    return {y, (y + 1) * x.tangent};
  }
  friend Dual log(const Dual& x) { return {math::log(x.value), x.tangent / x.value}; }
  friend Dual log1p(const Dual& x) { return {math::log1p(x.value), x.tangent / (1 + x.value)}; }
  friend Dual sin(const Dual& x) { return {math::sin(x.value), math::cos(x.value) * x.tangent}; }
  friend Dual cos(const Dual& x) { return {math::cos(x.value), -math::sin(x.value) * x.tangent}; }
  friend Dual tanh(const Dual& x) {
    const T y = math::tanh(x.value);
    return {y, (1 - y * y) * x.tangent};
  }
  friend Dual erf(const Dual& x) {  // 2/√π · exp(−x²)
    return {math::erf(x.value), T(1.1283791670955126) * math::exp(-(x.value * x.value)) * x.tangent};
  }
  friend Dual sqrt(const Dual& x) {
    const T y = math::sqrt(x.value);
    return {y, T(0.5) / y * x.tangent};
  }
  friend Dual floor(const Dual& x) { return {math::floor(x.value), T(0)}; }
  friend Dual abs(const Dual& x) { return {math::abs(x.value), x.value > T(0) ? x.tangent : T(-x.tangent)}; }
  friend Dual max(const Dual& a, const Dual& b) {  // NaN if either is
    return a > b || a != a ? a : b;
  }
  friend Dual min(const Dual& a, const Dual& b) { return b < a || b != b ? b : a; }

  /// d aᵇ = b aᵇ⁻¹ da + aᵇ ln a db, where a term whose factor in front is 0 is 0: a may be negative for a constant
  /// b.
  friend Dual pow(const Dual& a, const Dual& b) {
    const T y = math::pow(a.value, b.value);
    T along = 0;
    if (!nothing(a.tangent) && !nothing(b.value))
      along = b.value * math::pow(a.value, b.value - 1) * a.tangent;
    if (!nothing(b.tangent) && !(a.value == T(0) && b.value >= T(0)))
      along = along + y * math::log(a.value) * b.tangent;
    return {y, along};
  }

  /// 0, and so are its derivatives.
  bool is_zero() const { return nothing(value) && nothing(tangent); }

 private:
  static bool nothing(const T& x) {
    if constexpr (math::Number<T>)
      return x == 0;
    else
      return x.is_zero();
  }
};

}  // namespace gradus
