// SPDX-License-Identifier: MIT
// Ops from formulas: write the value and its slope once, over any X, and every device has forward and
// backward.
//
//   struct Sigmoid {                                                             // y = 1 / (1 + e⁻ˣ)
//     static constexpr const char* name = "sigmoid";
//     template <class X> static X value(X x) { return 1 / (1 + math::exp(-x)); }
//     template <class X> static X slope_at_y(X y) { return y * (1 - y); }        // keeps y; slope_at_x would
//     keep x
//   };
//   pointwise<Sigmoid>(x)
//
// Numbers that a formula takes beside its operands (a slope, an exponent) are its last arguments.
#pragma once

#include <gradus/kernels/reduce.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

template <class F> struct Slope {
  template <class X, class... A> static X value(X kept, X dy, A... a) {
    if constexpr (requires { F::slope_at_y(kept, a...); })
      return dy * F::slope_at_y(kept, a...);
    else
      return dy * F::slope_at_x(kept, a...);
  }
};

/// Numbers that a formula takes beside its operands: at most.
constexpr std::size_t most_scalars = 2;
template <class T> using Scalars = std::array<T, most_scalars>;

/// y = F(x, scalars…)     dx = dy · F′: the op is the same code for all formulas.
template <class T> struct PointwiseFormula {
  const char* name;
  const kernels::Formula& value;
  const kernels::Formula& slope;  // dy · F′(kept)
  bool keeps_y;
};
template <class F, class T, std::size_t A> constexpr PointwiseFormula<T> describe_pointwise() {
  return []<std::size_t... I>(std::index_sequence<I...>)->PointwiseFormula<T> {
    constexpr bool keeps_y = requires(T v, Scalars<T> a) { F::slope_at_y(v, a[I]...); };
    return {F::name, kernels::formula<F, T, T, A, T>, kernels::formula<Slope<F>, T, T, A, T, T>, keeps_y};
  }
  (std::make_index_sequence<A>());
}
template <class F, class T, std::size_t A>
inline constexpr PointwiseFormula<T> pointwise_formula = describe_pointwise<F, T, A>();

template <class T> struct Pointwise {
  View<T> x;
  const PointwiseFormula<T>& f;
  Scalars<T> scalars;
  View<T> kept = {};

  Shape shape() const { return x.shape; }
  void forward(const Sink<T>& y, Step&) {
    kernels::map(f.value, y, scalars.data(), x);
    kept = f.keeps_y ? y.view() : x;
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::map(f.slope, dx, scalars.data(), kept, dy);
  }
};

/// dx = dy summed over the axes along which x was broadcast, or any other axes: bit i of `axes` is axis i of
/// dy.
template <class T> void sum_axes(const Sink<T>& dx, View<T> dy, unsigned axes, Step& step, T scale = T(1)) {
  if (!dx.wanted()) return;
  const auto summed = [&](int i) { return dy.shape[i] == 1 || (axes >> i & 1); };
  for (int last = dy.shape.rank() - 1; last >= 0;
       --last) {  // neighbouring axes in one pass, the innermost first
    if (!(axes >> last & 1) || dy.shape[last] == 1) continue;
    int first = last;
    while (first > 0 && summed(first - 1)) --first;
    Index n = 1, inner = 1;
    for (int i = first; i <= last; ++i) n *= dy.shape[i];
    for (int i = last + 1; i < dy.shape.rank(); ++i) inner *= dy.shape[i];
    const Index outer = dy.shape.outer(first);
    Shape rest = dy.shape;
    for (int i = first; i <= last; ++i) rest = rest.with(i, 1);
    if (rest.size() == dx.size()) return kernels::sum(dx, dy, {outer, n, inner}, scale);
    const Sink<T> part = step.scratch<T>(rest);
    kernels::sum(part, dy, {outer, n, inner});
    dy = part.view();
    last = first;
  }
  kernels::sum(dx, dy, {dy.size(), 1, 1}, scale);  // nothing to sum: axes of size 1, or none
}

/// The axes of y along which x was broadcast.
inline unsigned broadcast_axes(const Shape& y, const Shape& x) {
  unsigned axes = 0;
  for (int i = 0; i < y.rank(); ++i) {
    const int own = i - (y.rank() - x.rank());
    if (own < 0 || (x[own] == 1 && y[i] != 1)) axes |= 1u << i;
  }
  return axes;
}

