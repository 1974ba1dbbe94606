// SPDX-License-Identifier: MIT
// Softmax and its relatives along one axis, x as [outer, n, inner]; every one subtracts the maximum first, so
// that exp cannot overflow. A row is read from memory once: what comes after finds it in the cache.
#pragma once

#include <gradus/cpu/reduce.hpp>

namespace gradus::cpu {
namespace detail {

/// max x, or 0 where that is infinite: then x − m is no ∞ − ∞.
template <class T> T shift(const T* x, Index n) {
  const T m = extreme_run<true>(x, n);
  return math::is_finite(m) ? m : T(0);
}
/// Σ exp(x − m), or Σ (x − m). The terms are left in `terms` where there is such a place.
template <class T> T sum_shifted(const T* x, Index n, T m, bool exponential, T* terms = nullptr) {
  return sum_blocks<T>(n, [&](Index i, Index few) {
    Wide<T> d = load_part(x + i, few) - Wide<T>(m);
    if (exponential) d = math::exp(d);
    if (terms) store<T>(terms + i, d, false, few);
    return few == Wide<T>::size ? d : d.first(few);
  });
}
/// What a block of rows has: the maximum of each, and Σ exp(x − m), whose logarithms are taken all at once.
template <class T> struct Shifted {
  T m[Wide<T>::size], sum[Wide<T>::size];
  Wide<T> log_sum(Index rows) const { return math::log(Wide<T>::load_partial(sum, rows, Wide<T>(T(1)))); }
};

}  // namespace detail

/// y = log Σ exp x
template <class T> void logsumexp(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  tiles.each([&](Index r, Index at, Index rows) {
    const T* const from = tiles.gather(0, x.data + at, rows);
    detail::Shifted<T> s;
    for (Index j = 0; j < rows; ++j) {
      const T* const row = from + j * pitch;
      s.m[j] = detail::shift(row, g.n);
      s.sum[j] = detail::sum_shifted(row, g.n, s.m[j], true);
    }
    detail::store<T>(to.data + r, Wide<T>::load_partial(s.m, rows) + s.log_sum(rows), to.add, rows);
  });
}

/// y = exp(x − m) / Σ exp(x − m), or its logarithm (x − m) − log Σ exp(x − m)
template <bool logarithm, class T> void softmax(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  constexpr Index W = Wide<T>::size;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  const bool in_place = g.inner == 1, add = in_place && to.add;
  tiles.each([&](Index, Index at, Index rows) {
    const T* const from = tiles.gather(0, x.data + at, rows);
    T* const out = in_place ? to.data + at : tiles.room(1);
    detail::Shifted<T> s;
    T* const apart = add && !logarithm ? detail::work<T>(1, g.n) : nullptr;  // for powers, if y must stay
    for (Index j = 0; j < rows; ++j) {
      const T* const row = from + j * pitch;
      T *const y_row = out + j * pitch, *const powers = apart ? apart : y_row;
      s.m[j] = detail::shift(row, g.n);
      s.sum[j] = detail::sum_shifted(row, g.n, s.m[j], true, logarithm ? nullptr : powers);
      if constexpr (!logarithm) {  // in braces: nvcc leaves out what they would be around
        for (Index i = 0; i < g.n; i += W) {
          const Index n = std::min(W, g.n - i);
          detail::store<T>(y_row + i, detail::load_part(powers + i, n) / Wide<T>(s.sum[j]), add, n);
        }
      }
    }
    if constexpr (logarithm) {
      s.log_sum(rows).store(s.sum);
      for (Index j = 0; j < rows; ++j)
        for (Index i = 0; i < g.n; i += W) {
          const Index n = std::min(W, g.n - i), k = j * pitch + i;
          // x − (m + log Σ) would round the sum first, and lose the digits that x − m has
          const auto p = detail::load_part(from + k, n) - Wide<T>(s.m[j]) - Wide<T>(s.sum[j]);
          detail::store<T>(out + k, p, add, n);
        }
    }
    if (!in_place) tiles.scatter(to.data + at, to.add, out, rows);
  });
}

/// softmax: dx = y (dy − Σ dy y)      log_softmax: dx = dy − exp(y) Σ dy
template <bool logarithm, class T>
void softmax_slope(const Sink<T>& dx, const View<T>& y, const View<T>& dy, Groups g) {
  const auto to = dx.open();
  if (!to) return;
  constexpr Index W = Wide<T>::size;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  const bool in_place = g.inner == 1;
  tiles.each([&](Index, Index at, Index rows) {
    const T *const y_rows = tiles.gather(0, y.data + at, rows), *const dy_rows =
                                                                    tiles.gather(1, dy.data + at, rows);
    T* const out = in_place ? to.data + at : tiles.room(1);  // where dy is, which is read before
    for (Index j = 0; j < rows; ++j) {
      const T *const p = y_rows + j * pitch, *const d = dy_rows + j * pitch;
      T sum;
      if constexpr (logarithm)
        sum = detail::sum_run(g.n, d);
      else
        sum = detail::sum_blocks<T>(
            g.n, [=](Index i, Index n) { return detail::load_part(d + i, n) * detail::load_part(p + i, n); });
      const Wide<T> s(sum);
      for (Index i = 0; i < g.n; i += W) {
        const Index n = std::min(W, g.n - i);
        const auto y_part = detail::load_part(p + i, n), dy_part = detail::load_part(d + i, n);
        const Wide<T> dx_part = logarithm ? dy_part - math::exp(y_part) * s : y_part * (dy_part - s);
        detail::store<T>(out + j * pitch + i, dx_part, in_place && to.add, n);
      }
    }
    if (!in_place) tiles.scatter(to.data + at, to.add, out, rows);
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
  const detail::Tiles<T> tiles{{B, C, 1}};
  tiles.each([&](Index b, Index at, Index rows) {
    detail::Shifted<T> s;
    T hit[Wide<T>::size];
    for (Index j = 0; j < rows; ++j) {
      const T* const row = z.data + at + j * C;
      s.m[j] = detail::shift(row, C);
      s.sum[j] = detail::sum_shifted(row, C, s.m[j], true);
      hit[j] = (T(1) - smoothing) * (row[t.data[b + j]] - s.m[j]);
      if (smoothing != T(0))  // 0 · ∞ is none
        hit[j] = hit[j] + smoothing / T(C) * detail::sum_shifted(row, C, s.m[j], false);
    }
    const auto log_sum = s.log_sum(rows);
    Wide<T>::load_partial(s.m, rows).store_partial(keep.data + b, rows);
    log_sum.store_partial(keep.data + B + b, rows);
    (log_sum - Wide<T>::load_partial(hit, rows)).store_partial(to.data + b, rows);
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
  const detail::Tiles<T> tiles{{B, C, 1}};
  tiles.each([&](Index first, Index, Index rows) {
    for (Index b = first; b < first + rows; ++b) {
      const T g = scale * dy[b * step];
      const Wide<T> m(kept.data[b]), s(kept.data[B + b]);
      for (Index c = 0; c < C; c += W) {
        const Index n = std::min(W, C - c);
        const auto p = math::exp(detail::load_part(z.data + b * C + c, n) - m - s);
        detail::store<T>(to.data + b * C + c, Wide<T>(g) * (p - Wide<T>(spread)), to.add, n);
      }
      T& hit = to.data[b * C + t.data[b]];
      hit = hit - g * (T(1) - smoothing);
    }
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
