// SPDX-License-Identifier: MIT
// Reads JSON (RFC 8259) strictly, one value after the other, as the caller asks for them:
//
//   JsonReader json(text);  json.object([&](std::string key) { if (key == "n") n = json.count(); else
//   json.skip(); });
//
// It builds nothing: memory does not grow with the text, whatever the text says. json.hpp makes values of it.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <gradus/core/error.hpp>

namespace gradus::io {

// Templates of nothing, here and in the other headers of io/: only a program that uses them compiles them.

/// The length of the UTF-8 character at the head of `s`, or 0 where there is none (overlong, surrogate, cut
/// off …).
template <int = 0> std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < s.size() ? s[i] : 0); };
  const unsigned c = byte(0);
  if (c < 0x80) return s.empty() ? 0 : 1;
  const std::size_t n = c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
  const unsigned least = c == 0xe0   ? 0xa0
                         : c == 0xf0 ? 0x90
                                     : 0x80,
                 most = c == 0xed   ? 0x9f
                        : c == 0xf4 ? 0x8f
                                    : 0xbf;
  if (n == 0 || byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < n; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return n;
}

/// Reads a text front to back. Every member throws FileError with the byte offset, in the name of `who`,
/// where the text is not what was asked for. The text must outlive the reader.
template <int = 0> class BasicJsonReader {
 public:
  static constexpr int max_depth = 128;

  explicit BasicJsonReader(std::string_view text, std::string who = "json")
      : text_(text), who_(std::move(who)) {}

  /// The first character of the next value, past white space; '\0' at the end.
  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  /// field(std::string&& key) reads one value, the key's.
  template <class F> void object(F&& field) {
    open('{', "an object");
    if (!take('}')) {
      do {
        std::string key = string();
        expect(':', "':'");
        field(std::move(key));
      } while (take(','));
      expect('}', "',' or '}'");
    }
    --depth_;
  }
  /// element() reads one value.
  template <class F> void list(F&& element) {
    open('[', "a list");
    if (!take(']')) {
      do element();
      while (take(','));
      expect(']', "',' or ']'");
    }
    --depth_;
  }

  std::string string() {
    expect('"', "a string");
    std::string s;
    for (; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] == '\\') {
        ++at_;
        escape(s);
        continue;
      }
      const std::size_t n = utf8_length(text_.substr(at_));
      if (n == 0) fail("expected UTF-8");
      if (static_cast<unsigned char>(text_[at_]) < 0x20) fail("expected an escape for a control character");
      s.append(text_, at_, n), at_ += n;
    }
    if (at_ == text_.size()) fail("expected '\"'");
    ++at_;
    return s;
  }

  /// A number as it is written: from_chars reads it.
  std::string_view number() {
    if (const char c = peek(); c != '-' && (c < '0' || c > '9')) fail("expected a value");
    const std::size_t first = at_;
    if (next() == '-') ++at_;
    if (next() == '0')
      ++at_;
    else
      digits();
    if (next() == '.') ++at_, digits();
    if (next() == 'e' || next() == 'E') {
      ++at_;
      if (next() == '+' || next() == '-') ++at_;
      digits();
    }
    return text_.substr(first, at_ - first);
  }

  /// A whole number, not negative, written without point and exponent.
  std::int64_t count() {
    peek();
    const std::size_t first = at_;
    const std::string_view s = number();
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (error != std::errc() || end != s.data() + s.size() || s[0] == '-')
      at_ = first, fail("expected a whole number from 0 to 9223372036854775807");
    return n;
  }

  void word(std::string_view w) {  ///< true, false or null
    peek();
    if (text_.substr(at_, w.size()) != w) fail("expected a value");
    at_ += w.size();
  }

  void skip() {  ///< any value
    const char c = peek();
    if (c == '{')
      object([this](const std::string&) { skip(); });
    else if (c == '[')
      list([this] { skip(); });
    else if (c == '"')
      string();
    else if (c == 't' || c == 'f' || c == 'n')
      word(c == 't' ? "true" : c == 'f' ? "false" : "null");
    else
      number();
  }

  void end() {  ///< nothing but white space is left
    peek();
    if (at_ < text_.size()) fail("expected the end");
  }

  [[noreturn]] void fail(std::string_view expected) const {
    const std::string_view rest = text_.substr(at_, 1);
    const bool plain = !rest.empty() && rest[0] >= ' ' && rest[0] <= '~';
    refuse(std::string(expected) + ", saw " +
           (rest.empty() ? std::string("the end")
            : plain      ? "'" + std::string(rest) + "'"
                         : "byte value " + std::to_string(static_cast<unsigned char>(rest[0]))));
  }
  /// For what is JSON, but not what the caller can use.
  [[noreturn]] void refuse(std::string_view why) const {
    gradus::detail::fail<FileError>(who_, ": byte ", at_, ": ", why);
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) { return peek() == c ? ++at_, true : false; }
  void expect(char c, const char* what) {
    if (!take(c)) fail(std::string("expected ") + what);
  }
  void open(char c, const char* what) {
    expect(c, what);
    if (++depth_ > max_depth) fail("expected at most " + std::to_string(max_depth) + " levels");
  }
  void digits() {
    if (next() < '0' || next() > '9') fail("expected a digit");
    while (next() >= '0' && next() <= '9') ++at_;
  }
  unsigned hex4() {
    unsigned u = 0;
    const char* const first = text_.data() + at_;
    if (text_.size() - at_ < 4 || std::from_chars(first, first + 4, u, 16).ptr != first + 4)
      fail("expected four hexadecimal digits");
    at_ += 4;
    return u;
  }
  void escape(std::string& to) {
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    if (const auto k = names.find(next()); k != names.npos && at_ < text_.size()) {
      to += values[k], ++at_;
      return;
    }
    if (next() != 'u') fail("expected an escape");
    ++at_;
    unsigned u = hex4();
    if (u >= 0xd800 && u < 0xe000) {  // half of a pair
      if (u >= 0xdc00 || text_.substr(at_, 2) != "\\u") fail("expected the other half of a surrogate pair");
      at_ += 2;
      const unsigned low = hex4();
      if (low < 0xdc00 || low >= 0xe000) fail("expected the other half of a surrogate pair");
      u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    }
    const auto put = [&](unsigned c) { to += static_cast<char>(c); };
    if (u < 0x80)
      put(u);
    else if (u < 0x800)
      put(0xc0 | u >> 6), put(0x80 | (u & 63));
    else if (u < 0x10000)
      put(0xe0 | u >> 12), put(0x80 | (u >> 6 & 63)), put(0x80 | (u & 63));
    else
      put(0xf0 | u >> 18), put(0x80 | (u >> 12 & 63)), put(0x80 | (u >> 6 & 63)), put(0x80 | (u & 63));
  }

  std::string_view text_;
  std::string who_;
  std::size_t at_ = 0;
  int depth_ = 0;
};
using JsonReader = BasicJsonReader<>;

}  // namespace gradus::io
