// SPDX-License-Identifier: MIT
// One family of exceptions. Every message says who, what is, what should be, with the values:
//   matmul: a is [64, 128], b is [100, 10]; a's columns must equal b's rows
#pragma once

#include <charconv>
#include <concepts>
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
struct OutOfMemory : DeviceError {
  using DeviceError::DeviceError;
};  ///< a device's memory is full; nothing is lost, and less may still fit
struct DeviceLost : DeviceError {
  using DeviceError::DeviceError;
};  ///< a device has failed, with all that is in its memory: only a new process can use it again
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

template <class T>
concept Describable = requires(const T& t) {
  t.str();
};

/// One part of a message. It becomes words when an error is thrown: a check that holds costs nothing.
class Part {
 public:
  Part(const char* s) : value_{.object = s}, words_(&Part::of_chars) {}
  Part(const std::string& s) : value_{.object = &s}, words_(&Part::of_string) {}
  Part(const std::string_view& s) : value_{.object = &s}, words_(&Part::of_view) {}
  Part(bool b) : Part(b ? "true" : "false") {}
  Part(char c) : value_{.integer = c}, words_(&Part::of_char) {}
  template <std::integral T> Part(T n)
      : value_{.integer = static_cast<long long>(n)},
        words_(std::is_signed_v<T> ? &Part::of_integer : &Part::of_unsigned) {}
  Part(float x) : value_{.number = x}, words_(&Part::of_float) {}
  Part(double x) : value_{.number = x}, words_(&Part::of_double) {}
  template <Describable T> Part(const T& t) : value_{.object = &t}, words_(&Part::of_object<T>) {}

  void append_to(std::string& message) const { message += words_(value_); }

 private:
  union Value {
    const void* object;
    long long integer;
    double number;
  };
  static std::string of_chars(Value v) { return static_cast<const char*>(v.object); }
  static std::string of_string(Value v) { return *static_cast<const std::string*>(v.object); }
  static std::string of_view(Value v) { return std::string(*static_cast<const std::string_view*>(v.object)); }
  static std::string of_char(Value v) { return std::string(1, static_cast<char>(v.integer)); }
  static std::string of_integer(Value v) { return std::to_string(v.integer); }
  static std::string of_unsigned(Value v) {
    return std::to_string(static_cast<unsigned long long>(v.integer));
  }
  // numbers in as few digits as say them: 0.1, not 0.100000; a point in every locale
  static std::string of_float(Value v) {
    char buffer[32];
    const auto x = static_cast<float>(v.number);
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::general).ptr};
  }
  static std::string of_double(Value v) {
    char buffer[32];
    return {buffer,
            std::to_chars(buffer, buffer + sizeof buffer, v.number, std::chars_format::general, 9).ptr};
  }
  template <class T> static std::string of_object(Value v) { return static_cast<const T*>(v.object)->str(); }

  Value value_;
  std::string (*words_)(Value);
};

inline std::string joined(std::initializer_list<Part> parts) {
  std::string all;
  for (const Part& part : parts) part.append_to(all);
  return all;
}
template <class E> [[noreturn, gnu::noinline, gnu::cold]] void raise(std::initializer_list<Part> parts) {
  throw E(joined(parts));
}

/// The parts of a message, one after the other: words, numbers, and all that has a str().
template <class... Parts> [[gnu::always_inline]] inline std::string message(const Parts&... parts) {
  return joined({Part(parts)...});
}
// inline always: words of every length would be a function each
template <class E, class... Parts> [[noreturn, gnu::always_inline]] inline void fail(const Parts&... parts) {
  raise<E>({Part(parts)...});
}
template <class E, class... Parts>
[[gnu::always_inline]] inline void require(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail<E>(parts...);
}

/// The number that the text is, 0 to `most` (at most 10⁸) in digits alone; else −1.
inline int whole_number(const char* text, const char* end, int most) {
  int n = text == end ? -1 : 0;
  for (; text != end && n >= 0; ++text) {
    n = *text >= '0' && *text <= '9' ? 10 * n + (*text - '0') : -1;
    if (n > most) n = -1;
  }
  return n;
}

}  // namespace detail
}  // namespace gradus
