// SPDX-License-Identifier: MIT
// Sums, extremes and their places along one axis: x is [outer, n, inner], the result [outer, inner].
//
// Sums are pairwise: blocks of 128 terms are added in order, their sums as a tree, so that the error grows
// with log n and not with n (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 4.2). Work is
// split over results.
#pragma once

#include <gradus/cpu/map.hpp>

namespace gradus::cpu {

namespace detail {

/// Σ term(k), k < n, pairwise.
template <class X, class Term> X pairwise(Index n, const Term& term) {
  constexpr Index block = 128;
  X partial[48];  // sums of 1, 2, 4, … blocks: as the digits of a binary counter
  int depth = 0;
  for (Index first = 0, blocks = 1; first < n; first += block, ++blocks) {
    const Index last = std::min(n, first + block);
    X a = X(-0.0);  // −0 + x is x, −0 too
    for (Index k = first; k < last; ++k) a = a + term(k);
    for (Index b = blocks; b % 2 == 0; b /= 2) a = partial[--depth] + a;
    partial[depth++] = a;
  }
  if (depth == 0) return X(0);
  X total = partial[--depth];
  while (depth > 0) total = partial[--depth] + total;
  return total;
}

/// Σ x over n contiguous numbers.
template <class T> T sum_run(Index n, const T* x) {
  constexpr Index W = Wide<T>::size;
  const auto term = [&](Index k) {
    const Index left = n - k * W;
    return left >= W ? Wide<T>::load(x + k * W) : Wide<T>::load_partial(x + k * W, left);
  };
  return pairwise<Wide<T>>((n + W - 1) / W, term).sum();
}

/// Σ f(x…) over n elements: a piece at a time through a buffer that stays in L1.
template <class T> T sum_formula(RunFormula f, Index n, const void* scalars, const Operand* x, int operands) {
  constexpr Index piece = 1024;
  return pairwise<T>((n + piece - 1) / piece, [&](Index p) {
    alignas(64) T values[piece];
    const Index first = p * piece, m = std::min(piece, n - first);
    map_flat({f, Wide<T>::size, scalars, sizeof(T), false, x, operands}, reinterpret_cast<char*>(values),
             first, m);
    return sum_run(m, values);
  });
}

}  // namespace detail

/// y = scale · Σ f(x…, scalars…) over every element: what all losses share. Operands have one size, or one
/// element.
template <class T, class... U>
void sum_all(detail::RunFormula f, const Sink<T>& y, T scale, const T* scalars, const View<U>&... x) {
  const auto to = y.open();
  if (!to) return;
  const detail::Operand operands[] = {{reinterpret_cast<const char*>(x.data), sizeof(U), x.shape}...};
  const T s = scale * detail::sum_formula<T>(f, std::max({x.size()...}), scalars, operands, sizeof...(U));
  *to.data = to.add ? *to.data + s : s;
}

/// y[o, i] = scale · Σₖ x[o, k, i]
template <class T> void sum(const Sink<T>& y, const View<T>& x, Groups g, T scale) {
  const auto to = y.open();
  if (!to) return;
  constexpr Index W = Wide<T>::size;
  const Index columns = (g.inner + W - 1) / W;  // blocks of columns, the last one partial
  const Index grain =
      std::max<Index>(1, detail::map_grain / std::max<Index>(1, g.n * (g.inner == 1 ? 1 : W)));
  if (g.inner == 1)
    parallel_for(g.outer, grain, [&](Index first, Index last) {
      for (Index o = first; o < last; ++o) {
        const T s = scale * detail::sum_run(g.n, x.data + o * g.n);
        to.data[o] = to.add ? to.data[o] + s : s;
      }
    });
  else
    parallel_for(g.outer * columns, grain, [&](Index first, Index last) {
      for (Index r = first; r < last; ++r) {
        const Index o = r / columns, i = r % columns * W, m = std::min(W, g.inner - i);
        const T* from = x.data + o * g.n * g.inner + i;
        const auto s = detail::pairwise<Wide<T>>(g.n, [&](Index k) {
          const T* const row = from + k * g.inner;
          return m == W ? Wide<T>::load(row) : Wide<T>::load_partial(row, m);
        });
        detail::store<T>(to.data + o * g.inner + i, Wide<T>(scale) * s, to.add, m);
      }
    });
}

namespace detail {

template <bool largest, class T> bool beats(const T& a, const T& b) {
  return (largest ? a > b : a < b) || (a != a && b == b);  // NaN beats all: it must not vanish
}

/// The place of the extreme of a group, the first one where several are equal.
template <bool largest, class T> Index extreme_at(const T* x, Index n, Index stride) {
  Index best = 0;
  for (Index k = 1; k < n; ++k)
    if (beats<largest>(x[k * stride], x[best * stride])) best = k;
  return best;
}
template <class F> void each_group(Groups g, F&& f) {
  parallel_for(g.outer * g.inner, std::max<Index>(1, map_grain / std::max<Index>(1, g.n)),
               [&](Index first, Index last) {
                 for (Index r = first; r < last; ++r) f(r, r / g.inner * g.n * g.inner + r % g.inner);
               });
}

}  // namespace detail

/// y[o, i] = max or min of x[o, ·, i]; NaN if there is one. n ≥ 1.
template <bool largest, class T> void extreme(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  detail::each_group(g, [&](Index r, Index at) {
    const T m = x.data[at + detail::extreme_at<largest>(x.data + at, g.n, g.inner) * g.inner];
    to.data[r] = to.add ? to.data[r] + m : m;
  });
}

/// dx[o, k, i] = dy[o, i] / count where x is the extreme y: equal ones share the gradient.
template <class T>
void extreme_slope(const Sink<T>& dx, const View<T>& x, const View<T>& y, const View<T>& dy, Groups g) {
  const auto to = dx.open();
  if (!to) return;
  detail::each_group(g, [&](Index r, Index at) {
    T count(0);
    for (Index k = 0; k < g.n; ++k)
      if (x.data[at + k * g.inner] == y.data[r]) count = count + T(1);
    for (Index k = 0; k < g.n; ++k) {
      T& d = to.data[at + k * g.inner];
      const T share = x.data[at + k * g.inner] == y.data[r] ? dy.data[r] / count : T(0);
      d = to.add ? d + share : share;
    }
  });
}

/// y[o, i] = the place of the extreme of x[o, ·, i], the first of equals.
template <bool largest, class T> void extreme_place(const Sink<std::int32_t>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  detail::each_group(g, [&](Index r, Index at) {
    to.data[r] = static_cast<std::int32_t>(detail::extreme_at<largest>(x.data + at, g.n, g.inner));
  });
}

}  // namespace gradus::cpu
