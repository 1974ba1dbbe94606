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

/// The number 1, for ever at one address of the device: what backward begins with.
template <class T> const T* one(Device device) {
  static const T here(1);
  return device.is_cpu() ? &here : static_cast<const T*>(table(device, "one").one(dtype_of<T>()));
}

}  // namespace gradus::kernels
