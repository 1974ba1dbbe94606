// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/gather.hpp>
#include <gradus/kernels/reduce.hpp>

namespace gradus::kernels {

/// y[outer, k, inner] = x[outer, rows[k], inner]; g is x's
template <class T> void gather(const Sink<T>& y, const View<T>& x, Groups g, const View<std::int32_t>& rows) {
  if (y.device.is_cpu()) return cpu::gather(y, x, g, rows);
  if (const auto on = elsewhere(y, "gather")) on->gather(on.to, x, g, rows);
}
/// The same for rows of several arrays, at most RowLookup::most: of all that a batch is made of, in one
/// go; the rows have been checked
inline void gather_rows(Device device, const RowLookup* arrays, int n, const View<std::int32_t>& rows) {
  if (device.is_cpu()) return cpu::gather_rows(arrays, n, rows);
  table(device, "gather_rows").gather_rows(arrays, n, rows);
}
/// dx[outer, rows[k], inner] += dy[outer, k, inner], repeated rows in their order; g is dx's
template <class T>
void scatter_add(const Sink<T>& dx, const View<T>& dy, Groups g, const View<std::int32_t>& rows) {
  if (dx.device.is_cpu()) return cpu::scatter_add(dx, dy, g, rows);
  if (const auto on = elsewhere(dx, dx.open_part(), "scatter_add")) on->scatter_add(on.to, dy, g, rows);
}
/// y[outer, k, inner] = x[outer, first + k·step, inner] for k < m; g is x's
template <class T>
void slice(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  if (y.device.is_cpu()) return cpu::slice(y, x, g, m, first, step);
  if (const auto on = elsewhere(y, "slice")) on->slice(on.to, x, g, m, first, step);
}
/// y[outer, first + k·step, inner] = x[outer, k, inner] for k < m; g is y's. The rest of a gradient is zero.
template <class T>
void place(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  if (y.device.is_cpu()) return cpu::place(y, x, g, m, first, step);
  if (const auto on = elsewhere(y, y.gradient ? y.open_part() : y.open(), "place"))
    on->place(on.to, x, g, m, first, step);
}
/// axis i of y is axis order[i] of x
template <class T>
void permute(const Sink<T>& y, const View<T>& x, const std::array<int, Shape::max_rank>& order) {
  if (y.device.is_cpu()) return cpu::permute(y, x, order);
  if (const auto on = elsewhere(y, "permute")) on->permute(on.to, x, order);
}
/// y[…, c] = [c = label]
template <class T> void one_hot(const Sink<T>& y, const View<std::int32_t>& labels) {
  if (y.device.is_cpu()) return cpu::one_hot(y, labels);
  if (const auto on = elsewhere(y, "one_hot")) on->one_hot(on.to, labels);
}

}  // namespace gradus::kernels
