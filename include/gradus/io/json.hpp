// SPDX-License-Identifier: MIT
// A JSON value: built, written, read. For reports and settings, not for millions of values.
//
//   Json report;  report["loss"] = 0.25;  report["history"]["accuracy"] = std::vector{0.5, 0.75};
//   report.str(2);
//
// Objects keep the order of their keys. Doubles are written with as few digits as give them back exactly.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>
#include <gradus/io/json_reader.hpp>

namespace gradus::io {

/// `s` in quotes, escaped. What is not UTF-8 becomes U+FFFD: a report is not lost to an odd file name.
template <int = 0> std::string json_string(std::string_view s) {
  std::string to = "\"";
  while (!s.empty()) {
    const std::size_t n = utf8_length(s);
    const auto c = static_cast<unsigned char>(s[0]);
    if (n == 0)
      to += "\xef\xbf\xbd";
    else if (c == '"' || c == '\\')
      (to += '\\') += s[0];
    else if (c == '\n')
      to += "\\n";
    else if (c == '\t')
      to += "\\t";
    else if (c < 0x20 || c == 0x7f)
      ((to += "\\u00") += "01234567"[c >> 4]) += "0123456789abcdef"[c & 15];
    else
      to += s.substr(0, n);
    s.remove_prefix(n ? n : 1);
  }
  return to += '"';
}

template <int = 0> class BasicJson {
  using Json = BasicJson;

 public:
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, list, object };

  BasicJson() = default;  ///< null
  BasicJson(std::same_as<bool> auto b) : kind_(Kind::boolean), integer_(b) {}
  template <std::integral I>
    requires(!std::same_as<I, bool> && (sizeof(I) < 8 || std::signed_integral<I>))
  BasicJson(I n) : kind_(Kind::integer), integer_(n) {}
  BasicJson(std::unsigned_integral auto n) requires(sizeof n == 8)
      : kind_(n >> 63 ? Kind::number : Kind::integer),
        integer_(n >> 63 ? 0 : std::int64_t(n)),
        number_(n >> 63 ? double(n) : 0) {}
  BasicJson(std::floating_point auto x) : kind_(Kind::number), number_(static_cast<double>(x)) {}
  BasicJson(std::string s) : kind_(Kind::string), string_(std::move(s)) {}
  BasicJson(std::string_view s) : Json(std::string(s)) {}
  BasicJson(const char* s) : Json(std::string(s)) {}
  template <class U> BasicJson(const std::vector<U>& list)
      : kind_(Kind::list), items_(list.begin(), list.end()) {}
  static Json object() { return Json(Kind::object); }
  static Json list() { return Json(Kind::list); }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  /// The number of elements of a list or an object.
  std::size_t size() const { return items_.size(); }

  // Reading. Each throws ValueError where the value is of another kind or the key or element is not there.
  bool boolean() const { return expect(Kind::boolean), integer_ != 0; }
  std::int64_t integer() const { return expect(Kind::integer), integer_; }
  double number() const {
    return kind_ == Kind::integer ? double(integer_) : (expect(Kind::number), number_);
  }
  const std::string& string() const { return expect(Kind::string), string_; }
  const std::vector<Json>& items() const { return items_; }  ///< of a list, or an object's values
  const std::vector<std::string>& keys() const { return expect(Kind::object), keys_; }
  const Json* find(std::string_view key) const {  ///< nullptr: no such key
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (keys_[i] == key) return &items_[i];
    return nullptr;
  }
  const Json& at(std::string_view key) const {
    expect(Kind::object);
    if (const Json* value = find(key)) return *value;
    detail::fail<ValueError>("json: the object has no key ", json_string(key));
  }
  const Json& at(std::size_t i) const {
    expect(Kind::list);
    if (i >= size()) detail::fail<ValueError>("json: element ", i, " of a list of ", size());
    return items_[i];
  }

