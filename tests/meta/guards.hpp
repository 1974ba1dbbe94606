// SPDX-License-Identifier: MIT
// What must stay true of the source tree. Each guard reads the tree below `root` and returns one sentence for
// each thing that is wrong; guards.cpp runs all of them on this repository, and shows of each that it can
// fail.
#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace guards {

namespace fs = std::filesystem;
using Complaints = std::vector<std::string>;

inline std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

/// Characters, not bytes: those of UTF-8 that continue one do not count.
inline std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// The headers of the library, as they are included ("gradus/core/shape.hpp"), in order.
inline std::vector<std::string> headers(const fs::path& root) {
  std::vector<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(root / "include"))
    if (entry.path().extension() == ".hpp") result.push_back(fs::relative(entry.path(), root / "include"));
  std::sort(result.begin(), result.end());
  return result;
}

/// "gradus/ops/sigmoid.hpp" -> "ops"; a header beside the folders -> "".
inline std::string layer(const std::string& header) {
  const auto parts = fs::path(header);
  const auto folder = std::next(parts.begin());
  return std::next(folder) == parts.end() ? "" : folder->string();
}

/// What follows #include, with its brackets or quotes.
inline std::vector<std::string> includes(const std::string& text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*([<"][^>"]*[>"]).*)re");
  std::vector<std::string> result;
  std::smatch match;
  for (const auto& line : lines(text))
    if (std::regex_match(line, match, pattern)) result.push_back(match[1]);
  return result;
}

/// Includes point downwards only, and never in a circle.
inline Complaints layers(const fs::path& root) {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"core", {}},
      {"cpu", {"core"}},
      {"kernels", {"core", "cpu"}},
      {"cuda", {"core", "kernels"}},
      {"tape", {"core", "cpu", "kernels"}},
      {"ops", {"core", "cpu", "kernels", "tape"}},
      {"nn", {"core", "cpu", "kernels", "tape", "ops"}},
      {"optim", {"core", "cpu", "kernels", "tape"}},
      {"data", {"core"}},
      {"io", {"core"}},
      {"train", {"core", "cpu", "kernels", "tape", "ops", "nn", "optim", "data", "io"}},
  };
  Complaints wrong;
  std::map<std::string, std::vector<std::string>> graph;
  for (const auto& header : headers(root)) {
    const auto from = layer(header);
    if (!from.empty() && !allowed.count(from))
      wrong.push_back(header + ": " + from + "/ is no layer of the design");
    for (const auto& include : includes(read(root / "include" / header))) {
      const auto target = include.substr(1, include.size() - 2);
      if (target.rfind("gradus/", 0) != 0) continue;
      graph[header].push_back(target);
      const auto to = layer(target);
      if (!fs::exists(root / "include" / target))
        wrong.push_back(header + " includes " + include + ", which is no file");
      const bool basic = target == "gradus/fwd.hpp" || target == "gradus/version.hpp";
      if (from.empty() && header != "gradus/cuda.hpp" && to == "cuda")
        wrong.push_back(header + " includes " + include + "; only gradus/cuda.hpp may include cuda/");
      if (target == "gradus/dlpack.hpp")
        wrong.push_back(header + " includes " + include +
                        "; only programs may, for it needs DLPack's header");
      if (!from.empty() && from != to && !basic && allowed.count(from) && !allowed.at(from).count(to))
        wrong.push_back(header + " includes " + include + "; " + from + "/ may not include " +
                        (to.empty() ? "the umbrella headers" : to + "/"));
    }
  }
  // a file whose includes are all removed is removed, until nothing changes: what remains lies on or above a
  // circle
  for (bool changed = true; changed;) {
    changed = false;
    for (auto it = graph.begin(); it != graph.end();) {
      auto& targets = it->second;
      targets.erase(
          std::remove_if(targets.begin(), targets.end(), [&](const auto& t) { return !graph.count(t); }),
          targets.end());
      changed |= targets.empty();
      it = targets.empty() ? graph.erase(it) : std::next(it);
    }
  }
  for (const auto& [header, targets] : graph)
    wrong.push_back(header + " includes itself through " + targets.front());
  return wrong;
}

/// Without what stands in R"(...)": the text of kernels is a program of its own, with its own macros.
inline std::string without_raw_strings(std::string text) {
  for (std::size_t begin = 0; (begin = text.find("R\"(", begin)) != std::string::npos;) {
    const auto end = text.find(")\"", begin);
    text.erase(begin, end == std::string::npos ? end : end + 2 - begin);
  }
  return text;
}

