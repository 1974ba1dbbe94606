// SPDX-License-Identifier: MIT
// Looked-up rows of arrays, for data sets on the host and for the devices' kernels.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include <gradus/fwd.hpp>

namespace gradus {

/// An array of any type whose rows are looked up: to[k] = from[row k of some list], each so many bytes.
struct RowLookup {
  void* to;
  const void* from;
  Index bytes;
  static constexpr int most = 8;  // arrays in one go
};

namespace detail {

/// The first of the rows is a.to's first. They are not checked.
inline void gather_rows(const RowLookup& a, std::span<const std::int32_t> rows) {
  auto* to = static_cast<char*>(a.to);
  const auto* const from = static_cast<const char*>(a.from);
  const std::int32_t *row = rows.data(), *const end = row + rows.size();
  const auto move = [&](std::size_t bytes) {
    for (; row != end; ++row, to += bytes) std::memcpy(to, from + std::size_t(*row) * bytes, bytes);
  };
  // a memcpy of a known size is a move or two
  if (a.bytes == 4) return move(4);
  if (a.bytes == 8) return move(8);
  if (a.bytes == 16) return move(16);
  if (a.bytes > 0) move(std::size_t(a.bytes));
}

}  // namespace detail
}  // namespace gradus
