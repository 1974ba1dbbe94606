// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/reduce.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

using gradus::Groups;

/// y[] = scale · Σ F(x…, scalars…) over all elements; every operand has the same size, or one element.
template <class T, class... U>
void sum_all(const Formula& f, const Sink<T>& y, T scale, const T* scalars, const View<U>&... x) {
  if (y.device.is_cpu()) return cpu::sum_all(f.run, y, scale, scalars, x...);
  const Operand operands[] = {x...};
  if (const auto on = elsewhere(y, "sum_all"))
    on->sum_all(f.write, on.to, real(scale), scalars, operands, sizeof...(x));
}
/// l[] = scale · Σ F(x…, scalars…), and dx = G(x…, 1, scalars…), in one pass where a device can: a loss, and
/// its slope for backward to begin with, unless that is unwanted.
template <class T, class... U> void loss(const Formula& f, const Formula& slope, const Sink<T>& l,
                                         const Sink<T>& dx, T scale, const T* scalars, const View<U>&... x) {
  if (l.device.is_cpu()) {
    const T one(1);
    cpu::sum_all(f.run, l, scale, scalars, x...);
    return cpu::map(slope.run, dx, scalars, x..., View<T>{&one, Shape(), l.device});
  }
  const Operand operands[] = {x...};
  if (const auto on = elsewhere(l, "loss"))
    on->loss(f.write, slope.write, on.to, {dx.data, false, dx.shape, dtype_of<T>()}, real(scale), scalars,
             operands, sizeof...(x));
}
/// y[outer, inner] = scale · Σₖ x[outer, k, inner], pairwise
template <class T> void sum(const Sink<T>& y, const View<T>& x, Groups g, T scale = T(1)) {
  if (y.device.is_cpu()) return cpu::sum(y, x, g, scale);
  if (const auto on = elsewhere(y, "sum")) on->sum(on.to, x, g, real(scale));
}
/// y[outer, inner] = max or min over k; NaN wins
template <bool largest, class T> void extreme(const Sink<T>& y, const View<T>& x, Groups g) {
  if (y.device.is_cpu()) return cpu::extreme<largest>(y, x, g);
  if (const auto on = elsewhere(y, "extreme")) on->extreme(on.to, x, g, largest);
}
/// dx = dy / (number of equal extremes) where x = y, else 0
template <class T>
void extreme_slope(const Sink<T>& dx, const View<T>& x, const View<T>& y, const View<T>& dy, Groups g) {
  if (dx.device.is_cpu()) return cpu::extreme_slope(dx, x, y, dy, g);
  if (const auto on = elsewhere(dx, "extreme_slope")) on->extreme_slope(on.to, x, y, dy, g);
}
/// y[outer, inner] = the first place of the extreme
template <bool largest, class T> void extreme_place(const Sink<std::int32_t>& y, const View<T>& x, Groups g) {
  if (y.device.is_cpu()) return cpu::extreme_place<largest>(y, x, g);
  if (const auto on = elsewhere(y, "extreme_place")) on->extreme_place(on.to, x, g, largest);
}

}  // namespace gradus::kernels