/// How every header begins, what it includes and how, and that its macros do not leak.
inline Complaints style(const fs::path& root) {
  static const std::regex define(R"(^\s*#\s*define\s+(\w+).*)"), undef(R"(^\s*#\s*undef\s+(\w+).*)");
  Complaints wrong;
  for (const auto& header : headers(root)) {
    const auto all = lines(without_raw_strings(read(root / "include" / header)));
    const auto say = [&](const std::string& what) { wrong.push_back(header + ": " + what); };
    if (all.empty() || all[0] != "// SPDX-License-Identifier: MIT")
      say("line 1 must be // SPDX-License-Identifier: MIT");
    if (std::count_if(all.begin(), all.end(), [](auto& l) { return l.rfind("// SPDX-", 0) == 0; }) > 1)
      say("more than one SPDX line");
    if (std::count(all.begin(), all.end(), "#pragma once") != 1) say("needs one line #pragma once");

    std::string before;  // the include in the line above, in the same block
    std::vector<std::string> defined;
    std::smatch match;
    for (const auto& line : all) {
      const auto found = includes(line);
      const auto include = found.empty() ? std::string() : found.front();
      if (include == "<iostream>") say("includes <iostream>, which constructs streams in every program");
      if (!include.empty() && include[0] == '"') say("includes " + include + "; write <gradus/...>");
      if (!include.empty() && include < before)
        say("includes are not sorted: " + include + " after " + before);
      before = include;
      if (std::regex_match(line, match, define)) defined.push_back(match[1]);
      if (std::regex_match(line, match, undef)) std::erase(defined, match[1].str());
    }
    for (const auto& macro : defined)  // EIGEN_: the switches that Eigen reads
      if (macro.rfind("GRADUS_", 0) != 0 && macro.rfind("EIGEN_", 0) != 0)
        say("macro " + macro + " leaks; name it GRADUS_... or #undef it");
  }
  return wrong;
}

/// A folder's list includes every file of the folder; every op has its test; cuda/ answers every file of
/// cpu/.
inline Complaints lists(const fs::path& root) {
  Complaints wrong;
  for (const std::string folder : {"ops", "nn", "optim", "data", "io", "train"}) {
    const auto list = "gradus/" + folder + "/" + folder + ".hpp";
    if (!fs::exists(root / "include" / list)) continue;
    const auto named = includes(read(root / "include" / list));
    for (const auto& header : headers(root))
      if (layer(header) == folder && header != list &&
          !std::count(named.begin(), named.end(), "<" + header + ">"))
        wrong.push_back(list + " does not include <" + header + ">");
  }
  for (const auto& header : headers(root)) {
    const auto name = fs::path(header).stem().string();
    if (layer(header) == "ops" && name != "ops" && !fs::exists(root / "tests/ops" / (name + ".cpp")))
      wrong.push_back(header + " has no test tests/ops/" + name + ".cpp");
    if (layer(header) != "kernels" || name == "table")
      continue;  // what the contract promises (through the table), every device has under the same name
    for (const std::string device : {"cpu", "cuda"})
      if (fs::exists(root / "include/gradus" / device) &&
          !fs::exists(root / "include/gradus" / device / (name + ".hpp")))
        wrong.push_back(header + " has no counterpart in " + device + "/");
  }
  return wrong;
}

/// What a pattern's first group matches in a text, in order.
inline std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> result;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), regex); at != std::sregex_iterator(); ++at)
    result.push_back((*at)[1]);
  return result;
}

