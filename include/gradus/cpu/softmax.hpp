// SPDX-License-Identifier: MIT
// Softmax and its relatives along one axis, x as [outer, n, inner]; every one subtracts the maximum first, so
// that exp cannot overflow.
#pragma once

#include <gradus/cpu/reduce.hpp>
#include <gradus/cpu/work.hpp>

namespace gradus::cpu {
namespace detail {

/// One group of n numbers as a contiguous row: in place where it is one, else by way of `buffer`.
template <class T> const T* gather_row(const T* x, Index n, Index stride, T* buffer) {
  if (stride == 1) return x;
  for (Index k = 0; k < n; ++k) buffer[k] = x[k * stride];
  return buffer;
}

/// max x, or 0 where that is infinite: then x − m is no ∞ − ∞.
template <class T> T shift(const T* x, Index n) {
  const T m = x[extreme_at<true>(x, n, 1)];
  return math::is_finite(m) ? m : T(0);
}
/// Σ exp(x − m), or Σ (x − m). The terms are left in `terms` where there is such a place.
template <class T> T sum_shifted(const T* x, Index n, T m, bool exponential, T* terms = nullptr) {
  constexpr Index W = Wide<T>::size;
  const auto term = [&](Index k) {
    const Index few = std::min(W, n - k * W);
    Wide<T> d = Wide<T>::load_partial(x + k * W, few) - Wide<T>(m);
    if (exponential) d = math::exp(d);
    if (terms) d.store_partial(terms + k * W, few);
    if (few == W) return d;
    alignas(64) T numbers[W] = {};  // the padding's terms are not 0
    d.store_partial(numbers, few);
    return Wide<T>::load(numbers);
  };
  return pairwise<Wide<T>>((n + W - 1) / W, term).sum();
}
template <class T, class F> void each_row(const View<T>& x, Groups g, F&& f) {
  each_group(g, [&](Index r, Index at) {
    T* buffer = g.inner == 1 ? nullptr : work<T>(0, g.n);
    f(r, at, gather_row(x.data + at, g.n, g.inner, buffer));
  });
}
template <class T> void put(T& to, bool add, const T& value) { to = add ? to + value : value; }

}  // namespace detail

/// y = log Σ exp x
template <class T> void logsumexp(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  detail::each_row(x, g, [&](Index r, Index, const T* row) {
    const T m = detail::shift(row, g.n);
    detail::put(to.data[r], to.add, m + math::log(detail::sum_shifted(row, g.n, m, true)));
  });
}

/// y = exp(x − m) / Σ exp(x − m), or its logarithm (x − m) − log Σ exp(x − m)
template <bool logarithm, class T> void softmax(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  detail::each_row(x, g, [&](Index, Index at, const T* row) {
    T* const powers = logarithm ? nullptr : detail::work<T>(1, g.n);
    const T m = detail::shift(row, g.n), s = detail::sum_shifted(row, g.n, m, true, powers),
            log_s = math::log(s);
    const auto run = [&](T* out, bool add) {
      for (Index k = 0; k < g.n; k += Wide<T>::size) {
        const Index n = std::min(Wide<T>::size, g.n - k);
        // x − (m + log Σ) would round the sum first, and lose the digits that x − m has
        const Wide<T> p = logarithm ? Wide<T>::load_partial(row + k, n) - Wide<T>(m) - Wide<T>(log_s)
                                    : Wide<T>::load_partial(powers + k, n) / Wide<T>(s);
        detail::store<T>(out + k, p, add, n);
      }
    };
    if (g.inner == 1) return run(to.data + at, to.add);
    T* const buffer = const_cast<T*>(row);  // this thread's own, gathered for this row
    run(buffer, false);
    for (Index k = 0; k < g.n; ++k) detail::put(to.data[at + k * g.inner], to.add, buffer[k]);
  });
}

/// softmax: dx = y (dy − Σ dy y)      log_softmax: dx = dy − exp(y) Σ dy
template <bool logarithm, class T>
void softmax_slope(const Sink<T>& dx, const View<T>& y, const View<T>& dy, Groups g) {
  const auto to = dx.open();
  if (!to) return;
  detail::each_group(g, [&](Index, Index at) {
    const auto s = detail::pairwise<T>(g.n, [&](Index k) {
      const Index i = at + k * g.inner;
      return logarithm ? dy.data[i] : dy.data[i] * y.data[i];
    });
    for (Index k = 0; k < g.n; ++k) {
      const Index i = at + k * g.inner;
      const T d = logarithm ? dy.data[i] - math::exp(y.data[i]) * s : y.data[i] * (dy.data[i] - s);
      detail::put(to.data[i], to.add, d);
    }
  });
}

/// Softmax and cross-entropy in one, from logits z [B, C] and class indices t [B], smoothed by ε over C
/// classes; m is the row's maximum:
///   y[b] = log Σ exp(z[b] − m) − (1 − ε) (z[b, t[b]] − m) − ε mean(z[b] − m)
/// `kept` [2, B] receives m and log Σ exp(z − m), which the gradient needs. Labels have been checked.
template <class T> void softmax_cross_entropy(const Sink<T>& y, const Sink<T>& kept, const View<T>& z,
                                              const View<std::int32_t>& t, T smoothing) {
  const auto to = y.open(), keep = kept.open();
  const Index B = z.shape[0], C = z.shape[1];
  detail::each_group(Groups(B, C, 1), [&](Index b, Index at) {
    const T* row = z.data + at;
    const T m = detail::shift(row, C), s = math::log(detail::sum_shifted(row, C, m, true));
    keep.data[b] = m, keep.data[B + b] = s;
    T l = s - (T(1) - smoothing) * (row[t.data[b]] - m);
    if (smoothing != T(0))  // 0 · ∞ is none
      l = l - smoothing / T(C) * detail::sum_shifted(row, C, m, false);
    to.data[b] = l;
  });
}

/// dz[b, c] = scale · dy[b · step] (exp(z[b, c] − m − log Σ) − (1 − ε) [c = t[b]] − ε / C)
template <class T> void softmax_cross_entropy_slope(const Sink<T>& dz, const View<T>& z, const View<T>& kept,
                                                    const View<std::int32_t>& t, const T* dy, Index step,
                                                    T scale, T smoothing) {
  const auto to = dz.open();
  if (!to) return;
  const Index B = z.shape[0], C = z.shape[1];
  constexpr Index W = Wide<T>::size;
  const T spread = smoothing / T(C);
  detail::each_group(Groups(B, C, 1), [&](Index b, Index at) {
    const T g = scale * dy[b * step];
    const Wide<T> m(kept.data[b]), s(kept.data[B + b]);
    for (Index c = 0; c < C; c += W) {
      const Index n = std::min(W, C - c);
      const auto p = math::exp(Wide<T>::load_partial(z.data + at + c, n) - m - s);
      detail::store<T>(to.data + at + c, Wide<T>(g) * (p - Wide<T>(spread)), to.add, n);
    }
    T& hit = to.data[at + t.data[b]];
    hit = hit - g * (T(1) - smoothing);
  });
}

/// l = scale · Σ y[b], and dz its slope. room [3, B]: y and what it keeps.
template <class T> void softmax_cross_entropy_sum(const Sink<T>& l, const Sink<T>& dz, const Sink<T>& room,
                                                  const View<T>& z, const View<std::int32_t>& t, T smoothing,
                                                  T scale) {
  const Index B = t.size();
  const Sink<T> y{room.data, Shape{B}, room.device}, kept{room.data + B, Shape{2, B}, room.device};
  const T one(1);
  softmax_cross_entropy(y, kept, z, t, smoothing);
  sum(l, y.view(), {1, B, 1}, scale);
  softmax_cross_entropy_slope(dz, z, kept.view(), t, &one, 0, scale, smoothing);
}

}  // namespace gradus::cpu
