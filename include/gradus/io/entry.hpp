// SPDX-License-Identifier: MIT
// A named array as a file holds it: bytes, a dtype by name, a shape of any rank.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/io/file.hpp>

namespace gradus::io {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// Whatever a file says about itself: texts by name.
using Metadata = std::map<std::string, std::string>;

/// One array of a file: bytes, and what they mean.
struct Entry {
  std::string name, dtype;  ///< "0.weight", "F32"
  std::vector<Index> shape;
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;  ///< keeps the bytes alive
};

namespace detail {

struct StoredType {
  std::string_view name;
  int bits;
};
// the first ones in the order of gradus::Dtype; the others are passed through as bytes
inline constexpr StoredType stored_types[] = {
    {"F32", 32},    {"F64", 64},    {"I8", 8},      {"I16", 16},    {"I32", 32},        {"I64", 64},
    {"U8", 8},      {"U16", 16},    {"U32", 32},    {"U64", 64},    {"BOOL", 8},        {"F16", 16},
    {"BF16", 16},   {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
    {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},      {"C64", 64}};

template <int = 0> int bits_of(std::string_view dtype) {  // 0: unknown
  for (const StoredType& t : stored_types)
    if (t.name == dtype) return t.bits;
  return 0;
}
template <class T> constexpr std::string_view stored_name() {
  static_assert(dtype_of<T>() != Dtype::other, "a file holds float, double, integers and bool");
  return stored_types[int(dtype_of<T>())].name;
}

/// The bytes that a shape takes, or −1 where no file can hold them. Sizes are not negative.
template <int = 0> std::int64_t stored_bytes(std::span<const Index> shape, int bits) {
  std::int64_t n = 1;
  for (const Index size : shape)
    if (__builtin_mul_overflow(n, size, &n)) return -1;
  return __builtin_mul_overflow(n, std::int64_t(bits), &n) || n % 8 ? -1 : n / 8;
}

template <int = 0> std::string shape_text(std::span<const Index> shape) {
  std::string s;
  for (const Index n : shape) s += (s.empty() ? "" : ", ") + std::to_string(n);
  return "[" + s + "]";
}

}  // namespace detail

/// An entry that holds on to the array's memory. An array on another device is copied to the CPU.
template <class T> Entry entry(std::string name, const Array<T>& array) {
  const auto owner = std::make_shared<const Array<T>>(array.to(Device()));
  const auto sizes = owner->shape().sizes();
  return {std::move(name),
          std::string(detail::stored_name<T>()),
          {sizes.begin(), sizes.end()},
          {reinterpret_cast<const std::uint8_t*>(owner->data()), owner->bytes()},
          owner};
}

}  // namespace gradus::io
