// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/softmax.hpp>
#include <gradus/kernels/reduce.hpp>

namespace gradus::kernels {

/// y[outer, inner] = log Σₖ exp x[outer, k, inner]
template <class T> void logsumexp(const Sink<T>& y, const View<T>& x, Groups g) {
  if (y.device.is_cpu()) return cpu::logsumexp(y, x, g);
  if (const auto on = elsewhere(y, "logsumexp")) on->logsumexp(on.to, x, g);
}
/// y = softmax of x along the axis, or its logarithm
template <bool logarithm, class T> void softmax(const Sink<T>& y, const View<T>& x, Groups g) {
  if (y.device.is_cpu()) return cpu::softmax<logarithm>(y, x, g);
  if (const auto on = elsewhere(y, "softmax")) on->softmax(on.to, x, g, logarithm);
}
/// dx from the result y and dy
template <bool logarithm, class T>
void softmax_slope(const Sink<T>& dx, const View<T>& y, const View<T>& dy, Groups g) {
  if (dx.device.is_cpu()) return cpu::softmax_slope<logarithm>(dx, y, dy, g);
  if (const auto on = elsewhere(dx, "softmax_slope")) on->softmax_slope(on.to, y, dy, g, logarithm);
}
/// y[B] = the cross-entropy of softmax(z[B, C]) with the labels t[B]; kept[2, B], the maximum and log Σ exp(z
/// − it), is for the slope
template <class T> void softmax_cross_entropy(const Sink<T>& y, const Sink<T>& kept, const View<T>& z,
                                              const View<std::int32_t>& t, T smoothing) {
  if (y.device.is_cpu()) return cpu::softmax_cross_entropy(y, kept, z, t, smoothing);
  if (const auto on = elsewhere(y, "softmax_cross_entropy"))
    on->softmax_cross_entropy(on.to, elsewhere(kept, "softmax_cross_entropy").to, z, t, real(smoothing));
}
/// dz[B, C] from dy[B]
template <class T> void softmax_cross_entropy_slope(const Sink<T>& dz, const View<T>& z, const View<T>& kept,
                                                    const View<std::int32_t>& t, const View<T>& dy,
                                                    T smoothing) {
  if (dz.device.is_cpu())
    return cpu::softmax_cross_entropy_slope(dz, z, kept, t, dy.data, 1, T(1), smoothing);
  if (const auto on = elsewhere(dz, "softmax_cross_entropy_slope"))
    on->softmax_cross_entropy_slope(on.to, z, kept, t, dy, real(smoothing));
}
/// l[] = scale · Σ of the same y over all rows, and dz[B, C] its slope, unless that is unwanted: in one pass
/// where a device can. room [3, B] is for those that cannot.
template <class T> void softmax_cross_entropy_sum(const Sink<T>& l, const Sink<T>& dz, const Sink<T>& room,
                                                  const View<T>& z, const View<std::int32_t>& t, T smoothing,
                                                  T scale) {
  if (l.device.is_cpu()) return cpu::softmax_cross_entropy_sum(l, dz, room, z, t, smoothing, scale);
  if (const auto on = elsewhere(l, "softmax_cross_entropy_sum"))
    on->softmax_cross_entropy_sum(on.to, {dz.data, false, dz.shape, dtype_of<T>()}, z, t, real(smoothing),
                                  real(scale));
}

}  // namespace gradus::kernels
