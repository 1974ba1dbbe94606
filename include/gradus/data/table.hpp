// SPDX-License-Identifier: MIT
// Columns of text, as a CSV file has them, and the Dataset that they become: features are numbers, the label
// column is two classes, many classes or a number to predict.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/sorted_order.hpp>
#include <gradus/data/dataset.hpp>

namespace gradus::data {

// Templates of nothing, here and in csv.hpp: only a program that reads tables compiles them.

/// A column by its name in the header, or by its place: 0 is the first one, -1 the last. A name goes before a
/// place.
struct Column {
  std::string text;
  Column(std::string name_or_place) : text(std::move(name_or_place)) {}
  Column(const char* name_or_place) : text(name_or_place) {}
  template <std::integral I> Column(I place) : text(std::to_string(place)) {}
};

enum class Label {
  binary,      ///< two different values → targets [N, 1] of 0 and 1
  classes,     ///< any number of different values → labels [N]
  regression,  ///< numbers → targets [N, 1]
};

struct DatasetOptions {
  Column label = -1;
  Label kind = Label::binary;
  std::vector<Column> ignore = {};  ///< neither features nor label
};

namespace detail {

/// A decimal number, with blanks around it and a sign before it if need be. Knows no locale.
template <int = 0> bool parse_number(std::string_view s, double& to, bool non_finite = false) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), to);
  return error == std::errc() && end == s.data() + s.size() && (non_finite || std::isfinite(to));
}

/// For a message: in quotes, on one line, not too long.
template <int = 0> std::string shown(std::string s) {
  constexpr std::size_t longest = 40;
  if (std::size_t n = longest; s.size() > n) {
    while (n > 0 && (s[n] & 0xc0) == 0x80) --n;  // not within a UTF-8 character
    s = s.substr(0, n) + "…";
  }
  for (char& c : s)
    if (c >= 0 && c < ' ') c = ' ';
  return "\"" + s + "\"";
}

}  // namespace detail

