// SPDX-License-Identifier: MIT
// Sums along one axis, x [outer, n, inner] to [outer, inner], and over everything.
//
// They are pairwise: blocks of 128 terms are added up, their sums as a tree, so that the error grows with
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
  T* const sums = work<T>(0, room * (Index(std::bit_width(std::size_t(rows / block))) + 2));
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

/// y = scale · Σ f(x…, scalars…) over every element. Operands have one size, or one
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

}  // namespace gradus::cpu
