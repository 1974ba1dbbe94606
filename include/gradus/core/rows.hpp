// SPDX-License-Identifier: MIT
// Looked-up rows of a table, for data sets on the host and for the CPU's kernel.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <gradus/fwd.hpp>

namespace gradus::detail {

/// to[i] = from[rows[i]], rows of `width` numbers. The rows are not checked.
template <class T> void gather_rows(T* to, const T* from, Index width, std::span<const std::int32_t> rows) {
  // a memcpy of a known size is a move or two
  const std::int32_t *row = rows.data(), *const end = row + rows.size();
  const auto fixed = [&]<int W>(std::integral_constant<int, W>) {
    for (; row != end; ++row, to += W) std::memcpy(to, from + Index(*row) * W, W * sizeof(T));
  };
  if (width == 1) return fixed(std::integral_constant<int, 1>{});
  if (width == 2) return fixed(std::integral_constant<int, 2>{});
  if (width == 4) return fixed(std::integral_constant<int, 4>{});
  if (width > 0)
    for (; row != end; ++row, to += width)
      std::memcpy(to, from + *row * width, std::size_t(width) * sizeof(T));
}

}  // namespace gradus::detail
