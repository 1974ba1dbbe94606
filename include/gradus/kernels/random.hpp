// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/random.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

/// y = x / (1 − p) where the numbers of the stream's draw say so, else 0. The same draw gives the same mask.
template <class T> void dropout(const Sink<T>& y, const View<T>& x, double p, const random::Stream& stream,
                                const random::Draw& draw) {
  if (y.device.is_cpu()) return cpu::dropout(y, x, p, stream.child(draw.number));
  if (const auto on = elsewhere(y, "dropout")) on->dropout(on.to, x, p, stream, draw);
}

}  // namespace gradus::kernels
