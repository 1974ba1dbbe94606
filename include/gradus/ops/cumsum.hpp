// SPDX-License-Identifier: MIT
// cumsum along an axis: each number is added to the one 1, 2, 4 … places after it (Hillis, Steele, 1986).
//   y[k] = x[0] + … + x[k]
#pragma once

#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/shape.hpp>

namespace gradus {

/// The sums of the first 1, 2 … n numbers. The error grows with log n. Cost: log₂ n additions and copies of x.
template <Operand X> auto cumsum(const X& x, int axis = -1) {
  Tensor<scalar_of<X>> y = as_tensor(x);
  const int at = x.shape().axis(axis, "cumsum");
  const Index n = x.shape()[at];
  for (Index step = 1; step < n; step *= 2)
    y = concat({slice(y, at, 0, step), slice(y, at, step, n) + slice(y, at, 0, n - step)}, at);
  return y;
}

}  // namespace gradus
