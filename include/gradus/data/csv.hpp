// SPDX-License-Identifier: MIT
// Reads CSV files (RFC 4180 and what people make of it): any of , ; and tab between fields, lines that end in
// LF, CRLF or CR, quoted fields with separators, line ends and doubled quotes in them, a byte-order mark,
// blank lines.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>
#include <gradus/data/table.hpp>

namespace gradus::data {

struct CsvOptions {
  std::optional<bool> header = {};     ///< not said: the first row is one if none of its fields is a number
  std::optional<char> separator = {};  ///< not said: the one of tab, ; and , that the first rows agree on
  bool non_finite = false;             ///< true: nan and inf are numbers, not errors
};

/// Text into fields, once. Only read_csv and parse_csv use it.
template <int = 0> class CsvParser {
 public:
  CsvParser(std::string text, std::string path) {
    table_.text_ = std::move(text);
    table_.path_ = std::move(path);
  }

  Table parse(const CsvOptions& options) && {
    if (text().substr(0, 3) == "\xef\xbb\xbf") first_ = 3;  // a byte-order mark
    if (const auto mark = text().substr(0, 2); mark == "\xff\xfe" || mark == "\xfe\xff")
      fail("", "the file is in UTF-16; it should be in UTF-8");
    if (const auto zero = text().find('\0'); zero != text().npos)
      fail(line(zero), "saw a zero byte; the file should be text");
    table_.non_finite_ = options.non_finite;
    separator_ = options.separator ? *options.separator : detect();
    at_ = first_;
    std::vector<Field> row;
    while (read_row(row)) {
      if (width_ == 0) width_ = row.size();
      if (row.size() != width_)
        fail(line(row[0].begin), "expected " + std::to_string(width_) + " fields as in the first row, saw " +
                                     std::to_string(row.size()));
      for (const Field& f : row) table_.fields_.push_back(f);
    }
    if (width_ == 0) fail("", text().empty() ? "the file is empty" : "the file has only blank lines");
    take_header(options.header);
    return std::move(table_);
  }

 private:
  using Field = Table::Field;

  std::string_view text() const { return table_.text_; }
  bool is(char c) const { return at_ < text().size() && text()[at_] == c; }
  bool at_line_end() const { return at_ == text().size() || is('\n') || is('\r'); }
  void next_line() {
    if (is('\r'))
      ++at_;
    else if (is('\n')) {
      ++at_;
      return;
    }
    if (is('\n')) ++at_;
  }
  void skip_blanks() {
    while (at_ < text().size() && (is(' ') || is('\t')) && text()[at_] != separator_) ++at_;
  }

  /// The fields of the next row that is not blank; false at the end.
  bool read_row(std::vector<Field>& row) {
    for (;;) {
      row.clear();
      if (at_ == text().size()) return false;
      do row.push_back(read_field());
      while (is(separator_) && ++at_);
      next_line();
      if (row.size() > 1 || row[0].size > 0 || row[0].quoted) return true;
    }
  }

  Field read_field() {
    skip_blanks();
    if (is('"')) return read_quoted();
    const std::size_t begin = at_;
    std::size_t end = at_;  // behind the last character that is not blank
    for (; !at_line_end() && !is(separator_); ++at_)
      if (!is(' ') && !is('\t')) end = at_ + 1;
    return field(begin, end, false);
  }

  Field read_quoted() {
    const std::size_t begin = ++at_;
    for (;; at_ += 2) {  // "" is one quote
      at_ = text().find('"', at_);
      if (at_ == text().npos) fail(line(begin), "the quote that begins here has no end");
      if (at_ + 1 == text().size() || text()[at_ + 1] != '"') break;
    }
    const std::size_t end = at_++;
    skip_blanks();
    if (!at_line_end() && !is(separator_))
      fail(line(at_),
           std::string("expected a separator or the end of the line after a closing quote, saw '") +
               text()[at_] + "'");
    return field(begin, end, true);
  }

  Field field(std::size_t begin, std::size_t end, bool quoted) const {
    if (end - begin > std::numeric_limits<std::uint32_t>::max())
      fail(line(begin), "a field is longer than 4 GB");
    return {begin, static_cast<std::uint32_t>(end - begin), quoted};
  }

  /// The separator by which the first rows have the same number of fields, more than one. Comma comes last,
  /// as in some countries it is the decimal point. Where rows never agree, the one that the first row has
  /// most of.
  char detect() {
    constexpr int look_at = 20;
    char best = ',';
    std::size_t most = 1;
    std::vector<Field> row;
    for (const char candidate : {'\t', ';', ','}) {
      separator_ = candidate;
      at_ = first_;
      std::size_t fields = 0;
      bool agree = true;
      try {
        for (int i = 0; i < look_at && read_row(row); ++i) {
          if (i == 0) fields = row.size();
          agree = agree && row.size() == fields;
        }
      } catch (const FileError&) {
        agree = false;  // a quote that makes no sense with this separator
      }
      if (agree && fields > 1) return candidate;
      if (fields > most) best = candidate, most = fields;
    }
    return best;
  }

  void take_header(std::optional<bool> wanted) {
    auto& fields = table_.fields_;
    for (std::size_t i = 0; i < width_; ++i) table_.names.push_back("column " + std::to_string(i));
    double x;
    bool header = true;
    for (std::size_t i = 0; i < width_; ++i)
      header = header && !detail::parse_number(text().substr(fields[i].begin, fields[i].size), x);
    if (!wanted.value_or(header)) return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < width_; ++i) names.push_back(table_.text(0, Index(i)));
    table_.names = std::move(names);
    fields.erase(fields.begin(), fields.begin() + std::ptrdiff_t(width_));
  }

  std::string line(std::size_t at) const { return ":" + std::to_string(table_.line_of(at)); }
  [[noreturn]] void fail(const std::string& place, const std::string& what) const {
    detail::fail<FileError>("csv: ", table_.path_, place, ": ", what);
  }

  Table table_;
  std::size_t first_ = 0, at_ = 0, width_ = 0;
  char separator_ = ',';
};

/// The table that a text is; `path` names it in errors. Throws FileError.
template <int = 0>
Table parse_csv(std::string text, const CsvOptions& options = {}, std::string path = "text") {
  return CsvParser<>(std::move(text), std::move(path)).parse(options);
}

/// Reads a file into memory. Throws FileError with the reason, the line and, for a field, its number in the
/// line.
template <int = 0> Table read_csv(const std::string& path, const CsvOptions& options = {}) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (!file) detail::fail<FileError>("csv: ", path, ": cannot be opened: ", std::strerror(errno));
  std::string text;
  char buffer[1 << 14];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, n);
  const int error = std::ferror(file) ? errno : 0;
  std::fclose(file);
  if (error) detail::fail<FileError>("csv: ", path, ": cannot be read: ", std::strerror(error));
  return parse_csv(std::move(text), options, path);
}

}  // namespace gradus::data
