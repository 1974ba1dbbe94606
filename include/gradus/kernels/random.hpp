// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/random.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

/// y = x / (1 − p) where the stream's draw says so, else 0. The same stream gives the same mask.
template <class T> void dropout(const Sink<T>& y, const View<T>& x, double p, const random::Stream& stream) {
  on_cpu(x.device, "dropout");
  cpu::dropout(y, x, p, stream);
}

}  // namespace gradus::kernels
