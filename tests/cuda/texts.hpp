// SPDX-License-Identifier: MIT
// Kernel texts, the real NVRTC, and what it says of them.
#pragma once

#include <algorithm>
#include <cstring>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gradus/cuda/module.hpp>

namespace gradus::test::texts {

using detail::message;

/// Machine code for a GPU; or PTX, for GPUs that are newer than NVRTC.
struct Machine {
  const char* name;
  cuda::Architecture product;  // as the library asks for it; 90a has instructions that 90 has not
};
inline constexpr Machine machines[] = {{"sm_75", {75, true}},   {"sm_80", {80, true}},
                                       {"sm_90a", {90, true}},  {"sm_100", {100, true}},
                                       {"sm_120", {120, true}}, {"compute_75", {75, false}}};
inline constexpr std::size_t gpus = 5;  // of them

/// What ptxas says of a kernel, the functions that it calls included: bytes, but for the registers.
struct Figures {
  std::string kernel;
  int registers = 0, stack = 0, spilled = 0;
};
struct Compiled {
  bool good = false, doubles = false;  // doubles: its PTX computes with them
  std::vector<Figures> kernels;
  std::string log;
};

/// The library's compile(), with the NVRTC that is installed behind it and not the emulator's; ptxas reports.
class RealNvrtc {
 public:
  /// Throws DeviceError where there is no NVRTC.
  RealNvrtc() {
    static const cuda::Nvrtc loaded = cuda::load<cuda::Nvrtc>();
    real_ = loaded, table_ = loaded;
    table_.CompileProgram = &compile_and_report;
    std::swap(other_, cuda::stand_in<cuda::Nvrtc>);
  }
  ~RealNvrtc() { std::swap(other_, cuda::stand_in<cuda::Nvrtc>); }
  RealNvrtc(const RealNvrtc&) = delete;

  std::string version() const {
    int major = 0, minor = 0;
    real_.Version(&major, &minor);
    return message("NVRTC ", major, ".", minor);
  }
  bool knows(const Machine& m) const {
    const std::vector<int> known = cuda::known_architectures();
    return std::find(known.begin(), known.end(), m.product.architecture) != known.end();
  }

  Compiled operator()(const std::string& text, const Machine& machine) const {
    option_ = message("--gpu-architecture=", machine.name);
    ptx_.clear(), log_.clear();
    Compiled result;
    try {
      result.good = !cuda::compile(text, machine.product).empty();
    } catch (const DeviceError& e) { return {false, false, {}, e.what()}; }
    if (ptx_.empty()) return {false, false, {}, "NVRTC gives no PTX"};
    result.doubles = ptx_.find(".f64") != std::string::npos;  // a register is %f64
    result.kernels = figures(log_);
    result.log = log_;
    return result;
  }

  static std::vector<Figures> figures(const std::string& log) {
    static const std::regex entry("Compiling entry function '(\\w+)'"), used("Used (\\d+) registers"),
        memory("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
    std::vector<Figures> all;
    std::istringstream lines(log);
    std::smatch m;
    for (std::string line; std::getline(lines, line);)
      if (std::regex_search(line, m, entry)) {
        all.push_back({m[1]});
      } else if (!all.empty() && std::regex_search(line, m, memory)) {
        all.back().stack += std::stoi(m[1]);
        all.back().spilled += std::stoi(m[2]) + std::stoi(m[3]);
      } else if (!all.empty() && std::regex_search(line, m, used)) {
        all.back().registers = std::stoi(m[1]);
      }
    return all;
  }

 private:
  static nvrtcResult compile_and_report(nvrtcProgram program, int count, const char* const* given) {
    std::vector<const char*> options(given, given + count);
    for (const char*& option : options)
      if (std::string_view(option).starts_with("--gpu-architecture=")) option = option_.c_str();
    options.push_back("--ptxas-options=-v");
    const nvrtcResult result = real_.CompileProgram(program, int(options.size()), options.data());
    if (result != NVRTC_SUCCESS) return result;
    std::size_t n = 0;
    if (real_.GetProgramLogSize(program, &n) == NVRTC_SUCCESS) {
      log_.resize(n);
      real_.GetProgramLog(program, log_.data());
    }
    if (real_.GetPTXSize(program, &n) == NVRTC_SUCCESS) {
      ptx_.resize(n);
      real_.GetPTX(program, ptx_.data());
    }
    return result;
  }

  static inline cuda::Nvrtc real_;
  static inline std::string option_, log_, ptx_;
  cuda::Nvrtc table_;
  const cuda::Nvrtc* other_ = &table_;
};

/// What is the text's own, after the part that is common to all.
inline std::string_view own(const std::string& text) {
  const std::string_view all = text;
  constexpr std::string_view common = cuda::text::common;
  return all.starts_with(common) ? all.substr(common.size()) : all;
}
inline bool says(const std::string& text, std::string_view words) {
  return own(text).find(words) != std::string_view::npos;
}

/// What a formula has added to a text; empty: the text is all by hand.
inline std::string_view formula_of(const std::string& text) {
  for (const char* name : {"formula", "activation", "rule"}) {
    const std::string_view all = own(text);
    const auto begin = all.find(message("GRADUS_INLINE void ", name, "("));
    if (begin == std::string_view::npos) continue;
    constexpr std::string_view last = "\n}\n";
    return all.substr(begin, all.find(last, begin) + last.size() - begin);
  }
  return {};
}
/// What one of many texts stands for: its formula, in float or in double.
inline std::string kind_of(const std::string& text) {
  return (says(text, "typedef double T;") ? "double " : "") + std::string(formula_of(text));
}

/// Registers that a thread may have. 64: a multiprocessor has room for four blocks of 256 threads. 128, for
/// two: a product keeps 16 results in them. Doubles, one block: most GPUs compute them 64 times slower
/// anyway.
inline int most_registers(const std::string& kernel, bool floats) {
  if (kernel == "gradus_gemm") return floats ? 128 : 240;
  return floats ? 64 : 192;
}

/// What is wrong, a sentence each.
inline std::vector<std::string> complaints(const std::string& text, const Machine& machine,
                                           const Compiled& c) {
  if (!c.good) return {message("it does not compile for ", machine.name, ":\n", c.log)};
  std::vector<std::string> wrong;
  // CUDA's own reduction of arguments beyond 10⁵ keeps digits in an array; the float one uses a double
  const bool reduces = says(text, " sin(") || says(text, " cos(");
  const bool floats = !says(text, "double");
  if (floats && c.doubles && !reduces) wrong.push_back(message("its PTX for ", machine.name, " has doubles"));
  if (machine.product.machine_code && c.kernels.empty())
    wrong.push_back(message("ptxas says nothing of its kernels for ", machine.name));
  for (const Figures& k : c.kernels) {
    const auto say = [&](auto... words) {
      wrong.push_back(message(k.kernel, " on ", machine.name, " ", words...));
    };
    if (k.spilled) say("spills ", k.spilled, " bytes");
    if (k.stack && !k.spilled && !reduces) say("has ", k.stack, " bytes in local memory");
    const int most = most_registers(k.kernel, floats);
    if (k.registers > most) say("has ", k.registers, " registers, ", most, " allowed");
  }
  return wrong;
}

/// All texts that tests have asked for, and those of every kernel and formula; for all GPUs, or by the rule
/// of texts.cpp.
void expect_all_to_compile(bool all_for_all);

}  // namespace gradus::test::texts
