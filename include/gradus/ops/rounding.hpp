// SPDX-License-Identifier: MIT
// floor ceil round: whole numbers. Their slope is 0, also where they jump, as PyTorch's and JAX's.
#pragma once

#include <gradus/ops/pointwise.hpp>

namespace gradus {
namespace ops {

struct Floor {
  static constexpr const char* name = "floor";
  template <class X> static X value(X x) { return math::floor(x); }
  template <class X> static X slope_at_x(X) { return X(0); }
};
struct Ceil {
  static constexpr const char* name = "ceil";
  template <class X> static X value(X x) { return -math::floor(-x); }
  template <class X> static X slope_at_x(X) { return X(0); }
};
struct Round {  // the nearest whole number, of two the even one   (IEEE 754: roundTiesToEven)
  static constexpr const char* name = "round";
  template <class X> static X value(X x) {
    const X a = math::abs(x), below = math::floor(a), rest = a - below;  // exact
    const X odd = below - 2 * math::floor(X(0.5) * below);
    const X nearest = below + math::select((rest > X(0.5)) | ((rest == X(0.5)) & (odd == X(1))), X(1), X(0));
    return math::select(x > X(0), nearest, math::select(x < X(0), -nearest, x));  // −0 and NaN stay
  }
  template <class X> static X slope_at_x(X) { return X(0); }
};

}  // namespace ops

template <Operand A> auto floor(const A& a) { return pointwise<ops::Floor>(a); }
template <Operand A> auto ceil(const A& a) { return pointwise<ops::Ceil>(a); }
template <Operand A> auto round(const A& a) { return pointwise<ops::Round>(a); }

}  // namespace gradus
