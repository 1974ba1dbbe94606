// SPDX-License-Identifier: MIT
// pow square sqrt rsqrt reciprocal abs sign
#pragma once

#include <gradus/ops/arithmetic.hpp>

namespace gradus {
namespace ops {

struct Pow {  // c = aᵇ   da = dc·b·aᵇ⁻¹   db = dc·aᵇ·ln a, 0 where a = 0 and b ≥ 0
  static constexpr const char* name = "pow";
  template <class X> static X value(X a, X b) { return math::pow(a, b); }
  template <class X> static X da(X dc, X a, X b) { return dc * select_zero(b, b * math::pow(a, b - 1)); }
  template <class X> static X db(X dc, X a, X b) {
    return dc * math::select((a == X(0)) & (b >= X(0)), X(0), math::pow(a, b) * math::log(a));
  }
  template <class X> static X select_zero(X b, X slope) { return math::select(b == X(0), X(0), slope); }
};
struct PowNumber {
  static constexpr const char* name = "pow";
  template <class X> static X value(X x, X p) { return math::pow(x, p); }
  template <class X> static X slope_at_x(X x, X p) { return Pow::select_zero(p, p * math::pow(x, p - 1)); }
};
struct Square {
  static constexpr const char* name = "square";
  template <class X> static X value(X x) { return x * x; }
  template <class X> static X slope_at_x(X x) { return x + x; }
};
struct Sqrt {  // dy/dx = 1 / (2 √x)
  static constexpr const char* name = "sqrt";
  template <class X> static X value(X x) { return math::sqrt(x); }
  template <class X> static X slope_at_y(X y) { return X(0.5) / y; }
};
struct Rsqrt {  // y = x^(−½)   dy/dx = −½ y³
  static constexpr const char* name = "rsqrt";
  template <class X> static X value(X x) { return math::rsqrt(x); }
  template <class X> static X slope_at_y(X y) { return X(-0.5) * y * y * y; }
};
struct Reciprocal {
  static constexpr const char* name = "reciprocal";
  template <class X> static X value(X x) { return 1 / x; }
  template <class X> static X slope_at_y(X y) { return -(y * y); }
};
struct Abs {  // slope 0 at 0
  static constexpr const char* name = "abs";
  template <class X> static X value(X x) { return math::abs(x); }
  template <class X> static X slope_at_x(X x) { return math::sign(x); }
};
struct Sign {
  static constexpr const char* name = "sign";
  template <class X> static X value(X x) { return math::sign(x); }
  template <class X> static X slope_at_x(X) { return X(0); }
};

}  // namespace ops

template <Operand A, Operand B> auto pow(const A& a, const B& b) { return pairwise<ops::Pow>(a, b); }
template <Operand A, Number S> auto pow(const A& a, S exponent) {
  return pointwise<ops::PowNumber>(a, exponent);
}
template <Operand A> auto square(const A& a) { return pointwise<ops::Square>(a); }
template <Operand A> auto sqrt(const A& a) { return pointwise<ops::Sqrt>(a); }
template <Operand A> auto rsqrt(const A& a) { return pointwise<ops::Rsqrt>(a); }
template <Operand A> auto reciprocal(const A& a) { return pointwise<ops::Reciprocal>(a); }
template <Operand A> auto abs(const A& a) { return pointwise<ops::Abs>(a); }
template <Operand A> auto sign(const A& a) { return pointwise<ops::Sign>(a); }

}  // namespace gradus
