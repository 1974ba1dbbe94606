// SPDX-License-Identifier: MIT
// A formula's expression as CUDA C++.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include <gradus/core/formula.hpp>
#include <gradus/cuda/context.hpp>

namespace gradus::cuda {

/// The number as the formula's type has it, exactly: a hexadecimal literal.
inline std::string literal(double x, Dtype type) {
  if (type == Dtype::f32) x = static_cast<double>(static_cast<float>(x));
  char text[64];
  if (type != Dtype::f32 && type != Dtype::f64)
    std::snprintf(text, sizeof text, "(T)%lld", static_cast<long long>(x));
  else if (!std::isfinite(x))
    std::snprintf(text, sizeof text, "(T)(%s1.0 / 0.0%s)", x < 0 ? "-" : "", std::isnan(x) ? " * 0.0" : "");
  else if (type == Dtype::f32)
    std::snprintf(text, sizeof text, "%af", x);
  else
    std::snprintf(text, sizeof text, "%a", x);
  return text;
}

/// Node n, whose operands are v0, v1, …; inputs are x0, x1 …, scalars s0, s1 …
inline std::string node_text(const symbolic::Node& n, Dtype type) {
  using symbolic::Operation;
  const std::string a = detail::message("v", n.a), b = detail::message("v", n.b),
                    c = detail::message("v", n.c);
  const auto infix = [&](const char* op) { return detail::message(a, " ", op, " ", b); };
  const auto call = [&](const char* f) { return detail::message(f, "(", a, ")"); };
  const bool real = type == Dtype::f32 || type == Dtype::f64;
  switch (n.operation) {
    case Operation::input:
      return detail::message("x", n.a);
    case Operation::scalar:
      return detail::message("s", n.a);
    case Operation::literal:
      return literal(n.literal, type);
    case Operation::add:
      return infix("+");
    case Operation::sub:
      return infix("-");
    case Operation::mul:
      return infix("*");
    case Operation::div:
      return infix("/");
    case Operation::neg:
      return detail::message("-", a);
    case Operation::fma:
      return detail::message("gradus_fma(", a, ", ", b, ", ", c, ")");
    case Operation::max:
      return detail::message("gradus_max(", a, ", ", b, ")");
    case Operation::min:
      return detail::message("gradus_min(", a, ", ", b, ")");
    case Operation::select:
      return detail::message(a, " ? ", b, " : ", c);
    case Operation::exp:
      return call("exp");
    case Operation::expm1:
      return call("expm1");
    case Operation::log:
      return call("log");
    case Operation::log1p:
      return call("log1p");
    case Operation::tanh:
      return call("tanh");
    case Operation::sin:
      return call("sin");
    case Operation::cos:
      return call("cos");
    case Operation::erf:
      return call("erf");
    case Operation::sqrt:
      return call("sqrt");
    case Operation::abs:
      return real ? call("fabs") : detail::message(a, " < 0 ? -", a, " : ", a);
    case Operation::floor:
      return call("floor");
    case Operation::pow:
      return detail::message("pow(", a, ", ", b, ")");
    case Operation::less:
      return infix("<");
    case Operation::less_equal:
      return infix("<=");
    case Operation::equal:
      return infix("==");
    case Operation::land:
      return infix("&&");
    case Operation::lor:
      return infix("||");
    case Operation::lnot:
      return detail::message("!", a);
  }
  return {};
}

/// A function `name` of the inputs and scalars, as T's; its results are written to r0, r1 …
inline std::string function_text(const char* name, symbolic::Write write, Dtype type, int inputs,
                                 int scalars) {
  symbolic::Expression e;
  write(e);
  std::string text = detail::message("GRADUS_INLINE void ", name, "(");
  for (int k = 0; k < e.results; ++k) text += detail::message(k ? ", " : "", "T& r", k);
  for (int k = 0; k < inputs; ++k) text += detail::message(", T x", k);
  for (int k = 0; k < scalars; ++k) text += detail::message(", T s", k);
  text += ") {\n";
  for (int i = 0; i < e.size; ++i)
    text += detail::message("  const ", e.nodes[i].is_bool() ? "bool" : "T", " v", i, " = ",
                            node_text(e.nodes[i], type), ";\n");
  for (int k = 0; k < e.results; ++k) text += detail::message("  r", k, " = (T)v", e.result[k], ";\n");
  return text + "}\n";
}

/// y = max(x, 0), which libraries have: the formula itself says so.
inline bool is_relu(symbolic::Write write) {
  using symbolic::Operation;
  if (!write) return false;
  symbolic::Expression e;
  write(e);
  if (e.size != 3 || e.results != 1) return false;
  const symbolic::Node& y = e.nodes[e.result[0]];
  return y.operation == Operation::max && e.nodes[y.a].operation == Operation::input &&
         e.nodes[y.b].operation == Operation::literal && e.nodes[y.b].literal == 0;
}

/// The number of scalars that a formula takes: as many as its text names.
inline int scalars_of(symbolic::Write write) {
  symbolic::Expression e;
  write(e);
  int n = 0;
  for (int i = 0; i < e.size; ++i)
    if (e.nodes[i].operation == symbolic::Operation::scalar && e.nodes[i].a >= n) n = e.nodes[i].a + 1;
  return n;
}

inline int results_of(symbolic::Write write) {
  symbolic::Expression e;
  write(e);
  return e.results;
}

}  // namespace gradus::cuda
