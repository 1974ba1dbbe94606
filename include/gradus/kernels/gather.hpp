// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/gather.hpp>
#include <gradus/kernels/reduce.hpp>

namespace gradus::kernels {

/// y[outer, k, inner] = x[outer, rows[k], inner]; g is x's
template <class T> void gather(const Sink<T>& y, const View<T>& x, Groups g, const View<std::int32_t>& rows) {
  on_cpu(y.device, "gather");
  cpu::gather(y, x, g, rows);
}
/// dx[outer, rows[k], inner] += dy[outer, k, inner], repeated rows in their order; g is dx's
template <class T>
void scatter_add(const Sink<T>& dx, const View<T>& dy, Groups g, const View<std::int32_t>& rows) {
  on_cpu(dy.device, "scatter_add");
  cpu::scatter_add(dx, dy, g, rows);
}
/// y[outer, k, inner] = x[outer, first + k·step, inner] for k < m; g is x's
template <class T>
void slice(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  on_cpu(y.device, "slice");
  cpu::slice(y, x, g, m, first, step);
}
/// y[outer, first + k·step, inner] = x[outer, k, inner] for k < m; g is y's. The rest of a gradient is zero.
template <class T>
void place(const Sink<T>& y, const View<T>& x, Groups g, Index m, Index first, Index step) {
  on_cpu(x.device, "place");
  cpu::place(y, x, g, m, first, step);
}
/// axis i of y is axis order[i] of x
template <class T>
void permute(const Sink<T>& y, const View<T>& x, const std::array<int, Shape::max_rank>& order) {
  on_cpu(x.device, "permute");
  cpu::permute(y, x, order);
}
/// y[…, c] = [c = label]
template <class T> void one_hot(const Sink<T>& y, const View<std::int32_t>& labels) {
  on_cpu(y.device, "one_hot");
  cpu::one_hot(y, labels);
}

}  // namespace gradus::kernels
