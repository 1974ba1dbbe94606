// SPDX-License-Identifier: MIT
// minimum maximum clamp, comparisons (to bool) and where. Equal operands of minimum and maximum share the
// gradient.
#pragma once

#include <gradus/ops/arithmetic.hpp>

namespace gradus {
namespace ops {

template <class X> X share(X dc, X winner, X loser) {  // 1 to the winner, ½ each where they are equal
  return dc * math::select(winner > loser, X(1), math::select(winner == loser, X(0.5), X(0)));
}
struct Maximum {
  static constexpr const char* name = "maximum";
  template <class X> static X value(X a, X b) { return math::max(a, b); }
  template <class X> static X da(X dc, X a, X b) { return share(dc, a, b); }
  template <class X> static X db(X dc, X a, X b) { return share(dc, b, a); }
};
struct Minimum {
  static constexpr const char* name = "minimum";
  template <class X> static X value(X a, X b) { return math::min(a, b); }
  template <class X> static X da(X dc, X a, X b) { return share(dc, b, a); }
  template <class X> static X db(X dc, X a, X b) { return share(dc, a, b); }
};
struct Clamp {  // slope 1 within [low, high], both included
  static constexpr const char* name = "clamp";
  template <class X> static X value(X x, X low, X high) { return math::min(math::max(x, low), high); }
  template <class X> static X slope_at_x(X x, X low, X high) {
    return math::select((x >= low) & (x <= high), X(1), X(0));
  }
};

#define GRADUS_COMPARISON(Name, op)                                                          \
  struct Name {                                                                              \
    static constexpr const char* name = #op;                                                 \
    template <class X> static X value(X a, X b) { return math::select(a op b, X(1), X(0)); } \
  }
GRADUS_COMPARISON(Less, <);
GRADUS_COMPARISON(LessEqual, <=);
GRADUS_COMPARISON(Greater, >);
GRADUS_COMPARISON(GreaterEqual, >=);
GRADUS_COMPARISON(Equal, ==);
GRADUS_COMPARISON(NotEqual, !=);
#undef GRADUS_COMPARISON

template <class F, class T> struct Comparison {
  static constexpr const char* name = F::name;
  View<T> a, b;
  Shape shape() const { return broadcast(a.shape, b.shape, name); }
  void forward(const Sink<bool>& c, Step&) { kernels::map<F, T>(c, std::array<T, 0>(), a, b); }
};

struct Pick {
  template <class X> static X value(X m, X a, X b) { return math::select(m != X(0), a, b); }
};
struct PickA {
  template <class X> static X value(X dc, X m) { return math::select(m != X(0), dc, X(0)); }
};
struct PickB {
  template <class X> static X value(X dc, X m) { return math::select(m != X(0), X(0), dc); }
};
template <class T> struct Where {  // c = m ? a : b   da = m ? dc : 0   db = m ? 0 : dc
  static constexpr const char* name = "where";
  View<bool> m;
  View<T> a, b;

  Shape shape() const { return broadcast(m.shape, broadcast(a.shape, b.shape, name), name); }
  void forward(const Sink<T>& c, Step&) { kernels::map<Pick, T>(c, std::array<T, 0>(), m, a, b); }
  void backward(const View<T>& dc, Step& step, const Sink<bool>&, const Sink<T>& da,
                const Sink<T>& db) const {
    const std::array<T, 0> none;
    to_operand(da, dc, step, [&](const Sink<T>& to) { kernels::map<PickA, T>(to, none, dc, m); });
    to_operand(db, dc, step, [&](const Sink<T>& to) { kernels::map<PickB, T>(to, none, dc, m); });
  }
};

}  // namespace ops

template <Operand A, Operand B> auto maximum(const A& a, const B& b) { return pairwise<ops::Maximum>(a, b); }
template <Operand A, Operand B> auto minimum(const A& a, const B& b) { return pairwise<ops::Minimum>(a, b); }
template <Operand A> auto clamp(const A& a, double low, double high) {
  detail::require<ValueError>(low <= high, "clamp: low is ", low, ", high is ", high,
                              "; low must not be above high");
  return pointwise<ops::Clamp>(a, low, high);
}

/// Tensor<bool>, element by element, with broadcasting. For a number: x > full<float>({}, 0.5f).
template <class F, Operand A, Operand B> Tensor<bool> compare(const A& a, const B& b) {
  using T = scalar_of<A>;
  static_assert(std::is_same_v<T, scalar_of<B>>,
                "operands of two scalar types: convert one with array.to<T>()");
  return apply(
      [](const View<T>& va, const View<T>& vb) {
        return ops::Comparison<F, T>{va, vb};
      },
      as_tensor(a), as_tensor(b));
}
template <Operand A, Operand B> auto less(const A& a, const B& b) { return compare<ops::Less>(a, b); }
template <Operand A, Operand B> auto less_equal(const A& a, const B& b) {
  return compare<ops::LessEqual>(a, b);
}
template <Operand A, Operand B> auto greater(const A& a, const B& b) { return compare<ops::Greater>(a, b); }
template <Operand A, Operand B> auto greater_equal(const A& a, const B& b) {
  return compare<ops::GreaterEqual>(a, b);
}
template <Operand A, Operand B> auto equal(const A& a, const B& b) { return compare<ops::Equal>(a, b); }
template <Operand A, Operand B> auto not_equal(const A& a, const B& b) {
  return compare<ops::NotEqual>(a, b);
}

/// condition ? a : b, element by element, with broadcasting.
template <Operand M, Operand A, Operand B> auto where(const M& condition, const A& a, const B& b) {
  using T = scalar_of<A>;
  return apply(
      [](const View<bool>& m, const View<T>& va, const View<T>& vb) {
        return ops::Where<T>{m, va, vb};
      },
      as_tensor(condition), as_tensor(a), as_tensor(b));
}

}  // namespace gradus
