// SPDX-License-Identifier: MIT
// A formula written down. F::value(Symbol…) computes nothing: each operation of it becomes a node, and the
// nodes are what a device's compiler reads (CUDA prints them as text; another device may build a program of
// them).
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include <gradus/core/error.hpp>

namespace gradus::symbolic {

/// A node's value is a number of the formula's type or, from `less` to `lnot`, a bool.
enum class Operation : std::uint8_t {
  input,
  scalar,
  literal,  // operand a, scalar a, the number itself
  add,
  sub,
  mul,
  div,
  neg,
  fma,
  max,
  min,
  select,  // select: a ? b : c
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sin,
  cos,
  erf,
  sqrt,
  abs,
  floor,
  pow,
  less,
  less_equal,
  equal,
  land,
  lor,
  lnot,
};

/// Operands are places of nodes before this one.
struct Node {
  Operation operation;
  std::int16_t a = 0, b = 0, c = 0;
  double literal = 0;
  bool is_bool() const { return operation >= Operation::less; }
};

/// Nodes in an order in which they can be computed, each one once.
struct Expression {
  static constexpr int most_nodes = 160, most_results = 4;
  Node nodes[most_nodes];
  int size = 0, results = 0;
  std::int16_t result[most_results];

  std::int16_t add(const Node& n) {
    for (int i = 0; i < size; ++i) {
      const Node& m = nodes[i];
      if (m.operation == n.operation && m.a == n.a && m.b == n.b && m.c == n.c &&
          __builtin_memcmp(&m.literal, &n.literal, sizeof n.literal) == 0)
        return static_cast<std::int16_t>(i);
    }
    detail::require<ValueError>(size < most_nodes, "formula: it has more than ", most_nodes, " operations");
    nodes[size] = n;
    return static_cast<std::int16_t>(size++);
  }
};

/// Stands for a number, or a condition, in a formula that is being written.
class Symbol {
 public:
  Symbol() = default;
  Symbol(double x) : Symbol(Node{Operation::literal, 0, 0, 0, x}) {}
  // not inline: an expression is written once, and its text should not be optimised for minutes
  [[gnu::noinline, gnu::cold]] explicit Symbol(const Node& n) : at_(writing->add(n)) {}

  static Symbol input(std::size_t k) { return of(Operation::input, k); }
  static Symbol scalar(std::size_t k) { return of(Operation::scalar, k); }
  void is_result() const {
    detail::require<ValueError>(writing->results < Expression::most_results, "formula: it has more than ",
                                Expression::most_results, " results");
    writing->result[writing->results++] = at_;
  }

  friend Symbol operator+(Symbol a, Symbol b) { return {Operation::add, a, b}; }
  friend Symbol operator-(Symbol a, Symbol b) { return {Operation::sub, a, b}; }
  friend Symbol operator*(Symbol a, Symbol b) { return {Operation::mul, a, b}; }
  friend Symbol operator/(Symbol a, Symbol b) { return {Operation::div, a, b}; }
  friend Symbol operator-(Symbol a) { return {Operation::neg, a}; }
  friend Symbol operator<(Symbol a, Symbol b) { return {Operation::less, a, b}; }
  friend Symbol operator<=(Symbol a, Symbol b) { return {Operation::less_equal, a, b}; }
  friend Symbol operator>(Symbol a, Symbol b) { return b < a; }
  friend Symbol operator>=(Symbol a, Symbol b) { return b <= a; }
  friend Symbol operator==(Symbol a, Symbol b) { return {Operation::equal, a, b}; }
  friend Symbol operator!=(Symbol a, Symbol b) { return !(a == b); }
  friend Symbol operator&(Symbol a, Symbol b) { return {Operation::land, a, b}; }
  friend Symbol operator|(Symbol a, Symbol b) { return {Operation::lor, a, b}; }
  friend Symbol operator!(Symbol a) { return {Operation::lnot, a}; }

  friend Symbol fma(Symbol a, Symbol b, Symbol c) { return {Operation::fma, a, b, c}; }
  friend Symbol select(Symbol condition, Symbol a, Symbol b) { return {Operation::select, condition, a, b}; }
  friend Symbol max(Symbol a, Symbol b) { return {Operation::max, a, b}; }
  friend Symbol min(Symbol a, Symbol b) { return {Operation::min, a, b}; }
  friend Symbol pow(Symbol a, Symbol b) { return {Operation::pow, a, b}; }
  friend Symbol exp(Symbol a) { return {Operation::exp, a}; }
  friend Symbol expm1(Symbol a) { return {Operation::expm1, a}; }
  friend Symbol log(Symbol a) { return {Operation::log, a}; }
  friend Symbol log1p(Symbol a) { return {Operation::log1p, a}; }
  friend Symbol tanh(Symbol a) { return {Operation::tanh, a}; }
  friend Symbol sin(Symbol a) { return {Operation::sin, a}; }
  friend Symbol cos(Symbol a) { return {Operation::cos, a}; }
  friend Symbol erf(Symbol a) { return {Operation::erf, a}; }
  friend Symbol sqrt(Symbol a) { return {Operation::sqrt, a}; }
  friend Symbol abs(Symbol a) { return {Operation::abs, a}; }
  friend Symbol floor(Symbol a) { return {Operation::floor, a}; }

  /// The expression that this thread is writing.
  static inline constinit thread_local Expression* writing = nullptr;

 private:
  Symbol(Operation o, Symbol a) : Symbol(Node{o, a.at_}) {}
  Symbol(Operation o, Symbol a, Symbol b) : Symbol(Node{o, a.at_, b.at_}) {}
  Symbol(Operation o, Symbol a, Symbol b, Symbol c) : Symbol(Node{o, a.at_, b.at_, c.at_}) {}
  static Symbol of(Operation o, std::size_t k) { return Symbol(Node{o, static_cast<std::int16_t>(k)}); }

  std::int16_t at_ = 0;
};

/// What a formula or a rule is asked for by a device that compiles it.
using Write = void (*)(Expression&);

struct Writing {
  explicit Writing(Expression& e) : before(std::exchange(Symbol::writing, &e)) {}
  ~Writing() { Symbol::writing = before; }
  Writing(const Writing&) = delete;
  Expression* const before;
};

/// F::value of inputs 0, 1 … and scalars 0, 1 …
template <class F, class K, class A> struct Written;
template <class F, std::size_t... K, std::size_t... A>
struct Written<F, std::index_sequence<K...>, std::index_sequence<A...>> {
  [[gnu::cold]] static void write(Expression& e) {
    const Writing scope(e);
    F::value(Symbol::input(K)..., Symbol::scalar(A)...).is_result();
  }
};

/// Rule::update: inputs and results are w, then (inputs only) g, then the rule's state; A numbers.
template <class Rule, std::size_t A> [[gnu::cold]] void write_rule(Expression& e) {
  const Writing scope(e);
  Symbol w = Symbol::input(0);
  std::array<Symbol, std::size_t(Rule::states)> state;
  for (std::size_t k = 0; k < state.size(); ++k) state[k] = Symbol::input(2 + k);
  std::array<Symbol, A> numbers;
  for (std::size_t k = 0; k < A; ++k) numbers[k] = Symbol::scalar(k);
  Rule::update(w, Symbol::input(1), state, numbers);
  w.is_result();
  for (const Symbol& s : state) s.is_result();
}

}  // namespace gradus::symbolic
