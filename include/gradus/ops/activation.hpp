// SPDX-License-Identifier: MIT
// sigmoid relu leaky_relu elu gelu silu softplus log_sigmoid
#pragma once

#include <gradus/ops/pointwise.hpp>

namespace gradus {
namespace ops {

struct Sigmoid {  // y = 1 / (1 + e⁻ˣ)   dy/dx = y (1 − y)
  static constexpr const char* name = "sigmoid";
  template <class X> static X value(X x) { return 1 / (1 + math::exp(-x)); }
  template <class X> static X slope_at_y(X y) { return y * (1 - y); }
};
struct Relu {  // y = max(0, x)   dy/dx = 1 where x > 0, else 0
  static constexpr const char* name = "relu";
  template <class X> static X value(X x) { return math::max(x, X(0)); }
  template <class X> static X slope_at_y(X y) { return math::select(y > X(0), X(1), X(0)); }
};
struct LeakyRelu {  // y = x where x > 0, else a·x
  static constexpr const char* name = "leaky_relu";
  template <class X> static X value(X x, X a) { return math::select(x > X(0), x, a * x); }
  template <class X> static X slope_at_x(X x, X a) { return math::select(x > X(0), X(1), a); }
};
struct Elu {  // y = x where x > 0, else a (eˣ − 1)   (Clevert et al., ICLR 2016)
  static constexpr const char* name = "elu";
  template <class X> static X value(X x, X a) { return math::select(x > X(0), x, a * math::expm1(x)); }
  template <class X> static X slope_at_x(X x, X a) { return math::select(x > X(0), X(1), a * math::exp(x)); }
};
struct Gelu {  // y = x Φ(x) = x/2 (1 + erf(x/√2))   dy/dx = Φ(x) + x φ(x)   (Hendrycks, Gimpel, 2016)
  static constexpr const char* name = "gelu";
  template <class X> static X cdf(X x) { return X(0.5) * (1 + math::erf(x * X(0.70710678118654752))); }
  template <class X> static X value(X x) { return x * cdf(x); }
  template <class X> static X slope_at_x(X x) {
    return cdf(x) + x * X(0.39894228040143268) * math::exp(X(-0.5) * x * x);
  }
};
struct GeluTanh {  // y = x/2 (1 + tanh u), u = √(2/π) (x + 0.044715 x³): what GPT-2 uses
  static constexpr const char* name = "gelu_tanh";
  template <class X> static X u(X x) { return X(0.79788456080286536) * (x + X(0.044715) * x * x * x); }
  template <class X> static X value(X x) { return X(0.5) * x * (1 + math::tanh(u(x))); }
  template <class X> static X slope_at_x(X x) {
    const X t = math::tanh(u(x)), du = X(0.79788456080286536) * (1 + X(3 * 0.044715) * x * x);
    return X(0.5) * (1 + t) + X(0.5) * x * (1 - t * t) * du;
  }
};
struct Silu {  // y = x σ(x)   dy/dx = σ (1 + x (1 − σ))
  static constexpr const char* name = "silu";
  template <class X> static X value(X x) { return x / (1 + math::exp(-x)); }
  template <class X> static X slope_at_x(X x) {
    const X s = Sigmoid::value(x);
    return s * (1 + x * (1 - s));
  }
};
struct Softplus {  // y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|)   dy/dx = σ(x)
  static constexpr const char* name = "softplus";
  template <class X> static X value(X x) { return math::max(x, X(0)) + math::log1p_exp(-math::abs(x)); }
  template <class X> static X slope_at_x(X x) { return Sigmoid::value(x); }
};
struct LogSigmoid {  // y = ln σ(x) = min(x, 0) − ln(1 + e^−|x|)   dy/dx = σ(−x)
  static constexpr const char* name = "log_sigmoid";
  template <class X> static X value(X x) { return math::min(x, X(0)) - math::log1p_exp(-math::abs(x)); }
  template <class X> static X slope_at_x(X x) { return Sigmoid::value(-x); }
};

}  // namespace ops

template <Operand A> auto sigmoid(const A& a) { return pointwise<ops::Sigmoid>(a); }
template <Operand A> auto relu(const A& a) { return pointwise<ops::Relu>(a); }
/// Keras' default slope is 0.3, PyTorch's 0.01: it is asked for.
template <Operand A> auto leaky_relu(const A& a, double slope) { return pointwise<ops::LeakyRelu>(a, slope); }
template <Operand A> auto elu(const A& a, double alpha = 1) { return pointwise<ops::Elu>(a, alpha); }
template <Operand A> auto gelu(const A& a) { return pointwise<ops::Gelu>(a); }
template <Operand A> auto gelu_tanh(const A& a) { return pointwise<ops::GeluTanh>(a); }
template <Operand A> auto silu(const A& a) { return pointwise<ops::Silu>(a); }
template <Operand A> auto softplus(const A& a) { return pointwise<ops::Softplus>(a); }
template <Operand A> auto log_sigmoid(const A& a) { return pointwise<ops::LogSigmoid>(a); }

}  // namespace gradus