/// What read_csv returns. All text is kept as it was in the file; numbers are made when they are asked for,
/// and an error says where in the file: `csv: iris.csv:17:3: expected a number, saw "n/a"` is line 17,
/// field 3.
template <int = 0> class BasicTable {
 public:
  std::vector<std::string> names;  ///< from the header, or "column 0", "column 1" …

  Index rows() const { return names.empty() ? 0 : Index(fields_.size() / names.size()); }
  Index columns() const { return Index(names.size()); }

  /// Throws ValueError where there is no such column, or where two have the name.
  Index column(const Column& which) const {
    Index count = 0, place = 0;
    for (Index i = 0; i < columns(); ++i)
      if (name(i) == which.text) ++count, place = i;
    if (count > 1)
      fail<ValueError>("", ": ", count, " columns are named ", detail::shown(which.text),
                       "; take one by its place");
    if (count == 1) return place;
    const std::string& s = which.text;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), place);
    if (s.empty() || error != std::errc() || end != s.data() + s.size() || place < -columns() ||
        place >= columns()) {
      std::string known;
      for (std::size_t i = 0; i < names.size() && i < 12; ++i)
        known += (i ? ", " : "") + detail::shown(names[i]);
      fail<ValueError>("", ": there is no column ", detail::shown(s), "; there are ", columns(), ": ", known,
                       names.size() > 12 ? " …" : "");
    }
    return place < 0 ? place + columns() : place;
  }

  /// A field as text: without its quotes, or without the blanks around it.
  std::string text(Index row, Index column) const {
    const Field& f = field(row, column);
    std::string s(text_, f.begin, f.size);
    if (f.quoted)
      for (std::size_t at = 0; (at = s.find("\"\"", at)) != s.npos; ++at) s.erase(at, 1);
    return s;
  }

  /// A field as a number. Throws FileError unless it is one, and finite (or non-finite ones were asked for).
  double number(Index row, Index column) const {
    const Field& f = field(row, column);
    double x = 0;
    if (!detail::parse_number({text_.data() + f.begin, f.size}, x, non_finite_))
      fail<FileError>(place(row, column), ": expected a number, saw ", detail::shown(text(row, column)));
    return x;
  }

  /// The columns as numbers [N, columns]. Throws FileError, also for what is too large for a T.
  template <class T = float> Array<T> numbers(std::span<const Index> which) const {
    auto result = Array<T>::uninitialized({rows(), Index(which.size())});
    T* to = result.mutable_data();
    for (Index row = 0; row < rows(); ++row)
      for (const Index column : which) {
        const double x = number(row, column);
        if (std::isfinite(x) && std::abs(x) > double(std::numeric_limits<T>::max()))
          fail<FileError>(place(row, column), ": expected a number of at most ",
                          double(std::numeric_limits<T>::max()), ", saw ", detail::shown(text(row, column)));
        *to++ = static_cast<T>(x);
      }
    return result;
  }

  /// All columns but the label and the ignored ones become features. Classes are sorted, as numbers if all
  /// are numbers, else as words; in a binary label the second one is 1. Throws FileError for a field that is
  /// not what it should be, ValueError for a column that is not there or has too many or too few classes.
  template <class T = float> Dataset<T> dataset(const DatasetOptions& options = {}) const {
    if (rows() == 0) fail<FileError>("", ": there is no row below the header");
    const Index label = column(options.label);
    std::vector<bool> taken(names.size());
    taken[std::size_t(label)] = true;
    for (const Column& c : options.ignore) taken[std::size_t(column(c))] = true;
    std::vector<Index> features;
    for (Index i = 0; i < columns(); ++i)
      if (!taken[std::size_t(i)]) features.push_back(i);
    if (features.empty())
      fail<ValueError>("", ": there is no column left for features beside ", detail::shown(name(label)));

    Array<T> x = numbers<T>(features);
    Dataset<T> d;
    if (options.kind == Label::regression)
      d = Dataset<T>(std::move(x), numbers<T>({&label, 1}));
    else {
      std::vector<std::string> classes;
      Array<std::int32_t> y = class_indices(label, classes);
      if (options.kind == Label::classes)
        d = Dataset<T>(std::move(x), std::move(y));
      else {
        expect_two(label, classes);
        d = Dataset<T>(std::move(x), y.template to<T>());
      }
      d.class_names = std::move(classes);
    }
    for (const Index i : features) d.feature_names.push_back(name(i));
    return d;
  }

 private:
  template <int> friend class CsvParser;
  struct Field {
    std::size_t begin;
    std::uint32_t size;
    bool quoted;
  };

  const std::string& name(Index i) const { return names[std::size_t(i)]; }

  const Field& field(Index row, Index column) const {
    if (row < 0 || row >= rows() || column < 0 || column >= columns())
      fail<IndexError>("", ": field (", row, ", ", column, ") is outside the ", rows(), " rows of ",
                       columns());
    return fields_[std::size_t(row * columns() + column)];
  }

  /// ":line:field". Looked for in the text when an error needs it, so that no field carries it.
  std::string place(Index row, Index column) const {
    return ":" + std::to_string(line_of(field(row, column).begin)) + ":" + std::to_string(column + 1);
  }
  Index line_of(std::size_t at) const {
    Index line = 1;
    for (std::size_t i = 0; i < at; ++i)
      line += text_[i] == '\n' || (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n'));
    return line;
  }

  template <class E, class... Parts>
  [[noreturn]] void fail(const std::string& place, const Parts&... parts) const {
    detail::fail<E>("csv: ", path_, place, parts...);
  }

  /// For every row the place of its label among the sorted different ones.
  Array<std::int32_t> class_indices(Index column, std::vector<std::string>& classes) const {
    std::vector<std::string> words;
    std::vector<double> numbers;
    bool numeric = true;
    for (Index i = 0; i < rows(); ++i) {
      words.push_back(text(i, column));
      if (words.back().empty()) fail<FileError>(place(i, column), ": expected a label, saw \"\"");
      double number = 0;
      numeric = numeric && detail::parse_number(words.back(), number);
      numbers.push_back(number);
    }
    const auto less = [&](Index i, Index j) {  // by number, so that 1 and 1.0 are one class
      const auto a = std::size_t(i), b = std::size_t(j);
      return numeric ? numbers[a] < numbers[b] : words[a] < words[b];
    };
    auto result = Array<std::int32_t>::uninitialized(Shape{rows()});
    Index last = 0;
    for (const Index i : gradus::detail::sorted_order(rows(), less)) {
      if (classes.empty() || less(last, i)) classes.push_back(words[std::size_t(i)]);
      result.mutable_data()[i] = static_cast<std::int32_t>(classes.size() - 1);
      last = i;
    }
    return result;
  }

  void expect_two(Index column, const std::vector<std::string>& classes) const {
    if (classes.size() == 2) return;
    std::string seen;
    for (std::size_t i = 0; i < classes.size() && i < 5; ++i)
      seen += (i ? ", " : "") + detail::shown(classes[i]);
    if (classes.size() > 5) seen += " and " + std::to_string(classes.size() - 5) + " more";
    fail<ValueError>("", ": a binary label has two classes, but column ", detail::shown(name(column)),
                     " has ", classes.size(), ": ", seen);
  }

  std::string path_;
  std::string text_;           // the file
  std::vector<Field> fields_;  // row by row
  bool non_finite_ = false;
};
using Table = BasicTable<>;

}  // namespace gradus::data
