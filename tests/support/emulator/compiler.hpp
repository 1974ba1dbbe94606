// SPDX-License-Identifier: MIT
// Kernel text to shared object, by the host's compiler: preprocess, find the kernels, add what
// calls them, compile, link. 0.1 to 0.2 s a text; with GRADUS_EMULATOR_CACHE=<folder> a text that was seen
// before takes none.
#pragma once

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>

#include "tests/support/emulator/prelude.hpp"
#include "tests/support/emulator/settings.hpp"

namespace gradus::test::emulator {

struct Compiled {
  bool good = false;
  std::string image, log;
};

/// A folder of its own, gone with the object.
class Workshop {
 public:
  Workshop() {
    std::string name = (std::filesystem::temp_directory_path() / "gradus-emulator-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("emulator: no temporary folder");
    folder_ = name;
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string file(const char* name) const { return folder_ + "/" + name; }
  void write(const char* name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
  }
  std::string read(const char* name) const { return contents(file(name)); }
  bool run(const std::string& command) const {
    return std::system((command + " >>" + file("log") + " 2>&1").c_str()) == 0;
  }
  static std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string folder_;
};

/// Reads what the preprocessor left of "extern "C" __global__ void __launch_bounds__(256) name(": the name,
/// the bounds.
class KernelScanner {
 public:
  explicit KernelScanner(const std::string& text) : text_(text) {}

  std::map<std::string, std::string> kernels() {
    static const std::string mark = "emulator_kernel))";
    std::map<std::string, std::string> result;
    while ((at_ = text_.find(mark, at_)) != std::string::npos) {
      at_ += mark.size();
      std::string name, bounds;
      for (std::string word = next(); !word.empty(); word = next()) {
        if (word == "__attribute__") {
          const std::string inside = parenthesised();
          const std::size_t b = inside.find("emulator_bounds(");
          if (b != std::string::npos) bounds = inside.substr(b + 16, inside.find(')', b) - b - 16);
        } else if (peek() == '(') {
          name = word;
          break;
        }
      }
      if (!name.empty()) result[name] = bounds;
    }
    return result;
  }

 private:
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  std::string next() {
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (!is_word(peek())) return "";
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string parenthesised() {
    if (peek() != '(') return "";
    const std::size_t begin = at_;
    int depth = 0;
    do {
      depth += text_[at_] == '(' ? 1 : text_[at_] == ')' ? -1 : 0;
    } while (++at_ < text_.size() && depth > 0);
    return text_.substr(begin, at_ - begin);
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

inline std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// g++, whose checks are the most complete, or $CXX where there is none.
inline std::string host_compiler() {
  const char* const other = std::getenv("CXX");
  return other && *other && std::system("g++ --version >/dev/null 2>&1") != 0 ? other : "g++";
}

/// The table that the driver looks kernels up in.
inline std::string kernel_tables(const std::string& preprocessed) {
  std::string tables;
  for (const auto& [name, bounds] : KernelScanner(preprocessed).kernels()) {
    const std::string signature = "emulator_signature<decltype(" + name + ")>::";
    tables += "extern \"C\" emulator_kernel emulator_kernel_" + name + " = {" + signature + "run<" + name +
              ">, " + signature + "count, " + signature + "sizes, " + signature +
              "alignments, emulator_first(" + bounds + ")};\n";
  }
  return tables;
}

/// How the compiler is called, without files.
struct Commands {
  std::string preprocess, compile, link;

  Commands(const std::string& definitions, bool checks) {
    static const std::string compiler = host_compiler();
    const bool clang = compiler.find("clang") != std::string::npos;
    preprocess = compiler + " -std=c++20 -w -E " +
                 (checks ? "-DEMULATOR_CHECKED=1 " : "-DEMULATOR_CHECKED=0 ") +
                 gradus::detail::message("-DEMULATOR_VERSION=", prelude_version(), "ul ") + definitions;
    compile =
        compiler + " -std=c++20 -w -O1 -fPIC -fno-strict-aliasing -ffp-contract=off -fno-exceptions -c ";
    if (!clang) compile += "-fno-gnu-unique -fno-diagnostics-show-caret ";
    // clang's "bounds" would also stop the program at once; and it leaves out a read that a write follows
    if (checks) compile += "-g1 -fsanitize=thread,alignment,";
    if (checks) compile += clang ? "array-bounds -mllvm -tsan-instrument-read-before-write=1 " : "bounds ";
    link = compiler + " -shared -nostdlib -Wl,-Bsymbolic ";
  }
};

inline Compiled compile_now(const std::string& source, const Commands& commands) {
  const Workshop shop;
  const auto files = [&](const char* from, const char* to) {
    return shop.file(from) + " -o " + shop.file(to);
  };
  Compiled result;
  ++counters().compilations;
  shop.write("text.cpp", source);
  result.good = shop.run(commands.preprocess + files("text.cpp", "text.ii"));
  if (result.good) {
    const std::string text = shop.read("text.ii");
    shop.write("text.ii", text + kernel_tables(text));
    result.good = shop.run(commands.compile + files("text.ii", "text.o")) &&
                  shop.run(commands.link + files("text.o", "text.so"));
  }
  result.log = shop.read("log");
  if (result.good) result.image = shop.read("text.so");
  return result;
}

/// What was compiled in this process.
inline std::map<std::string, Compiled>& compiled_texts() {
  static auto& texts = *new std::map<std::string, Compiled>;
  return texts;
}

/// Images of earlier processes: a file's key stands behind the image, so that texts of one hash are told
/// apart.
class ImageFolder {
 public:
  explicit ImageFolder(const std::string& key) : key_(key) {
    const char* const folder = std::getenv("GRADUS_EMULATOR_CACHE");
    if (!folder || !*folder) return;
    std::filesystem::create_directories(folder);
    file_ = gradus::detail::message(folder, "/", std::hash<std::string>{}(key), ".so");
  }
  std::string get() const {
    std::string image = file_.empty() ? "" : Workshop::contents(file_);
    if (image.size() <= key_.size() || !image.ends_with(key_)) return "";
    image.resize(image.size() - key_.size());
    return image;
  }
  void put(const std::string& image) const {
    if (file_.empty()) return;
    const std::string draft = gradus::detail::message(file_, ".", ::getpid());
    std::ofstream(draft, std::ios::binary) << image << key_;
    std::filesystem::rename(draft, file_);
  }

 private:
  const std::string& key_;
  std::string file_;
};

/// The same text is compiled once in a process, and once in all where there is a folder.
inline const Compiled& compile(const std::string& name, const std::string& text,
                               const std::string& definitions) {
  const Commands commands(definitions, settings().checks);
  const std::string source = with_prelude(name, text);
  const std::string key = commands.preprocess + commands.compile + commands.link + source;
  const auto [at, is_new] = compiled_texts().try_emplace(key);
  if (!is_new) return at->second;
  const ImageFolder folder(key);
  const std::string known = folder.get();
  at->second = known.empty() ? compile_now(source, commands) : Compiled{true, known, ""};
  if (known.empty() && at->second.good) folder.put(at->second.image);
  return at->second;
}

}  // namespace gradus::test::emulator
