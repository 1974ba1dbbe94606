// SPDX-License-Identifier: MIT
// Named arrays in a file, as PyTorch, JAX and others read and write them:
//
//   8 bytes: N, little-endian    N bytes: a JSON object, padded with spaces    the numbers, without a gap
//   {"__metadata__": {"key": "text"},
//    "0.weight": {"dtype": "F32", "shape": [16, 2], "data_offsets": [0, 128]}, …}
//
// A file is refused, with the reason, unless every byte of it is accounted for exactly once.
// Source: https://github.com/huggingface/safetensors (the format, and the reference reader's checks).
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/core/sorted_order.hpp>
#include <gradus/io/entry.hpp>
#include <gradus/io/file.hpp>
#include <gradus/io/json.hpp>

namespace gradus::io {

/// The longest header that is read or written: the reference reader's limit.
inline constexpr std::uint64_t longest_header = 100'000'000;

/// What read_safetensors found: the entries in the header's order.
struct File {
  std::string path;
  std::vector<Entry> entries;
  Metadata metadata;

  const Entry* find(std::string_view name) const {  ///< nullptr: no such entry
    for (const Entry& e : entries)
      if (e.name == name) return &e;
    return nullptr;
  }

  /// A copy of the numbers. T is the type that the file holds: nothing is converted. Throws FileError.
  template <class T> Array<T> get(std::string_view name) const {
    if (const Entry* e = find(name)) return get<T>(*e);
    fail("there is no ", json_string(name));
  }
  template <class T> Array<T> get(const Entry& e) const {
    if (e.dtype != detail::stored_name<T>())
      fail(json_string(e.name), " is ", e.dtype, "; asked for is ", detail::stored_name<T>());
    if (e.shape.size() > Shape::max_rank)
      fail(json_string(e.name), " has ", e.shape.size(), " axes; an array has at most ", Shape::max_rank);
    if constexpr (std::is_same_v<T, bool>)
      for (const std::uint8_t b : e.bytes)
        if (b > 1) fail(json_string(e.name), " is BOOL, but holds more than 0 and 1");
    auto a = Array<T>::uninitialized(Shape(e.shape));
    if (a.size()) std::memcpy(a.mutable_data(), e.bytes.data(), a.bytes());
    return a;
  }

 private:
  template <class... Parts> [[noreturn]] void fail(const Parts&... parts) const {
    detail::fail<FileError>("safetensors: ", path, ": ", parts...);
  }
};

namespace detail {
using gradus::detail::sorted_order;

struct Range {
  std::int64_t first = 0, last = 0;
};

/// {"dtype": …, "shape": …, "data_offsets": …} in any order; other keys mean nothing.
template <int = 0> Range read_entry(JsonReader& json, Entry& to) {
  constexpr std::size_t most_axes = 64;  // NumPy's and PyTorch's limit
  Range range;
  bool has[3] = {};
  const auto once = [&](int i) {
    std::exchange(has[i], true) ? json.refuse(json_string(to.name) + " has one of its keys twice") : void();
  };
  json.object([&](const std::string& key) {
    if (key == "dtype") {
      once(0);
      to.dtype = json.string();
      if (!bits_of(to.dtype))
        json.refuse(json_string(to.name) + " is " + json_string(to.dtype) +
                    ", which is not a dtype of the format");
    } else if (key == "shape") {
      once(1);
      json.list([&] {
        to.shape.push_back(json.count());
        if (to.shape.size() > most_axes)
          json.refuse(json_string(to.name) + " has more than " + std::to_string(most_axes) + " axes");
      });
    } else if (key == "data_offsets") {
      once(2);
      int n = 0;
      json.list([&] {
        const std::int64_t at = json.count();
        (n++ == 0 ? range.first : range.last) = at;
        if (n > 2) json.refuse(json_string(to.name) + " should have two data_offsets, not more");
      });
      if (n < 2)
        json.refuse(json_string(to.name) + " should have two data_offsets, not " + std::to_string(n));
    } else
      json.skip();
  });
  if (!has[0] || !has[1] || !has[2])
    json.refuse(json_string(to.name) + " should have a dtype, a shape and data_offsets");
  return range;
}

/// Fills path, entries (all but their bytes) and metadata; the ranges are those of the entries.
template <int = 0> std::vector<Range> read_header(const std::string& text, File& file) {
  JsonReader json(text, "safetensors: " + file.path + ": header");
  std::vector<Range> ranges;
  bool has_metadata = false;
  json.object([&](std::string&& key) {
    if (key == "__metadata__") {
      if (std::exchange(has_metadata, true)) json.refuse("\"__metadata__\" is there twice");
      json.object([&](std::string&& name) { file.metadata[std::move(name)] = json.string(); });
      return;
    }
    Entry& e = file.entries.emplace_back();
    e.name = std::move(key);
    ranges.push_back(read_entry(json, e));
  });
  json.end();
  return ranges;
}

/// The second of two entries of one name, or nullptr.
template <int = 0> const Entry* same_name(const Entry* e, Index n) {
  const Entry* before = nullptr;
  for (const Index i : sorted_order(n, [&](Index a, Index b) { return e[a].name < e[b].name; })) {
    if (before && before->name == e[i].name) return e + i;
    before = e + i;
  }
  return nullptr;
}

/// Every name once; every entry as long as its shape says; together all bytes, none twice.
template <int = 0> void check_layout(const InputFile& in, const File& file, const std::vector<Range>& ranges,
                                     std::int64_t bytes) {
  const Entry* const e = file.entries.data();
  const Range* const range = ranges.data();
  const Index n = Index(ranges.size());
  if (const Entry* second = same_name(e, n)) in.fail("two entries are named " + json_string(second->name));

  const auto earlier = [&](Index a, Index b) {
    return range[a].first != range[b].first ? range[a].first < range[b].first : range[a].last < range[b].last;
  };
  std::int64_t at = 0;
  for (const Index i : sorted_order(n, earlier)) {
    const std::int64_t first = range[i].first, last = range[i].last;
    const auto who = [&] {
      return json_string(e[i].name) + ": bytes " + std::to_string(first) + " to " + std::to_string(last);
    };
    if (first != at || last < first) in.fail(who() + " should begin at byte " + std::to_string(at));
    if (last > bytes) in.fail(who() + " reach beyond the file's " + std::to_string(bytes));
    const std::int64_t need = stored_bytes(e[i].shape, bits_of(e[i].dtype));
    if (need != last - first)
      in.fail(who() + ", but " + e[i].dtype + " " + shape_text(e[i].shape) + " takes " +
              (need < 0 ? "more than any file holds" : std::to_string(need)));
    at = last;
  }
  if (at != bytes)
    in.fail("entries end at byte " + std::to_string(at) + " of " + std::to_string(bytes) +
            "; none should be left over");
}

}  // namespace detail

/// Reads and checks a whole file. Memory: its size. Throws FileError; nothing in the file is trusted.
template <int = 0> File read_safetensors(const std::string& path) {
  InputFile in(path, "safetensors");
  if (in.size() < 8)
    in.fail("has " + std::to_string(in.size()) + " bytes; the length of the header alone takes 8");
  std::uint64_t length = 0;
  in.read(&length, 8);
  if (length > longest_header)
    in.fail("the header would take " + std::to_string(length) + " bytes; at most " +
            std::to_string(longest_header) + " are possible");
  if (length > static_cast<std::uint64_t>(in.size() - 8))
    in.fail("the header would take " + std::to_string(length) + " bytes; the file has " +
            std::to_string(in.size()));
  std::string header(static_cast<std::size_t>(length), '\0');
  in.read(header.data(), header.size());

  File file{path, {}, {}};
  const std::vector<detail::Range> ranges = detail::read_header(header, file);
  const std::int64_t bytes = in.size() - 8 - static_cast<std::int64_t>(length);
  detail::check_layout(in, file, ranges, bytes);

  auto data = std::make_shared<Array<std::uint8_t>>(Array<std::uint8_t>::uninitialized(Shape{bytes}));
  in.read(data->mutable_data(), data->bytes());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    file.entries[i].bytes =
        data->values().subspan(std::size_t(ranges[i].first), std::size_t(ranges[i].last - ranges[i].first));
    file.entries[i].owner = data;
  }
  return file;
}

