// SPDX-License-Identifier: MIT
// Arrays as text, by NumPy's rules (numpy.array2string): columns aligned, no more digits than the numbers
// need and at most 8 after the point, one exponent format for all where magnitudes differ by more than 1000
// or are extreme, and "..." for what an array of more than 1000 elements holds beyond its edges.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gradus/core/array.hpp>

namespace gradus {

/// NumPy's print options, with their defaults there.
struct PrintOptions {
  int precision = 8;       ///< digits after the point, at most
  Index threshold = 1000;  ///< arrays of more elements are summarised
  Index edge_items = 3;    ///< what a summary shows at either end of an axis
  Index line_width = 75;   ///< characters, after which a row continues on the next line
};

namespace detail {

// Templates of nothing, here and below: only a program that prints compiles them.

/// The brackets around the words, and which elements have a word at all.
template <int = 0> class PrintLayout {
 public:
  PrintLayout(const Shape& shape, const PrintOptions& options)
      : shape_(shape),
        options_(options),
        edge_(std::max<Index>(options.edge_items, 0)),
        summary_(shape.size() > options.threshold) {}

  /// Where the elements that are shown lie, in order.
  std::vector<Index> shown() const {
    std::vector<Index> at;
    if (shape_.size() > 0) show(0, 0, at);
    return at;
  }
  std::string text(const std::vector<std::string>& words) const {
    if (shape_.size() == 0) return "[]";
    auto word = words.begin();
    return shape_.rank() == 0 ? *word : nested(0, " ", options_.line_width - 1, word);
  }

 private:
  using Word = std::vector<std::string>::const_iterator;

  bool skips(int axis) const { return summary_ && 2 * edge_ < shape_[axis]; }

  void show(int axis, Index at, std::vector<Index>& all) const {
    if (axis == shape_.rank()) return all.push_back(at);
    const Index n = shape_[axis];
    for (Index i = 0; i < n; ++i) {
      if (skips(axis) && i == edge_) i = n - edge_;
      if (i < n) show(axis + 1, at * n + i, all);
    }
  }
  std::string nested(int axis, const std::string& indent, Index width, Word& word) const {
    const Index n = shape_[axis], below = shape_.rank() - axis - 1;
    std::string all, line = indent;
    const auto append = [&](const std::string& part, bool last) {
      if (below > 0) {
        all += indent + part + (last ? "" : std::string(std::size_t(below), '\n'));
        return;
      }
      if (Index(line.size() + part.size()) > width && line.size() > indent.size()) {
        line.erase(line.find_last_not_of(' ') + 1);
        all += line + "\n";
        line = indent;
      }
      line += part + (last ? "" : " ");
    };
    for (Index i = 0; i < n; ++i) {
      if (skips(axis) && i == edge_) {
        append("...", edge_ == 0);
        if (edge_ == 0) break;
        i = n - edge_;
      }
      append(below > 0 ? nested(axis + 1, indent + " ", width - 1, word) : *word++, i == n - 1);
    }
    if (below == 0) all += line;
    return "[" + all.substr(indent.size()) + "]";
  }

  const Shape shape_;
  const PrintOptions options_;
  const Index edge_;
  const bool summary_;
};

/// The parts of "-12.5" or "-1.25e+07": "-12", "5", "" or "-1", "25", "+07".
struct Digits {
  std::string whole, fraction, exponent;
};

/// The fewest digits that say which float (`single`) or double it is, at most `precision` (to 40) of them
/// after the point; or `exactly` so many, rounded from the exact value.
template <int = 0> Digits digits(double x, bool single, bool exponent, int precision, bool exactly = false) {
  char buffer[80];
  const auto write = [&](auto... how) {
    const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    char* const end = buffer + sizeof buffer;
    const auto result = single ? std::to_chars(buffer, end, static_cast<float>(x), format, how...)
                               : std::to_chars(buffer, end, x, format, how...);
    const std::string s(buffer, result.ptr);
    const auto e = std::min(s.find('e'), s.size()), point = std::min(s.find('.'), e);
    Digits d{s.substr(0, point), s.substr(point, e - point), s.substr(e)};
    if (!d.fraction.empty()) d.fraction.erase(0, 1);
    if (!d.exponent.empty()) d.exponent.erase(0, 1);
    if (!exactly) d.fraction.erase(d.fraction.find_last_not_of('0') + 1);
    return d;
  };
  if (exactly) return write(precision);
  const Digits shortest = write();
  return Index(shortest.fraction.size()) <= precision ? shortest : write(precision);
}

inline const char* not_finite(double x) {
  return x - x == 0 ? nullptr : x != x ? "nan" : x > 0 ? "inf" : "-inf";
}

/// A number by itself, as Python writes it: 2.0, 0.1, 1e-07.
template <int = 0> std::string scalar_word(double x, bool single) {
  if (const char* const word = not_finite(x)) return word;
  const double magnitude = x < 0 ? -x : x;
  const bool exponent = x != 0 && (magnitude < 1e-4 || magnitude >= (single ? 1e6 : 1e16));
  const auto [whole, fraction, e] = digits(x, single, exponent, 40);
  if (exponent) return whole + (fraction.empty() ? "" : "." + fraction) + "e" + e;
  return whole + "." + (fraction.empty() ? "0" : fraction);
}

/// Numbers in one format for all, their points one below the other.
template <int = 0>
std::vector<std::string> float_words(const std::vector<double>& numbers, bool single, int precision) {
  double most = 0, least = std::numeric_limits<double>::infinity();  // magnitudes, zeros aside
  for (const double x : numbers)
    if (x != 0 && !not_finite(x))
      most = std::max(most, x < 0 ? -x : x), least = std::min(least, x < 0 ? -x : x);
  const double ratio = single ? double(static_cast<float>(most) / static_cast<float>(least)) : most / least;
  const bool exponent = most >= (single ? 1e6 : 1e8) || (most > 0 && (least < 1e-4 || ratio > 1000));

  std::size_t whole = 0, fraction = 0, power = 2;  // the widest parts
  for (const double x : numbers) {
    if (not_finite(x)) continue;
    const Digits d = digits(x, single, exponent, precision);
    whole = std::max(whole, d.whole.size());
    fraction = std::max(fraction, d.fraction.size());
    if (exponent) power = std::max(power, d.exponent.size() - 1);
  }
  std::vector<std::string> words;
  for (const double x : numbers) {
    if (const char* const word = not_finite(x)) {
      words.push_back(word);
      continue;
    }
    // with an exponent all have as many digits, of the exact value: no zeros after the shortest
    auto [before, after, e] = digits(x, single, exponent, exponent ? int(fraction) : precision, exponent);
    if (exponent) e.insert(1, power + 1 - e.size(), '0').insert(0, 1, 'e');
    after.resize(fraction, ' ');
    words.push_back(before.insert(0, whole - before.size(), ' ') + "." + after + e);
  }
  return words;
}

/// One word for each element that is shown, all of one width.
template <class T>
std::vector<std::string> words(const T* data, const std::vector<Index>& at, bool scalar, int precision) {
  std::vector<std::string> words;
  if constexpr (!std::integral<T> && requires(T x) { static_cast<double>(x); }) {
    constexpr bool single = sizeof(T) <= sizeof(float);
    std::vector<double> numbers;
    for (const Index i : at) numbers.push_back(static_cast<double>(data[i]));
    words =
        scalar ? std::vector{scalar_word(numbers.at(0), single)} : float_words(numbers, single, precision);
  } else {
    for (const Index i : at) {
      if constexpr (std::same_as<T, bool>)
        words.push_back(data[i] ? "True" : "False");
      else if constexpr (std::integral<T>)
        words.push_back(std::to_string(data[i]));  // char, too
      else
        words.push_back(message(data[i]));  // a user's own scalar: str()
    }
  }
  std::size_t width = std::same_as<T, bool> && !scalar ? 5 : 0;
  for (const auto& word : words) width = std::max(width, word.size());
  for (auto& word : words) word.insert(0, width - word.size(), ' ');
  return words;
}

}  // namespace detail

/// What NumPy's str() says of the same numbers, fetched from their device:
///   [[ 1.   2.5]
///    [-3.   0. ]]
template <class T> std::string str(const Array<T>& a, const PrintOptions& options = {}) {
  const detail::PrintLayout layout(a.shape(), options);
  const Array<T> host = a.to(Device());
  return layout.text(
      detail::words(host.data(), layout.shown(), a.rank() == 0, std::clamp(options.precision, 0, 40)));
}

/// What holds an array and gives it: a tensor.
template <class A>
concept HoldsArray = requires(const A& a) {
  { a.array() } -> std::same_as<Array<typename A::value_type>>;
};
template <HoldsArray A> std::string str(const A& a, const PrintOptions& options = {}) {
  return str(a.array(), options);
}

// The streams' own header is the user's to include: only the user's call needs it.

template <class Traits, class T>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Array<T>& a) {
  const std::string s = str(a);
  return out.write(s.data(), static_cast<Index>(s.size()));
}
template <class Traits, HoldsArray A>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const A& a) {
  return out << a.array();
}
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Shape& shape) {
  const std::string s = shape.str();
  return out.write(s.data(), static_cast<Index>(s.size()));
}

}  // namespace gradus
