// SPDX-License-Identifier: MIT
// The stable order of things that have a place: indices, whatever they stand for.
#pragma once

#include <algorithm>
#include <vector>

#include <gradus/fwd.hpp>

namespace gradus::detail {

/// 0 … n − 1 such that none is less than the one before; those that are equal stay as they were.
template <class Less> std::vector<Index> sorted_order(Index n, const Less& less) {
  std::vector<Index> order;
  for (Index i = 0; i < n; ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), less);
  return order;
}

}  // namespace gradus::detail