/// Sends a gradient of the result's shape to an operand: write(sink) computes it, and where the operand was
/// broadcast it is summed over those axes.
template <class T, class Write>
void to_operand(const Sink<T>& dx, const View<T>& dc, Step& step, const Write& write) {
  if (!dx.wanted()) return;
  if (dx.shape == dc.shape) return write(dx);
  const Sink<T> whole = step.scratch<T>(dc.shape);
  write(whole);
  sum_axes(dx, whole.view(), broadcast_axes(dc.shape, dx.shape), step);
}

template <class F> struct SlopeA {
  template <class X, class... R> static X value(X dc, R... r) { return F::da(dc, r...); }
};
template <class F> struct SlopeB {
  template <class X, class... R> static X value(X dc, R... r) { return F::db(dc, r...); }
};

/// c = F(a, b) with NumPy's broadcasting     da = F::da(dc, a, b), or F::da(dc) where nothing else matters
template <class T> struct PairwiseFormula {
  const char* name;
  const kernels::Formula &value, &da, &db;
  bool of_dc_alone;
};
template <class F, class T> constexpr PairwiseFormula<T> describe_pairwise() {
  using kernels::formula;
  if constexpr (requires(T v) { F::da(v); })
    return {F::name, formula<F, T, T, 0, T, T>, formula<SlopeA<F>, T, T, 0, T>,
            formula<SlopeB<F>, T, T, 0, T>, true};
  else
    return {F::name, formula<F, T, T, 0, T, T>, formula<SlopeA<F>, T, T, 0, T, T, T>,
            formula<SlopeB<F>, T, T, 0, T, T, T>, false};
}
template <class F, class T> inline constexpr PairwiseFormula<T> pairwise_formula = describe_pairwise<F, T>();

template <class T> struct Pairwise {
  View<T> a, b;
  const PairwiseFormula<T>& f;

  Shape shape() const { return broadcast(a.shape, b.shape, f.name); }
  void forward(const Sink<T>& c, Step&) { kernels::map<T>(f.value, c, nullptr, a, b); }
  void backward(const View<T>& dc, Step& step, const Sink<T>& da, const Sink<T>& db) const {
    send(f.da, dc, step, da);
    send(f.db, dc, step, db);
  }

 private:
  void send(const kernels::Formula& slope, const View<T>& dc, Step& step, const Sink<T>& dx) const {
    to_operand(dx, dc, step, [&](const Sink<T>& to) {
      if (f.of_dc_alone)
        kernels::map<T>(slope, to, nullptr, dc);
      else
        kernels::map<T>(slope, to, nullptr, dc, a, b);
    });
  }
};

// the same code for all formulas, here too
template <class T>
Tensor<T> apply_formula(const PointwiseFormula<T>& f, const Scalars<T>& scalars, const Tensor<T>& x) {
  return apply(
      f.name,
      [&](const View<T>& v) {
        return Pointwise<T>{v, f, scalars};
      },
      x);
}
template <class T>
Tensor<T> apply_formula(const PairwiseFormula<T>& f, const Tensor<T>& a, const Tensor<T>& b) {
  const auto make = [&](const View<T>& va, const View<T>& vb) { return Pairwise<T>{va, vb, f}; };
  return apply(f.name, make, a, b);
}

}  // namespace ops

/// y = F(x, scalars…), element by element. See the head of this file; throws what apply throws.
template <class F, Operand X, class... A> auto pointwise(const X& x, A... scalars) {
  using T = scalar_of<X>;
  static_assert(sizeof...(A) <= ops::most_scalars, "a pointwise formula takes at most two numbers beside x");
  return ops::apply_formula<T>(ops::pointwise_formula<F, T, sizeof...(A)>, {static_cast<T>(scalars)...},
                               as_tensor(x));
}
/// c = F(a, b), element by element, with NumPy's broadcasting.
template <class F, Operand X, Operand Y> auto pairwise(const X& a, const Y& b) {
  using T = scalar_of<X>;
  static_assert(std::is_same_v<T, scalar_of<Y>>,
                "operands of two scalar types: convert one with array.to<T>()");
  return ops::apply_formula<T>(ops::pairwise_formula<F, T>, as_tensor(a), as_tensor(b));
}

}  // namespace gradus
