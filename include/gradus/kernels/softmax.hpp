// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/softmax.hpp>
#include <gradus/kernels/reduce.hpp>

namespace gradus::kernels {

/// y[outer, inner] = log Σₖ exp x[outer, k, inner]
template <class T> void logsumexp(const Sink<T>& y, const View<T>& x, Groups g) {
  on_cpu(y.device, "logsumexp");
  cpu::logsumexp(y, x, g);
}
/// y = softmax of x along the axis, or its logarithm
template <bool logarithm, class T> void softmax(const Sink<T>& y, const View<T>& x, Groups g) {
  on_cpu(y.device, "softmax");
  cpu::softmax<logarithm>(y, x, g);
}
/// dx from the result y and dy
template <bool logarithm, class T>
void softmax_slope(const Sink<T>& dx, const View<T>& y, const View<T>& dy, Groups g) {
  on_cpu(y.device, "softmax_slope");
  cpu::softmax_slope<logarithm>(dx, y, dy, g);
}
/// y[B] = the cross-entropy of softmax(z[B, C]) with the labels t[B]; kept[2, B], the maximum and log Σ exp(z
/// − it), is for the slope
template <class T> void softmax_cross_entropy(const Sink<T>& y, const Sink<T>& kept, const View<T>& z,
                                              const View<std::int32_t>& t, T smoothing) {
  on_cpu(y.device, "softmax_cross_entropy");
  cpu::softmax_cross_entropy(y, kept, z, t, smoothing);
}
/// dz[B, C] from dy[B]
template <class T> void softmax_cross_entropy_slope(const Sink<T>& dz, const View<T>& z, const View<T>& kept,
                                                    const View<std::int32_t>& t, const View<T>& dy,
                                                    T smoothing) {
  on_cpu(z.device, "softmax_cross_entropy_slope");
  cpu::softmax_cross_entropy_slope(dz, z, kept, t, dy, smoothing);
}

}  // namespace gradus::kernels
