// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/fill.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

/// y = value everywhere
template <class T> void fill(const Sink<T>& y, T value) {
  if (y.device.is_cpu()) return cpu::fill(y, value);
  if (const auto on = elsewhere(y, "fill")) on->fill(on.to, real(value));
}

}  // namespace gradus::kernels
