// SPDX-License-Identifier: MIT
// exp expm1 log log1p sin cos tanh erf
#pragma once

#include <gradus/ops/pointwise.hpp>

namespace gradus {
namespace ops {

struct Exp {
  static constexpr const char* name = "exp";
  template <class X> static X value(X x) { return math::exp(x); }
  template <class X> static X slope_at_y(X y) { return y; }
};
struct Expm1 {  // y = eˣ − 1
  static constexpr const char* name = "expm1";
  template <class X> static X value(X x) { return math::expm1(x); }
  template <class X> static X slope_at_y(X y) { return y + 1; }
};
struct Log {
  static constexpr const char* name = "log";
  template <class X> static X value(X x) { return math::log(x); }
  template <class X> static X slope_at_x(X x) { return 1 / x; }
};
struct Log1p {  // y = ln(1 + x)
  static constexpr const char* name = "log1p";
  template <class X> static X value(X x) { return math::log1p(x); }
  template <class X> static X slope_at_x(X x) { return 1 / (1 + x); }
};
struct Sin {
  static constexpr const char* name = "sin";
  template <class X> static X value(X x) { return math::sin(x); }
  template <class X> static X slope_at_x(X x) { return math::cos(x); }
};
struct Cos {
  static constexpr const char* name = "cos";
  template <class X> static X value(X x) { return math::cos(x); }
  template <class X> static X slope_at_x(X x) { return -math::sin(x); }
};
struct Tanh {
  static constexpr const char* name = "tanh";
  template <class X> static X value(X x) { return math::tanh(x); }
  template <class X> static X slope_at_y(X y) { return 1 - y * y; }
};
struct Erf {  // dy/dx = 2/√π · exp(−x²)
  static constexpr const char* name = "erf";
  template <class X> static X value(X x) { return math::erf(x); }
  template <class X> static X slope_at_x(X x) { return X(1.1283791670955126) * math::exp(-(x * x)); }
};

}  // namespace ops

template <Operand A> auto exp(const A& a) { return pointwise<ops::Exp>(a); }
template <Operand A> auto expm1(const A& a) { return pointwise<ops::Expm1>(a); }
template <Operand A> auto log(const A& a) { return pointwise<ops::Log>(a); }
template <Operand A> auto log1p(const A& a) { return pointwise<ops::Log1p>(a); }
template <Operand A> auto sin(const A& a) { return pointwise<ops::Sin>(a); }
template <Operand A> auto cos(const A& a) { return pointwise<ops::Cos>(a); }
template <Operand A> auto tanh(const A& a) { return pointwise<ops::Tanh>(a); }
template <Operand A> auto erf(const A& a) { return pointwise<ops::Erf>(a); }

}  // namespace gradus
