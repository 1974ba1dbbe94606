// SPDX-License-Identifier: MIT
// softsign hard_sigmoid: cheap relatives of tanh and sigmoid.
#pragma once

#include <gradus/ops/pointwise.hpp>

namespace gradus {
namespace ops {

struct Softsign {  // y = x / (1 + |x|)   dy/dx = 1 / (1 + |x|)²   (Glorot, Bengio, AISTATS 2010)
  static constexpr const char* name = "softsign";
  template <class X> static X value(X x) { return x / (1 + math::abs(x)); }
  template <class X> static X slope_at_x(X x) {
    const X d = 1 / (1 + math::abs(x));
    return d * d;
  }
};
/// y = a x + b within [0, 1]   dy/dx = a where 0 < y < 1, else 0: at the corners too, as PyTorch's and JAX's
struct HardSigmoid {
  static constexpr const char* name = "hard_sigmoid";
  template <class X> static X value(X x, X a, X b) { return math::min(math::max(a * x + b, X(0)), X(1)); }
  template <class X> static X slope_at_x(X x, X a, X b) {
    const X y = value(x, a, b);
    return math::select((y > X(0)) & (y < X(1)), a, X(0));
  }
};

}  // namespace ops

/// NaN for an infinity, as PyTorch's and JAX's.
template <Operand A> auto softsign(const A& a) { return pointwise<ops::Softsign>(a); }
/// Slope and offset are those of PyTorch, JAX and Keras 3; ONNX's default slope is 0.2.
template <Operand A> auto hard_sigmoid(const A& a, double slope = 1.0 / 6, double offset = 0.5) {
  return pointwise<ops::HardSigmoid>(a, slope, offset);
}

}  // namespace gradus
