// SPDX-License-Identifier: MIT
// Sums (sum.hpp), extremes and their places along one axis: x is [outer, n, inner], the result [outer, inner].
#pragma once

#include <gradus/cpu/sum.hpp>

namespace gradus::cpu {

namespace detail {

/// The largest or the smallest of n numbers; NaN if there is one. n ≥ 1.
template <bool largest, class T> T extreme_run(const T* x, Index n) {
  constexpr Index W = Wide<T>::size;
  const auto better = [](const Wide<T>& a, const Wide<T>& b) -> Wide<T> {
    if constexpr (largest)
      return math::max(a, b);
    else
      return math::min(a, b);
  };
  auto best = Wide<T>::load_partial(x, std::min(n, W), Wide<T>(x[0]));
  if (n > 4 * W) {
    Wide<T> b[4] = {best, best, best, best};
    Index i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) b[j] = better(b[j], Wide<T>::load(x + i + j * W));
    best = better(better(b[0], b[1]), better(b[2], b[3]));
    x += i, n -= i;
  }
  for (Index i = 0; i < n; i += W)
    best = better(best, Wide<T>::load_partial(x + i, std::min(W, n - i), best));
  return largest ? best.max() : best.min();
}
/// The first place of m, which is one of the numbers, or of NaN.
template <class T> Index place_of(const T& m, const T* x, Index n) {
  constexpr Index W = Wide<T>::size;
  const bool nan = m != m;
  const Wide<T> wanted(m);
  Index i = 0;
  for (; i + W <= n; i += W) {
    const auto v = Wide<T>::load(x + i);
    if ((nan ? v != v : v == wanted).any()) break;
  }
  while (!(nan ? x[i] != x[i] : x[i] == m)) ++i;
  return i;
}

/// Groups as contiguous rows, a block of them at a time: in place where inner = 1, else copied, whose lines
/// of cache are then read whole.
template <class T> struct Tiles {
  Groups g;

  /// f(r, at, rows): group r, of `rows` that lie side by side, begins at x[at].
  template <class F> void each(const F& f) const { run(&call<F>, &f); }
  /// From row to row. Where copied, an odd number of blocks: else all rows would meet in one set of the cache.
  Index pitch() const {
    constexpr Index W = Wide<T>::size;
    return g.inner == 1 ? g.n : ((g.n + W - 1) / W | 1) * W;
  }
  T* room(int slot) const { return work<T>(slot, g.inner == 1 ? g.n : Wide<T>::size * pitch()); }
  const T* gather(int slot, const T* x, Index rows) const {
    if (g.inner == 1) return x;
    T* const to = room(slot);
    const Index step = pitch();
    for (Index k = 0; k < g.n; ++k)
      for (Index j = 0; j < rows; ++j) to[j * step + k] = x[k * g.inner + j];
    return to;
  }
  void scatter(T* to, bool add, const T* from, Index rows) const {
    const Index step = pitch();
    for (Index k = 0; k < g.n; ++k)
      for (Index j = 0; j < rows; ++j) {
        T& t = to[k * g.inner + j];
        t = add ? t + from[j * step + k] : from[j * step + k];
      }
  }

 private:
  using Body = void (*)(const void* f, Index r, Index at, Index rows);
  template <class F> static void call(const void* f, Index r, Index at, Index rows) {
    (*static_cast<const F*>(f))(r, at, rows);
  }
  void run(Body body, const void* f) const {
    parallel_for(g.outer * g.inner, std::max<Index>(1, map_grain / std::max<Index>(1, g.n)),
                 [=, this](Index first, Index last) {
                   for (Index r = first, rows; r < last; r += rows) {
                     rows = std::min<Index>(Wide<T>::size + 0, last - r);
                     if (g.inner > 1) rows = std::min(rows, g.inner - r % g.inner);
                     body(f, r, r / g.inner * g.n * g.inner + r % g.inner, rows);
                   }
                 });
  }
};

}  // namespace detail

/// y[o, i] = max or min of x[o, ·, i]; NaN if there is one. n ≥ 1.
template <bool largest, class T> void extreme(const Sink<T>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  tiles.each([&](Index r, Index at, Index rows) {
    const T* const from = tiles.gather(0, x.data + at, rows);
    for (Index j = 0; j < rows; ++j) {
      const T m = detail::extreme_run<largest>(from + j * pitch, g.n);
      to.data[r + j] = to.add ? to.data[r + j] + m : m;
    }
  });
}

/// dx[o, k, i] = dy[o, i] / count where x is the extreme y: equal ones share the gradient.
template <class T>
void extreme_slope(const Sink<T>& dx, const View<T>& x, const View<T>& y, const View<T>& dy, Groups g) {
  const auto to = dx.open();
  if (!to) return;
  constexpr Index W = Wide<T>::size;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  tiles.each([&](Index r, Index at, Index rows) {
    const T* const from = tiles.gather(0, x.data + at, rows);
    T* const out = g.inner == 1 ? to.data + at : tiles.room(1);
    for (Index j = 0; j < rows; ++j) {
      const T* const row = from + j * pitch;
      const Wide<T> m(y.data[r + j]), one(T(1)), zero(T(0));
      const T count = detail::sum_blocks<T>(g.n, [&](Index i, Index n) {
        return select(detail::load_part(row + i, n) == m, one, zero).first(n);
      });
      const Wide<T> share(dy.data[r + j] / count);
      for (Index i = 0; i < g.n; i += W) {
        const Index n = std::min(W, g.n - i);
        detail::store<T>(out + j * pitch + i, select(detail::load_part(row + i, n) == m, share, zero),
                         g.inner == 1 && to.add, n);
      }
    }
    if (g.inner > 1) tiles.scatter(to.data + at, to.add, out, rows);
  });
}

/// y[o, i] = the place of the extreme of x[o, ·, i], the first of equals.
template <bool largest, class T> void extreme_place(const Sink<std::int32_t>& y, const View<T>& x, Groups g) {
  const auto to = y.open();
  if (!to) return;
  const detail::Tiles<T> tiles{g};
  const Index pitch = tiles.pitch();
  tiles.each([&](Index r, Index at, Index rows) {
    const T* const from = tiles.gather(0, x.data + at, rows);
    for (Index j = 0; j < rows; ++j) {
      const T* const row = from + j * pitch;
      to.data[r + j] =
          static_cast<std::int32_t>(detail::place_of(detail::extreme_run<largest>(row, g.n), row, g.n));
    }
  });
}

}  // namespace gradus::cpu
