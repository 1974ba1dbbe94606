// SPDX-License-Identifier: MIT
// One family of exceptions. Every message says who, what is, what should be, with the values:
//   matmul: a is [64, 128], b is [100, 10]; a's columns must equal b's rows
#pragma once

#include <charconv>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace gradus {

/// The base of every exception that gradus throws. After one nothing is lost or half-changed.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {
  using Error::Error;
};  ///< shapes, ranks or axes that do not fit
struct IndexError : Error {
  using Error::Error;
};  ///< an index or label outside its range
struct ValueError : Error {
  using Error::Error;
};  ///< an option or argument outside its domain
struct DeviceError : Error {
  using Error::Error;
};  ///< a device that is not there, or two that are mixed
struct TapeError : Error {
  using Error::Error;
};  ///< a gradient asked for that the tape cannot give
struct OwnershipError : Error {
  using Error::Error;
};  ///< a write into memory that others share
struct FileError : Error {
  using Error::Error;
};  ///< a file that cannot be read, written or understood
struct DivergenceError : Error {
  using Error::Error;
};  ///< training met NaN or infinity

namespace detail {

inline std::string text(std::string_view s) { return std::string(s); }
inline std::string text(const char* s) { return s; }
inline std::string text(char c) { return std::string(1, c); }
inline std::string text(bool b) { return b ? "true" : "false"; }
template <class T>
  requires std::is_integral_v<T> std::string text(T n) { return std::to_string(n); }
// numbers in as few digits as say them: 0.1, not 0.100000; a point in every locale
inline std::string text(float x) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::general).ptr};
}
inline std::string text(double x) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::general, 9).ptr};
}
template <class T>
  requires requires(const T& t) { t.str(); }
std::string text(const T& t) { return t.str(); }

inline std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

/// The parts of a message, one after the other. Out of line, so that a check costs its caller one call; by
/// value, so that words of different lengths share one function.
template <class... Parts> [[gnu::noinline, gnu::cold]] std::string message(Parts... parts) {
  return joined({text(parts)...});
}
template <class E, class... Parts> [[noreturn, gnu::noinline, gnu::cold]] void fail(Parts... parts) {
  throw E(joined({text(parts)...}));
}
template <class E, class... Parts> void require(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail<E>(parts...);
}

}  // namespace detail
}  // namespace gradus
