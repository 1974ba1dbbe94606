// SPDX-License-Identifier: MIT
// Moving numbers without computing: looked-up rows, slices, permuted axes.
#pragma once

#include <cstring>

#include <gradus/core/rows.hpp>
#include <gradus/cpu/reduce.hpp>

namespace gradus::cpu {
namespace detail {

template <class T> void move_run(T* to, const T* from, Index n, bool add) {
  if (!add && n > 0)
    std::memcpy(to, from, std::size_t(n) * sizeof(T));
  else
    for (Index i = 0; i < n; ++i) to[i] = to[i] + from[i];
}

}  // namespace detail

/// y[o, k, i] = x[o, rows[k], i]: x is [outer, n, inner], y has as many rows as there are indices (checked
/// before).
template <class T> void gather(const Sink<T>& y, const View<T>& x, Groups g, const View<std::int32_t>& rows) {
  const auto to = y.open();
  if (!to) return;
  const Index m = rows.size();
  parallel_for(g.outer * m, std::max<Index>(1, detail::map_grain / std::max<Index>(1, g.inner)),
               [&](Index first, Index last) {
                 if (g.outer == 1 && !to.add)
                   return gradus::detail::gather_rows(
                       {to.data + first * g.inner, x.data, g.inner * Index(sizeof(T))},
                       {rows.data + first, std::size_t(last - first)});
                 for (Index r = first; r < last; ++r) {
                   const Index o = r / m, k = rows.data[r % m];
                   detail::move_run(to.data + r * g.inner, x.data + (o * g.n + k) * g.inner, g.inner, to.add);
                 }
               });
}

/// to[k] = from[rows[k]] for each of n arrays.
inline void gather_rows(const RowLookup* arrays, int n, const View<std::int32_t>& rows) {
  for (const RowLookup* a = arrays; a < arrays + n; ++a)
    parallel_for(rows.size(), std::max<Index>(1, 4 * detail::map_grain / std::max<Index>(1, a->bytes)),
                 [&](Index first, Index last) {
                   gradus::detail::gather_rows(
                       {static_cast<char*>(a->to) + first * a->bytes, a->from, a->bytes},
                       {rows.data + first, std::size_t(last - first)});
                 });
}

/// dx[o, rows[k], i] += dy[o, k, i]: indices may repeat, and add up in their order.
template <class T>
void scatter_add(const Sink<T>& dx, const View<T>& dy, Groups g, const View<std::int32_t>& rows) {
  const auto to = dx.open_part();
  if (!to) return;
  const Index m = rows.size();
  for (Index r = 0; r < g.outer * m; ++r) {
    const Index o = r / m, k = rows.data[r % m];
    detail::move_run(to.data + (o * g.n + k) * g.inner, dy.data + r * g.inner, g.inner, true);
  }
}

/// y[o, k, i] = x[o, first + k·step, i] for k < m: g is x's, m = y's size along the axis.
template <class T>
void slice(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  const auto to = y.open();
  if (!to) return;
  for (Index o = 0; o < g.outer; ++o) {
    const T* from = x.data + (o * g.n + first) * g.inner;
    T* out = to.data + o * m * g.inner;
    if (step == 1)
      detail::move_run(out, from, m * g.inner, to.add);
    else
      for (Index k = 0; k < m; ++k)
        detail::move_run(out + k * g.inner, from + k * step * g.inner, g.inner, to.add);
  }
}

/// y[o, first + k·step, i] = x[o, k, i]: g is y's, m = x's size along the axis. The rest of a gradient is
/// zero; the rest of a forward result is left to other calls.
template <class T>
void place(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  const auto to = y.gradient ? y.open_part() : y.open();
  if (!to) return;
  for (Index o = 0; o < g.outer; ++o) {
    T* out = to.data + (o * g.n + first) * g.inner;
    const T* from = x.data + o * m * g.inner;
    if (step == 1)
      detail::move_run(out, from, m * g.inner, to.add);
    else
      for (Index k = 0; k < m; ++k)
        detail::move_run(out + k * step * g.inner, from + k * g.inner, g.inner, to.add);
  }
}

/// y[…] = x[…] with axes in another order: axis i of y is axis order[i] of x.
template <class T>
void permute(const Sink<T>& y, const View<T>& x, const std::array<int, Shape::max_rank>& order) {
  const auto to = y.open();
  if (!to || y.size() == 0) return;
  const int rank = y.shape.rank();
  Index stride[Shape::max_rank + 1] = {};
  for (int i = 0; i < rank; ++i) stride[i] = x.shape.inner(order[std::size_t(i)]);
  const Index columns = y.shape.columns(), by = rank ? stride[rank - 1] : 1;
  parallel_for(y.size() / columns, std::max<Index>(1, detail::map_grain / columns),
               [&](Index first, Index last) {
                 for (Index r = first; r < last; ++r) {
                   Index from = 0, rest = r;
                   for (int i = rank - 2; i >= 0; --i) {
                     from += rest % y.shape[i] * stride[i];
                     rest /= y.shape[i];
                   }
                   T* out = to.data + r * columns;
                   for (Index c = 0; c < columns; ++c)
                     out[c] = to.add ? out[c] + x.data[from + c * by] : x.data[from + c * by];
                 }
               });
}

/// y[…, c] = 1 where c is the label, else 0. Labels have been checked.
template <class T> void one_hot(const Sink<T>& y, const View<std::int32_t>& labels) {
  const auto to = y.open();
  if (!to) return;
  const Index C = y.shape.columns();
  std::fill_n(to.data, y.size(), T(0));
  for (Index r = 0; r < labels.size(); ++r) to.data[r * C + labels.data[r]] = T(1);
}

}  // namespace gradus::cpu
