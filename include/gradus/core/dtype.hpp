// SPDX-License-Identifier: MIT
// The element types by name, for files, messages and devices whose kernels are not C++ templates.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>

namespace gradus {

/// bf16: bfloat16, in a device's own memory alone.
enum class Dtype : std::uint8_t { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean, bf16, other };

template <class T> constexpr Dtype dtype_of() {
  if constexpr (std::same_as<T, float>)
    return Dtype::f32;
  else if constexpr (std::same_as<T, double>)
    return Dtype::f64;
  else if constexpr (std::same_as<T, bool>)
    return Dtype::boolean;
  else if constexpr (std::signed_integral<T>)
    return sizeof(T) == 1   ? Dtype::i8
           : sizeof(T) == 2 ? Dtype::i16
           : sizeof(T) == 4 ? Dtype::i32
                            : Dtype::i64;
  else if constexpr (std::unsigned_integral<T>)
    return sizeof(T) == 1   ? Dtype::u8
           : sizeof(T) == 2 ? Dtype::u16
           : sizeof(T) == 4 ? Dtype::u32
                            : Dtype::u64;
  else
    return Dtype::other;  // a user's own scalar
}

inline const char* name(Dtype d) {
  constexpr const char* names[] = {"float32", "float64", "int8",   "int16", "int32",    "int64", "uint8",
                                   "uint16",  "uint32",  "uint64", "bool",  "bfloat16", "other"};
  return names[int(d)];
}

/// Gradients exist for real numbers alone: labels, masks and indices have none.
template <class T> constexpr bool is_differentiable = !std::integral<T>;

}  // namespace gradus
