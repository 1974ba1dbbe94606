// SPDX-License-Identifier: MIT
// Errors in units of the last place.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

inline constexpr double wrong = 1e9;

/// |y - exact| in units of the last place that a T of exact's size has: an absolute bound for denormal
/// results.
template <class T, class R> double ulps(T y, R exact) {
  if (exact != exact || y != y) return exact != exact && y != y ? 0 : wrong;
  if (std::isinf(static_cast<T>(exact)) || std::isinf(y)) return y == static_cast<T>(exact) ? 0 : wrong;
  if (exact == 0) return y == 0 && std::signbit(y) == std::signbit(exact) ? 0 : wrong;
  const int exponent = std::max(std::ilogb(exact), std::numeric_limits<T>::min_exponent - 1);
  return static_cast<double>(
      std::fabs((y - exact) / std::ldexp(R(1), exponent - std::numeric_limits<T>::digits + 1)));
}
