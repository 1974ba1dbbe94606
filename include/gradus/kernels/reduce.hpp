// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/loss.hpp>
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
/// A loss as a value: F(y, t, number) and its slope at y.
template <class T> struct Loss {
  cpu::RunLoss<T> run;  ///< both, on the CPU
  Write value, slope;   ///< for other devices; the slope takes (y, t, number, scale)
};
template <class F> struct ScaledSlope {
  template <class X> static X value(X y, X t, X number, X scale) { return scale * F::slope(y, t, number); }
};
template <class F, class T> inline constexpr Loss<T> loss_of{
    &cpu::run_loss<F, T>,
    &symbolic::Written<F, std::make_index_sequence<2>, std::make_index_sequence<1>>::write,
    &symbolic::Written<ScaledSlope<F>, std::make_index_sequence<2>, std::make_index_sequence<2>>::write};

/// l[] = scale · Σ F(y, t), or `each` l = F(y, t); and dy = scale · F′(y, t) for backward to begin with, unless
/// it is unwanted. y and t have one shape; numbers: F's own, and the scale.
template <class T> void loss(const Loss<T>& f, bool each, const Sink<T>& l, const Sink<T>& dy,
                             const T* numbers, const View<T>& y, const View<T>& t) {
  if (l.device.is_cpu()) return cpu::loss(f.run, each, l, dy.data, numbers, y, t);
  const Operand operands[] = {y, t};
  const auto on = elsewhere(l, "loss");
  if (on && !each)
    return on->loss(f.value, f.slope, on.to, {dy.data, false, dy.shape, dtype_of<T>()}, real(numbers[1]),
                    numbers, operands, 2);
  if (on) on->map(f.value, on.to, dtype_of<T>(), numbers, operands, 2);
  if (const auto slope = elsewhere(dy, "loss"); on && slope)
    slope->map(f.slope, slope.to, dtype_of<T>(), numbers, operands, 2);
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
