// SPDX-License-Identifier: MIT
// What a benchmark of the GPU is asked for, and the file that it leaves: values, and what was wanted of them.
//
//   {"rows": [{"name": "784-512-512-10 b256 tf32", "value": 35.1, "unit": "µs/step", "wanted": 38,
//              "bound": "at most", "met": true, …}, …], "versions": {…}}
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <gradus/gradus.hpp>

namespace bench {

using namespace gradus;
using gradus::detail::message;

struct Arguments {
  std::string file;             // to be written
  std::string device = "cuda";  // "cpu": the losses can be compared on any machine
  std::string rows;             // only those whose names have this in them
  bool quick = false;           // small sizes, nothing wanted: a rehearsal
  bool peers = true, times = true;

  explicit Arguments(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "--quick")
        quick = true;
      else if (word == "--no-peers")
        peers = false;
      else if (word == "--no-times")
        times = false;
      else if ((word == "--device" || word == "--rows") && i + 1 < words.size())
        (word == "--rows" ? rows : device) = words[++i];
      else if (file.empty() && !word.starts_with("-"))
        file = word;
      else
        detail::fail<ValueError>("\"", word, "\" is no option, or lacks its value; ", usage);
    }
    detail::require<ValueError>(!file.empty(), "the JSON file to write is missing; ", usage);
  }
  bool wants(const std::string& row) const { return row.find(rows) != std::string::npos; }

 private:
  static constexpr const char* usage =
      "usage: FILE.json [--device cuda:1] [--rows part-of-a-name] [--quick] [--no-peers] [--no-times]";
};

inline double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x.empty() ? NAN : (x[(x.size() - 1) / 2] + x[x.size() / 2]) / 2;
}

enum class Bound { at_most, at_least };

class Report {
 public:
  /// `wanted` 0: nothing. The row that is returned can take more, until the next one.
  io::Json& add(const std::string& name, double value, const char* unit, Bound bound, double wanted) {
    io::Json row;
    row["name"] = name, row["value"] = value, row["unit"] = unit;
    if (wanted > 0) {
      const bool met = bound == Bound::at_most ? value <= wanted : value >= wanted;
      row["wanted"] = wanted, row["bound"] = bound == Bound::at_most ? "at most" : "at least";
      row["met"] = met;
      missed_ = missed_ || !met;
    }
    rows_.push_back(std::move(row));
    return rows_.back();
  }
  void miss() { missed_ = true; }

  /// 0: all that was wanted has been met; 3: all was measured, and some of it missed.
  int write(const std::string& file, const io::Json& versions) const {
    io::Json all;
    all["rows"] = rows_, all["versions"] = versions;
    const std::string text = all.str(2) + "\n";
    if (const auto folder = std::filesystem::path(file).parent_path(); !folder.empty())
      std::filesystem::create_directories(folder);
    io::OutputFile out(file, "bench");
    out.write(text.data(), text.size());
    out.commit();
    return missed_ ? 3 : 0;
  }

 private:
  std::vector<io::Json> rows_;
  bool missed_ = false;
};

/// What was compiled in, and what the machine offers.
inline io::Json versions() {
  io::Json v;
  v["gradus"] = about();
  return v;
}

/// A main program: 0 and 3 as Report has them, else 1 and the reason.
inline int run(int (*bench)(const Arguments&), int argc, char** argv) {
  try {
    return bench(Arguments({argv + 1, argv + argc}));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
    return 1;
  }
}

}  // namespace bench
