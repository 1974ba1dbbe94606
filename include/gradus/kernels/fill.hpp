// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/fill.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

/// y = value everywhere
template <class T> void fill(const Sink<T>& y, T value) {
  on_cpu(y.device, "fill");
  cpu::fill(y, value);
}

}  // namespace gradus::kernels
