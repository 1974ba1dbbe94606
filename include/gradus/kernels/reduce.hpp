// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/reduce.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

using cpu::Groups;  // an axis as [outer, n, inner]

/// y[] = scale · Σ F(x…, scalars…) over all elements; every operand has the same size, or one element.
template <class T, class... U>
void sum_all(const Formula& f, const Sink<T>& y, T scale, const T* scalars, const View<U>&... x) {
  on_cpu(y.device, "sum_all");
  cpu::sum_all(f.run, y, scale, scalars, x...);
}
/// y[outer, inner] = scale · Σₖ x[outer, k, inner], pairwise
template <class T> void sum(const Sink<T>& y, const View<T>& x, Groups g, T scale = T(1)) {
  on_cpu(y.device, "sum");
  cpu::sum(y, x, g, scale);
}
/// y[outer, inner] = max or min over k; NaN wins
template <bool largest, class T> void extreme(const Sink<T>& y, const View<T>& x, Groups g) {
  on_cpu(y.device, "extreme");
  cpu::extreme<largest>(y, x, g);
}
/// dx = dy / (number of equal extremes) where x = y, else 0
template <class T>
void extreme_slope(const Sink<T>& dx, const View<T>& x, const View<T>& y, const View<T>& dy, Groups g) {
  on_cpu(x.device, "extreme_slope");
  cpu::extreme_slope(dx, x, y, dy, g);
}
/// y[outer, inner] = the first place of the extreme
template <bool largest, class T> void extreme_place(const Sink<std::int32_t>& y, const View<T>& x, Groups g) {
  on_cpu(y.device, "extreme_place");
  cpu::extreme_place<largest>(y, x, g);
}

}  // namespace gradus::kernels
