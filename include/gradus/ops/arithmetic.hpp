// SPDX-License-Identifier: MIT
// + − · / between tensors, and between a tensor and a number. Shapes broadcast as NumPy's.
//   c = a + b   da = dc       db = dc
//   c = a · b   da = dc·b     db = dc·a
//   c = a / b   da = dc/b     db = −dc·a/b²
#pragma once

#include <gradus/ops/pointwise.hpp>

namespace gradus {
namespace ops {

struct Add {
  static constexpr const char* name = "add";
  template <class X> static X value(X a, X b) { return a + b; }
  template <class X> static X da(X dc) { return dc; }
  template <class X> static X db(X dc) { return dc; }
};
struct Sub {
  static constexpr const char* name = "sub";
  template <class X> static X value(X a, X b) { return a - b; }
  template <class X> static X da(X dc) { return dc; }
  template <class X> static X db(X dc) { return -dc; }
};
struct Mul {
  static constexpr const char* name = "mul";
  template <class X> static X value(X a, X b) { return a * b; }
  template <class X> static X da(X dc, X, X b) { return dc * b; }
  template <class X> static X db(X dc, X a, X) { return dc * a; }
};
struct Div {
  static constexpr const char* name = "div";
  template <class X> static X value(X a, X b) { return a / b; }
  template <class X> static X da(X dc, X, X b) { return dc / b; }
  template <class X> static X db(X dc, X a, X b) { return -(dc * a) / (b * b); }
};
struct Neg {
  static constexpr const char* name = "neg";
  template <class X> static X value(X x) { return -x; }
  template <class X> static X slope_at_x(X) { return X(-1); }
};
struct AddNumber {
  static constexpr const char* name = "add";
  template <class X> static X value(X x, X s) { return x + s; }
  template <class X> static X slope_at_x(X, X) { return X(1); }
};
struct MulNumber {
  static constexpr const char* name = "mul";
  template <class X> static X value(X x, X s) { return x * s; }
  template <class X> static X slope_at_x(X, X s) { return s; }
};
struct DivNumber {  // x / s, which x · (1/s) would round twice
  static constexpr const char* name = "div";
  template <class X> static X value(X x, X s) { return x / s; }
  template <class X> static X slope_at_x(X, X s) { return 1 / s; }
};
struct NumberSub {
  static constexpr const char* name = "sub";
  template <class X> static X value(X x, X s) { return s - x; }
  template <class X> static X slope_at_x(X, X) { return X(-1); }
};
struct NumberDiv {  // y = s / x   dx = −dy·s/x²
  static constexpr const char* name = "div";
  template <class X> static X value(X x, X s) { return s / x; }
  template <class X> static X slope_at_x(X x, X s) { return -s / (x * x); }
};

}  // namespace ops

template <class S>
concept Number = std::is_arithmetic_v<S>;

template <Operand A, Operand B> auto operator+(const A& a, const B& b) { return pairwise<ops::Add>(a, b); }
template <Operand A, Operand B> auto operator-(const A& a, const B& b) { return pairwise<ops::Sub>(a, b); }
template <Operand A, Operand B> auto operator*(const A& a, const B& b) { return pairwise<ops::Mul>(a, b); }
template <Operand A, Operand B> auto operator/(const A& a, const B& b) { return pairwise<ops::Div>(a, b); }
template <Operand A> auto operator-(const A& a) { return pointwise<ops::Neg>(a); }

template <Operand A, Number S> auto operator+(const A& a, S s) { return pointwise<ops::AddNumber>(a, s); }
template <Operand A, Number S>
auto operator-(const A& a, S s) {  // −s of an unsigned s would be a large number
  return pointwise<ops::AddNumber>(a, -static_cast<scalar_of<A>>(s));
}
template <Operand A, Number S> auto operator*(const A& a, S s) { return pointwise<ops::MulNumber>(a, s); }
template <Operand A, Number S> auto operator/(const A& a, S s) { return pointwise<ops::DivNumber>(a, s); }
template <Operand A, Number S> auto operator+(S s, const A& a) { return pointwise<ops::AddNumber>(a, s); }
template <Operand A, Number S> auto operator-(S s, const A& a) { return pointwise<ops::NumberSub>(a, s); }
template <Operand A, Number S> auto operator*(S s, const A& a) { return pointwise<ops::MulNumber>(a, s); }
template <Operand A, Number S> auto operator/(S s, const A& a) { return pointwise<ops::NumberDiv>(a, s); }

}  // namespace gradus
