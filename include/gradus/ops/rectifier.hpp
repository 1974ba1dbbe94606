// SPDX-License-Identifier: MIT
// prelu celu selu: x where x > 0, and something else below. Slopes at 0 are those of below, as PyTorch's.
#pragma once

#include <gradus/ops/activation.hpp>

namespace gradus {
namespace ops {

struct Prelu {  // y = x where x > 0, else a·x   dx = dy, or dy·a   da = 0, or dy·x   (He et al., ICCV 2015)
  static constexpr const char* name = "prelu";
  template <class X> static X value(X x, X a) { return math::select(x > X(0), x, a * x); }
  template <class X> static X da(X dy, X x, X a) { return math::select(x > X(0), dy, dy * a); }
  template <class X> static X db(X dy, X x, X) { return math::select(x > X(0), X(0), dy * x); }
};
struct Celu {  // y = x where x > 0, else a (e^(x/a) − 1): of slope 1 at 0 whatever a is   (Barron, 2017)
  static constexpr const char* name = "celu";
  template <class X> static X value(X x, X a) { return math::select(x > X(0), x, a * math::expm1(x / a)); }
  template <class X> static X slope_at_x(X x, X a) { return math::select(x > X(0), X(1), math::exp(x / a)); }
};
struct
    Selu {  // y = γ elu(x, α): keeps mean 0 and variance 1 from layer to layer   (Klambauer et al., NIPS 2017)
  static constexpr const char* name = "selu";
  static constexpr double alpha = 1.6732632423543772, gamma = 1.0507009873554805;
  template <class X> static X value(X x) { return X(gamma) * Elu::value(x, X(alpha)); }
  template <class X> static X slope_at_x(X x) { return X(gamma) * Elu::slope_at_x(x, X(alpha)); }
};

}  // namespace ops

/// A leaky_relu whose slope is learned: `slope` broadcasts against x, one number or one for each column.
template <Operand X, Operand A> auto prelu(const X& x, const A& slope) {
  return pairwise<ops::Prelu>(x, slope);
}
/// Throws ValueError unless alpha > 0.
template <Operand X> auto celu(const X& x, double alpha = 1) {
  detail::require<ValueError>(alpha > 0, "celu: alpha is ", alpha, "; it must be positive");
  return pointwise<ops::Celu>(x, alpha);
}
template <Operand X> auto selu(const X& x) { return pointwise<ops::Selu>(x); }

}  // namespace gradus
