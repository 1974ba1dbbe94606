// SPDX-License-Identifier: MIT
// Features brought to one scale, column by column:
//
//   Standardize   (x − mean) / deviation             deviation over N, as scikit-learn's StandardScaler
//   MinMax        (x − least) / (largest − least)    into [0, 1]
//
// Fit on the training part alone; the metadata goes into the model's file, so that who loads it can do the
// same.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gradus/core/array.hpp>

namespace gradus::data {

/// (x − shift) / scale, and back. In double, whatever the array's type.
struct Affine {
  using Metadata = std::map<std::string, std::string>;

  std::vector<double> shift, scale;  ///< one of each for every column; no scale is 0

  /// x is [N, F] on the CPU. Throws ShapeError where F is another number of columns.
  template <class T> Array<T> transform(const Array<T>& x) const {
    return each(x, [](double v, double a, double b) { return (v - a) / b; });
  }
  template <class T> Array<T> inverse(const Array<T>& x) const {
    return each(x, [](double v, double a, double b) { return v * b + a; });
  }

  friend bool operator==(const Affine&, const Affine&) = default;

 protected:
  template <class T> static Index columns_to_fit(const Array<T>& x, const char* who) {
    if (x.rank() != 2 || x.size() == 0)
      gradus::detail::fail<ShapeError>(who, ": x is ", x.shape(),
                                       "; it should be [N, F] with rows to learn from");
    const Index width = x.shape()[1];
    const T* const bad =
        std::find_if(x.begin(), x.end(), [](const T& v) { return !std::isfinite(double(v)); });
    if (bad != x.end())
      gradus::detail::fail<ValueError>(who, ": x(", (bad - x.begin()) / width, ", ",
                                       (bad - x.begin()) % width, ") is ", double(*bad),
                                       "; all should be finite");
    return width;
  }

  // Templates of nothing, here and below: only a program that keeps its metadata compiles them.

  // as few digits as give every number back exactly
  template <int = 0> static std::string text(const std::vector<double>& numbers) {
    std::string s;
    char buffer[32];
    for (const double x : numbers)
      (s += s.empty() ? "" : " ").append(buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr);
    return s;
  }
  template <int = 0> Metadata pair(const std::string& shift_key, const std::string& scale_key) const {
    Metadata to;
    to[shift_key] = text(shift);
    to[scale_key] = text(scale);
    return to;
  }
  template <int = 0> static std::vector<double> numbers(const Metadata& from, const std::string& key) {
    const std::string* text = nullptr;
    for (const auto& [name, value] : from)
      if (name == key) text = &value;
    if (!text) gradus::detail::fail<ValueError>("metadata: there is no \"", key, "\"");
    std::vector<double> result;
    const char *p = text->data(), *const end = p + text->size();
    while (p != end) {
      double x = 0;
      const auto [next, error] = std::from_chars(p, end, x);
      if (error != std::errc() || !std::isfinite(x) || (next != end && *next != ' '))
        gradus::detail::fail<ValueError>("metadata: \"", key,
                                         "\" should be numbers with a space between, saw \"", *text, "\"");
      result.push_back(x);
      p = next + (next != end);
    }
    return result;
  }
  template <int = 0>
  static Affine read(const Metadata& from, const std::string& shift_key, const std::string& scale_key) {
    Affine a{numbers(from, shift_key), numbers(from, scale_key)};
    bool zero = false;
    for (const double x : a.scale) zero = zero || x == 0;
    if (a.shift.size() != a.scale.size() || zero)
      gradus::detail::fail<ValueError>("metadata: \"", shift_key, "\" has ", a.shift.size(), " numbers, \"",
                                       scale_key, "\" has ", a.scale.size(),
                                       "; both should have as many, the latter none of 0");
    return a;
  }

 private:
  template <class T, class F> Array<T> each(const Array<T>& x, F&& f) const {
    const std::size_t width = shift.size();
    if (x.rank() != 2 || std::size_t(x.shape()[1]) != width)
      gradus::detail::fail<ShapeError>("scale: x is ", x.shape(), "; it should be [N, ", width,
                                       "] as in the fit");
    auto result = Array<T>::uninitialized(x.shape());
    const T* from = x.begin();
    T* to = result.mutable_data();
    for (Index row = 0; row < x.shape()[0]; ++row)
      for (std::size_t k = 0; k < width; ++k) *to++ = static_cast<T>(f(double(*from++), shift[k], scale[k]));
    return result;
  }
};

struct Standardize : Affine {
  /// From x [N, F]. A constant column keeps its scale. Throws ShapeError, and ValueError for NaN and
  /// infinity.
  template <class T> static Standardize fit(const Array<T>& x) {
    const Index width = columns_to_fit(x, "standardize"), n = x.shape()[0];
    Standardize s;
    for (Index k = 0; k < width; ++k) {
      const T* const column = x.begin() + k;
      const auto x_at = [&](Index i) { return double(column[i * width]); };
      double sum = 0, largest = 0, squares = 0;
      for (Index i = 0; i < n; ++i) sum += x_at(i);
      const double mean = sum / double(n);
      for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(x_at(i) - mean));
      for (Index i = 0; i < n; ++i) {
        const double d = (x_at(i) - mean) / largest;  // at most 1: its square does not overflow
        squares += d * d;
      }
      bool constant = true;  // to the bit, whatever rounding makes of its mean
      for (Index i = 1; i < n; ++i) constant = constant && x_at(i) == x_at(0);
      s.shift.push_back(constant ? x_at(0) : mean);
      s.scale.push_back(constant ? 1 : largest * std::sqrt(squares / double(n)));
    }
    return s;
  }

  template <int = 0> Metadata metadata() const { return pair("standardize.mean", "standardize.deviation"); }
  /// Exactly what was written. Throws ValueError.
  template <int = 0> static Standardize from_metadata(const Metadata& from) {
    return {read(from, "standardize.mean", "standardize.deviation")};
  }
};

struct MinMax : Affine {
  /// From x [N, F]. A constant column keeps its scale. Throws ShapeError, and ValueError for NaN and
  /// infinity.
  template <class T> static MinMax fit(const Array<T>& x) {
    const Index width = columns_to_fit(x, "min_max"), n = x.shape()[0];
    MinMax s;
    for (Index k = 0; k < width; ++k) {
      double least = double(x.begin()[k]), largest = least;
      for (Index i = 1; i < n; ++i) {
        const double v = double(x.begin()[i * width + k]);
        least = std::min(least, v), largest = std::max(largest, v);
      }
      s.shift.push_back(least);
      s.scale.push_back(largest > least ? largest - least : 1);
    }
    return s;
  }

  template <int = 0> Metadata metadata() const { return pair("min_max.least", "min_max.range"); }
  /// Exactly what was written. Throws ValueError.
  template <int = 0> static MinMax from_metadata(const Metadata& from) {
    return {read(from, "min_max.least", "min_max.range")};
  }
};

}  // namespace gradus::data