  // Building. A null becomes what it is used as.
  Json& operator[](std::string_view key) {
    become(Kind::object);
    if (const Json* value = find(key)) return const_cast<Json&>(*value);
    keys_.push_back(std::string(key));
    items_.push_back({});
    return items_.back();
  }
  void push_back(Json value) {
    become(Kind::list);
    items_.push_back(std::move(value));
  }

  /// As text: on one line, or with `indent` spaces a level. NaN and infinity, which JSON lacks, are null.
  std::string str(int indent = 0) const {
    std::string to;
    write(to, indent, 0);
    return to;
  }

  /// Throws FileError with the byte offset, in the name of `who`. The last of equal keys counts.
  static Json parse(std::string_view text, std::string who = "json") {
    JsonReader from(text, std::move(who));
    Json value = read(from);
    from.end();
    return value;
  }

  bool operator==(const BasicJson&) const = default;

 private:
  explicit BasicJson(Kind kind) : kind_(kind) {}

  static const char* name(Kind kind) {
    constexpr const char* names[] = {"null",     "a boolean", "an integer", "a number",
                                     "a string", "a list",    "an object"};
    return names[int(kind)];
  }
  void expect(Kind kind) const {
    if (kind_ != kind)
      detail::fail<ValueError>("json: the value is ", name(kind_), "; expected ", name(kind));
  }
  void become(Kind kind) {
    if (kind_ == Kind::null) kind_ = kind;
    expect(kind);
  }

  void write(std::string& to, int indent, int level) const {
    const auto number = [&](auto x) {
      char buffer[32];
      to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr);
    };
    if (kind_ == Kind::null || (kind_ == Kind::number && !std::isfinite(number_)))
      to += "null";
    else if (kind_ == Kind::boolean)
      to += integer_ ? "true" : "false";
    else if (kind_ == Kind::integer)
      number(integer_);
    else if (kind_ == Kind::number)
      number(number_);
    else if (kind_ == Kind::string)
      to += json_string(string_);
    else {
      const bool object = kind_ == Kind::object;
      // a list of plain values stays on its line, however long
      bool lines = indent > 0 && !items_.empty() && object;
      for (const Json& v : items_) lines = lines || (indent > 0 && v.kind_ >= Kind::list);
      const auto line = [&](int l) {
        lines ? void((to += '\n').append(std::size_t(l * indent), ' ')) : void();
      };
      to += object ? '{' : '[';
      for (std::size_t i = 0; i < size(); ++i) {
        if (i) to += lines || !indent ? "," : ", ";
        line(level + 1);
        if (object) (to += json_string(keys_[i])) += indent ? ": " : ":";
        items_[i].write(to, indent, level + 1);
      }
      line(level);
      to += object ? '}' : ']';
    }
  }

  static Json read(JsonReader& from) {
    const char c = from.peek();
    Json value;
    if (c == '{') {
      value = object();
      from.object([&](const std::string& key) { value[key] = read(from); });
    } else if (c == '[') {
      value = list();
      from.list([&] { value.items_.push_back(read(from)); });
    } else if (c == '"')
      value = from.string();
    else if (c == 't' || c == 'f')
      from.word(c == 't' ? "true" : "false"), value = c == 't';
    else if (c == 'n')
      from.word("null");
    else
      value = number_of(from);
    return value;
  }
  static Json number_of(JsonReader& from) {
    const std::string_view s = from.number();
    const char *const first = s.data(), *const last = first + s.size();
    std::int64_t n = 0;
    if (const auto [end, error] = std::from_chars(first, last, n);
        error == std::errc() && end == last && s != "-0")
      return n;
    double x = 0;
    if (std::from_chars(first, last, x).ec != std::errc())
      from.fail("expected a number that a double can hold");
    return x;
  }

  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;  // and boolean
  double number_ = 0;
  std::string string_;
  std::vector<std::string> keys_;
  std::vector<Json> items_;
};
using Json = BasicJson<>;

}  // namespace gradus::io
