// SPDX-License-Identifier: MIT
// Sums, extremes and their places along one axis: x is [outer, n, inner], the result [outer, inner].
//
// Sums are pairwise: blocks of 128 terms are added up, their sums as a tree, so that the error grows with
// log n and not with n (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 4.2). The tree follows
// from the shape alone: a long sum is cut into parts of one size, which threads take as if they were results.
#pragma once

#include <bit>

#include <gradus/cpu/map.hpp>
#include <gradus/cpu/work.hpp>

namespace gradus::cpu {

namespace detail {

constexpr Index part_size = 1 << 16;  // elements of a long sum that one thread adds up

/// n numbers, n <= Wide<T>::size: the rest are zeros.
template <class T> Wide<T> load_part(const T* from, Index n) {
  return n == Wide<T>::size ? Wide<T>::load(from) : Wide<T>::load_partial(from, n);
}

/// The sum of n numbers, `step` of them a term: term(i, m) has those from i on, m = step of them but for the
/// last. Pairwise; four sums side by side in a block, where one would wait for itself.
template <class X, Index step, class Term> X pairwise(Index n, const Term& term) {
  constexpr Index block = 128 * step;
  const Index whole = n / step * step;
  X partial[48];  // sums of 1, 2, 4, … blocks: as the digits of a binary counter
  int depth = 0;
  for (Index first = 0, blocks = 1; first < n; first += block, ++blocks) {
    const Index last = std::min(whole, first + block);
    X a[4] = {X(-0.0), X(-0.0), X(-0.0), X(-0.0)};  // −0 + x is x, −0 too
    Index i = first;
    for (; i + 4 * step <= last; i += 4 * step)
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) a[j] = a[j] + term(i + j * step, step);
    for (; i < last; i += step) a[0] = a[0] + term(i, step);
    if (i == whole && i < n && i < first + block) a[1] = a[1] + term(i, n - i);
    X sum = (a[0] + a[1]) + (a[2] + a[3]);
    for (Index b = blocks; b % 2 == 0; b /= 2) sum = partial[--depth] + sum;
    partial[depth++] = sum;
  }
  if (depth == 0) return X(0);
  X total = partial[--depth];
  while (depth > 0) total = partial[--depth] + total;
  return total;
}

/// The sum of n numbers, given as blocks: term(i, m) has those from i on, m of them, and zeros.
template <class T, class Term> T sum_blocks(Index n, const Term& term) {
  constexpr Index W = Wide<T>::size;
  if (n <= W) return n > 0 ? term(Index(0), n).sum() : T(0);  // a short row: nothing to set up
  return pairwise<Wide<T>, W>(n, term).sum();
}
/// Σ x over n contiguous numbers.
template <class T> T sum_run(Index n, const T* x) {
  return sum_blocks<T>(n, [=](Index i, Index m) { return load_part(x + i, m); });
}

/// Σ f(x…) over elements [first, last): a piece at a time through a buffer that stays in L1.
template <class T> T sum_formula(const Pass& pass, Index first, Index last) {
  return pairwise<T, 1024>(last - first, [&](Index i, Index n) {
    alignas(64) T values[1024];
    map_flat(pass, reinterpret_cast<char*>(values), first + i, n);
    return sum_run(n, values);
  });
}
template <class T> T sum_formula(const Pass& pass, Index n) {
  const Index parts = (n + part_size - 1) / part_size;
  if (parts <= 1) return sum_formula<T>(pass, 0, n);
  T* const sums = work<T>(1, parts);
  parallel_for(parts, 1, [&](Index first, Index last) {
    for (Index p = first; p < last; ++p)
      sums[p] = sum_formula<T>(pass, p * part_size, std::min(n, (p + 1) * part_size));
  });
  return sum_run(parts, sums);
}

/// The sum of at most eight rows in m columns: so many streams a processor reads ahead.
template <class T> Wide<T> eight_rows(const T* x, Index rows, Index m, Index stride) {
  Wide<T> s[8];
#pragma GCC unroll 8
  for (Index r = 0; r < 8; ++r) s[r] = r < rows ? load_part(x + r * stride, m) : Wide<T>(T(-0.0));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}
/// a[c] (+)= the sum of column c over at most eight rows.
template <class T> void add_rows(T* a, bool add, const T* x, Index rows, Index columns, Index stride) {
  constexpr Index W = Wide<T>::size;
  for (Index c = 0; c < columns; c += W) {
    const auto sum = eight_rows(x + c, rows, std::min(W, columns - c), stride);
    (add ? Wide<T>::load(a + c) + sum : sum).store(a + c);
  }
}
/// to[c] (+)= scale · the sum of column c over at most 128 rows, in the order of sum_columns, or of sum_run.
template <class T> void sum_block(T* to, bool add, const T* x, Index rows, Index columns, T scale) {
  constexpr Index W = Wide<T>::size;
  if (columns == 1) {
    const T s = scale * sum_run(rows, x);
    *to = add ? *to + s : s;
    return;
  }
  for (Index c = 0; c < columns; c += W) {
    const Index m = std::min(W, columns - c);
    auto sum = eight_rows(x + c, rows, m, columns);
    for (Index r = 8; r < rows; r += 8) sum = sum + eight_rows(x + r * columns + c, rows - r, m, columns);
    store<T>(to + c, Wide<T>(scale) * sum, add, m);
  }
}
/// The sums of columns, pairwise as above: each digit of the counter is a row of them. They are padded to
/// whole blocks, and this thread's until its next kernel.
template <class T> const T* sum_columns(const T* x, Index rows, Index columns, Index stride) {
  constexpr Index W = Wide<T>::size, block = 128;
  const Index room = (columns + W - 1) / W * W;
  T* const sums = work<T>(0, room * (std::bit_width(std::size_t(rows / block)) + 2));
  if (rows == 0) std::fill_n(sums, room, T(0));
  Index depth = 0;  // digits
  for (Index first = 0, blocks = 1; first < rows; first += block, ++blocks) {
    const Index last = std::min(rows, first + block);
    T* const sum = sums + depth++ * room;
    for (Index r = first; r < last; r += 8)
      add_rows(sum, r > first, x + r * stride, std::min<Index>(8, last - r), columns, stride);
    // as many digits carry as the number of blocks ends in zeros; at last all that there are
    for (Index b = blocks; depth > 1 && (b % 2 == 0 || last == rows); b /= 2, --depth)
      add_rows(sums + (depth - 2) * room, true, sums + (depth - 1) * room, 1, room, 0);
  }
  return sums;
}

/// to[o, p, i] (+)= scale · Σₖ x[o, k, i], k in the p-th part of n. Copies: what a kernel writes could be what
/// it captured.
template <class T> void sum_parts(T* to, bool add, const T* x, Groups g, Index part, Index parts, T scale) {
  constexpr Index W = Wide<T>::size;
  constexpr Index most = 1024;  // columns at a time: more of them would leave L1
  const Index together = std::max<Index>(1, std::min(g.inner, most));
  const Index pieces = (g.inner + together - 1) / together;
  const Index grain = std::max<Index>(1, map_grain / std::max<Index>(1, part * together));
  parallel_for(g.outer * parts * pieces, grain, [=](Index first, Index last) {
    for (Index r = first; r < last; ++r) {
      const Index row = pieces == 1 ? r : r / pieces, o = parts == 1 ? row : row / parts;
      const Index p = row - o * parts, i = (r - row * pieces) * together;
      const Index n = std::min(part, g.n - p * part), columns = std::min(together, g.inner - i);
      const T* const from = x + (o * g.n + p * part) * g.inner + i;
      T* const out = to + row * g.inner + i;
      if (g.inner == 1) {
        const T s = scale * sum_run(n, from);
        *out = add ? *out + s : s;
        continue;
      }
      const T* const sums = sum_columns(from, n, columns, g.inner);
      for (Index c = 0; c < columns; c += W)
        store<T>(out + c, Wide<T>(scale) * Wide<T>::load(sums + c), add, std::min(W, columns - c));
    }
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
  const detail::Pass pass{f, Wide<T>::size, scalars, sizeof(T), false, operands, int(sizeof...(U))};
  const T s = scale * detail::sum_formula<T>(pass, std::max({x.size()...}));
  *to.data = to.add ? *to.data + s : s;
}

/// y[o, i] = scale · Σₖ x[o, k, i]
template <class T> void sum(const Sink<T>& y, const View<T>& x, Groups g, T scale) {
  const auto to = y.open();
  if (!to) return;
  if (g.outer == 1 && g.inner <= 64 && g.n > 1 && g.n <= 128)  // a small layer's biases: nothing to set up
    return detail::sum_block(to.data, to.add, x.data, g.n, g.inner, scale);
  if (g.n == 1) g = {1, 1, g.outer * g.inner};  // nothing to add up
  const Index part = g.inner == 1
                         ? detail::part_size
                         : std::max<Index>(1024, detail::part_size / std::max<Index>(1, g.inner) / 128 * 128);
  if (g.n <= part) return detail::sum_parts(to.data, to.add, x.data, g, g.n, 1, scale);
  const Index parts = (g.n + part - 1) / part;
  T* const sums = detail::work<T>(1, g.outer * parts * g.inner);
  detail::sum_parts(sums, false, x.data, g, part, parts, T(1));
  detail::sum_parts(to.data, to.add, sums, {g.outer, parts, g.inner}, parts, 1, scale);
}

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
