// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/map.hpp>

namespace gradus::cpu {

template <class T> void fill(const Sink<T>& y, T value) {
  const auto to = y.open();
  if (!to) return;
  for (Index i = 0, n = y.size(); i < n; ++i) to.data[i] = to.add ? to.data[i] + value : value;
}

}  // namespace gradus::cpu