/// What the CPU can do, every device can: each kernel of the contract has its entry in the table, calls it,
/// and has its function in the file of its name in cuda/; what is above the contract calls no kernel of the
/// CPU's; every op's test runs on all devices.
inline Complaints devices(const fs::path& root) {
  static const std::set<std::string> above = {"tape", "ops", "nn", "optim", "train"};
  const fs::path library = root / "include/gradus";
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::count(names.begin(), names.end(), name) > 0;
  };
  Complaints wrong;
  std::vector<std::string> contract;
  const auto table = matches(read(library / "kernels/table.hpp"), R"(\bvirtual void (\w+)\()");
  for (const auto& header : headers(root)) {
    const std::string file = fs::path(header).filename().string(), text = read(root / "include" / header);
    const auto say = [&](const std::string& what) { wrong.push_back(header + ": " + what); };
    if (above.count(layer(header)))
      for (const auto& name : matches(text, R"(\bcpu::(\w+)(?:<[^()]*>)?\()"))
        say("calls cpu::" + name + ", which no other device has; call a function of kernels/");
    if (layer(header) != "kernels" || file == "table.hpp") continue;
    const auto calls = matches(text, R"((?:->|\)\.)(\w+)\()");
    const auto cuda = matches(read(library / "cuda" / file), R"(\binline void (\w+)\(Gpu& gpu)");
    for (const auto& name : matches(text, R"(\bvoid (\w+)\()")) {
      contract.push_back(name);
      if (!has(table, name)) say(name + " has no entry in kernels/table.hpp: it is for the CPU only");
      if (!has(calls, name)) say(name + " does not call the table: it is for the CPU only");
      if (!has(cuda, name)) say(name + " is not in cuda/" + file + ": it is for the CPU only");
    }
  }
  for (const auto& name : table)
    if (!has(contract, name)) wrong.push_back("kernels/table.hpp: " + name + " is no kernel of the contract");
  for (const auto& entry : fs::directory_iterator(root / "tests/ops"))
    if (entry.path().stem() != "expect_op" && read(entry.path()).find("on_devices") != std::string::npos)
      wrong.push_back("tests/ops/" + entry.path().filename().string() + " leaves devices out");
  return wrong;
}

/// C++ in the README is a whole example (or test) or a part of one, so that it is compiled and run:
///   <!-- example: examples/first_model.cpp -->   or   <!-- part of: examples/first_model.cpp -->   above the
///   block
inline Complaints readme(const fs::path& root) {
  static const std::regex marker(R"(^<!-- (example|part of): (\S+) -->$)");
  Complaints wrong;
  std::string how, file, block;
  bool inside = false;
  std::size_t number = 0;
  for (const auto& line : lines(read(root / "README.md"))) {
    ++number;
    const auto say = [&](const std::string& what) {
      wrong.push_back("README.md:" + std::to_string(number) + ": " + what);
    };
    std::smatch match;
    if (!inside && std::regex_match(line, match, marker)) {
      how = match[1];
      file = match[2];
    } else if (!inside && line == "```cpp") {
      inside = true;
      block.clear();
    } else if (inside && line == "```") {
      inside = false;
      const auto source = read(root / file);
      if (file.empty())
        say("a cpp block without <!-- example: examples/... --> above it");
      else if ((file.rfind("examples/", 0) != 0 && file.rfind("tests/", 0) != 0) || source.empty())
        say(file + " is no example and no test");
      else if (how == "example" ? block != source : source.find(block) == std::string::npos)
        say("the block differs from " + file);
      file.clear();
    } else if (inside) {
      block += line + "\n";
    } else if (!line.empty()) {
      file.clear();  // a marker speaks for the block right after it
    }
  }
  if (inside) wrong.push_back("README.md: a cpp block is not closed");
  return wrong;
}

/// The tape stays small: non-blank lines of tape/ as .clang-format writes them, or as they are where
/// `formatter` is "".
inline Complaints tape_size(const fs::path& root, const std::string& formatter, std::size_t limit = 250) {
  Complaints wrong;
  std::size_t count = 0;
  for (const auto& header : headers(root)) {
    if (layer(header) != "tape") continue;
    const auto path = (root / "include" / header).string();
    std::string text = read(path);
    if (!formatter.empty()) {
      FILE* pipe = popen((formatter + " --style=file '" + path + "'").c_str(), "r");
      if (!pipe) throw std::runtime_error("cannot run " + formatter);
      text.clear();
      for (char part[4096]; std::size_t n = std::fread(part, 1, sizeof part, pipe);) text.append(part, n);
      if (pclose(pipe) != 0) throw std::runtime_error(formatter + " failed on " + path);
    }
    for (const auto& line : lines(text)) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) ++count;
      if (columns(line) > 110)
        wrong.push_back(header + ": a line of " + std::to_string(columns(line)) + " columns, 110 allowed");
    }
  }
  if (count > limit)
    wrong.push_back("tape/ has " + std::to_string(count) + " non-blank lines, " + std::to_string(limit) +
                    " allowed");
  return wrong;
}

}  // namespace guards