/// Writes a file, or throws and leaves what was there: ValueError for entries that no file can hold, else
/// FileError. The header has the entries in their order; their numbers lie by falling element size, so that
/// all are aligned.
template <int = 0> void write_safetensors(const std::string& path, std::span<const Entry> entries,
                                          const Metadata& metadata = {}) {
  const Entry* const second = detail::same_name(entries.data(), Index(entries.size()));
  for (const Entry& e : entries) {
    std::string_view rest = e.name;
    while (const std::size_t n = utf8_length(rest)) rest.remove_prefix(n);
    const char* const wrong =
        e.name == "__metadata__"    ? "is the name of the metadata"
        : !rest.empty()             ? "is not UTF-8"
        : &e == second              ? "is the name of two entries"
        : !detail::bits_of(e.dtype) ? "has a dtype that is not of the format"
        : detail::stored_bytes(e.shape, detail::bits_of(e.dtype)) != std::int64_t(e.bytes.size())
            ? "has more or fewer bytes than its shape takes"
            : nullptr;
    if (wrong) detail::fail<ValueError>("safetensors: ", path, ": ", json_string(e.name), " ", wrong);
  }

  const auto bits = [&](Index i) { return detail::bits_of(entries[std::size_t(i)].dtype); };
  const auto order =
      detail::sorted_order(Index(entries.size()), [&](Index a, Index b) { return bits(a) > bits(b); });
  std::vector<Index> first(entries.size());
  Index at = 0;
  for (const Index i : order) {
    first[std::size_t(i)] = at;
    at += Index(entries[std::size_t(i)].bytes.size());
  }

  std::string header = "{";
  const auto key = [&](std::string_view k) {
    (header += header.back() == '{' ? "" : ",") += json_string(k) += ':';
  };
  if (!metadata.empty()) {
    key("__metadata__");
    header += '{';
    for (const auto& [name, text] : metadata) key(name), header += json_string(text);
    header += '}';
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    key(entries[i].name);
    header += "{\"dtype\":\"" + entries[i].dtype + "\",\"shape\":" + detail::shape_text(entries[i].shape) +
              ",\"data_offsets\":[" + std::to_string(first[i]) + "," +
              std::to_string(first[i] + Index(entries[i].bytes.size())) + "]}";
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');

  if (header.size() > longest_header)
    detail::fail<ValueError>("safetensors: ", path, ": the header would take ", header.size(),
                             " bytes; at most ", longest_header, " are possible");

  OutputFile out(path, "safetensors");
  const std::uint64_t length = header.size();
  out.write(&length, 8);
  out.write(header.data(), header.size());
  for (const Index i : order)
    out.write(entries[std::size_t(i)].bytes.data(), entries[std::size_t(i)].bytes.size());
  out.commit();
}

}  // namespace gradus::io
