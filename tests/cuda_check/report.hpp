// SPDX-License-Identifier: MIT
// What the parts of the GPU check have found, joined: a part is a JSON object with rows of figures, wanted ones and
// others,
//
//   {"outcome": "met", "seconds": 71,
//    "rows": [{"name": …, "value": …, "unit": …, "wanted": 38, "bound": "at most", "met": true}, …]}
//
// (a figure of which nothing is wanted has no "met"), its outcome "met", "missed" (all was measured, and not all is as wanted) or "failed", which "why" explains.
#pragma once

#include <algorithm>
#include <cstdio>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gradus/io/json.hpp>

namespace gradus::check {

using io::Json;

inline bool is_met(const Json& row) {
  const Json* const met = row.find("met");
  return !met || met->is_null() || met->boolean();
}
/// A count, of which none is wanted.
inline Json none_wanted(const std::string& name, std::size_t n) {
  Json r;
  r["name"] = name, r["value"] = n, r["unit"] = "", r["wanted"] = 0, r["met"] = n == 0;
  return r;
}
inline Json failed(const std::string& why) {
  Json part;
  part["outcome"] = "failed", part["why"] = why, part["rows"] = Json::list();
  return part;
}

/// What a program that measures has written, and its exit status: 0, or 3 where something wanted was missed.
inline Json measured(const std::string& text, int status) {
  const bool ended = status == 0 || status == 3;
  const std::string end = "its program ended with " + std::to_string(status);
  try {
    Json part = Json::parse(text, "its file");
    bool met = status == 0;
    for (const Json& r : part.at("rows").items()) {
      r.at("name").string(), r.at("unit").string();
      met = met && is_met(r) && !r.at("value").is_null();  // what is not a number is null
    }
    if (ended && part.at("rows").size() == 0) return failed("it has no rows");
    part["outcome"] = !ended ? "failed" : met ? "met" : "missed";
    if (!ended) part["why"] = end;
    return part;
  } catch (const Error& e) { return failed(ended ? e.what() : end); }
}

/// What ctest has written with --output-junit: numbers, and the names of tests that did not pass.
inline Json tested(const std::string& junit) {
  static const std::regex entry(R"re(<testcase name="([^"]*)"[^>]*status="([^"]*)")re");
  Json failures = Json::list(), skips = Json::list();
  std::size_t passed = 0;
  for (std::sregex_iterator at(junit.begin(), junit.end(), entry), end; at != end; ++at) {
    const std::string name = (*at)[1], status = (*at)[2];
    if (status == "run")
      ++passed;
    else
      (status == "fail" ? failures : skips)
          .push_back(name);  // what is disabled or cannot be started is skipped
  }
  if (passed + failures.size() + skips.size() == 0) return failed("ctest has run no test");
  Json part, all;
  all["name"] = "passed", all["value"] = passed, all["unit"] = "";
  part["outcome"] = failures.size() + skips.size() == 0 ? "met" : "missed";
  part["rows"] = Json::list();
  part["rows"].push_back(all);
  part["rows"].push_back(none_wanted("failed", failures.size()));
  part["rows"].push_back(none_wanted("skipped", skips.size()));
  part["failed"] = std::move(failures), part["skipped"] = std::move(skips);
  return part;
}

/// The name of a GPU's file.
inline std::string file_name(std::string gpu) {
  for (char& c : gpu)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  return gpu + ".json";
}

inline std::string number(const Json* x) {
  char text[32] = "";
  if (x && !x->is_null()) std::snprintf(text, sizeof text, "%.4g", x->number());
  return text;
}
/// The table's lines, cell by cell.
inline std::vector<std::vector<std::string>> cells(const Json& parts) {
  std::vector<std::vector<std::string>> lines{{"part", "what", "value", "", "wanted", ""}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Json& part = parts.items()[i];
    const std::string& name = parts.keys()[i];
    for (const Json& r : part.at("rows").items()) {
      const Json *const wanted = r.find("wanted"), *const bound = r.find("bound");
      const std::string sign = !wanted || !bound ? "" : bound->string() == "at least" ? "≥ " : "≤ ";
      lines.push_back({name, r.at("name").string(), number(r.find("value")), r.at("unit").string(),
                       sign + number(wanted), is_met(r) ? "" : "missed"});
    }
    if (const Json* seconds = part.find("seconds"))
      lines.push_back({name, "took", number(seconds), "s", "", ""});
    if (const Json* why = part.find("why")) lines.push_back({name, why->string(), "", "", "", "failed"});
    for (const char* kind : {"failed", "skipped"})
      if (const Json* names = part.find(kind))
        for (const Json& test : names->items()) lines.push_back({name, test.string(), "", "", "", kind});
  }
  return lines;
}

/// In columns as wide as their widest cell.
inline std::string table(const Json& parts) {
  const auto columns = [](std::string_view text) {  // UTF-8: bytes that begin a character
    return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  const auto lines = cells(parts);
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      std::size_t widest = 0;
      for (const auto& other : lines) widest = std::max(widest, columns(other[c]));
      const std::string space(widest - columns(line[c]), ' ');
      text += (c == 2 ? space + line[c] : line[c] + space) + (c == 2 ? " " : "  ");
    }
    text.erase(text.find_last_not_of(' ') + 1) += '\n';
  }
  return text;
}

}  // namespace gradus::check
