// SPDX-License-Identifier: MIT
// The emulated NVRTC. What it calls a cubin is a shared object; what it calls PTX is the same.
#pragma once

#include <cstring>
#include <cuda.h>
#include <nvrtc.h>
#include <string>

#include <gradus/cuda/driver.hpp>

#include "tests/support/emulator/compiler.hpp"
#include "tests/support/emulator/entry.hpp"

namespace gradus::test::emulator {

struct Program {
  std::string name, text, log, image;
};
inline Program& program_of(nvrtcProgram handle) { return *reinterpret_cast<Program*>(handle); }

inline constexpr int architectures[] = {75, 80, 86, 89, 90, 100, 120};

inline nvrtcResult nvrtc_version(int* major, int* minor) {
  *major = CUDA_VERSION / 1000, *minor = CUDA_VERSION % 1000 / 10;
  return NVRTC_SUCCESS;
}
inline const char* nvrtc_error_string(nvrtcResult result) {
  switch (result) {
    case NVRTC_SUCCESS:
      return "NVRTC_SUCCESS";
    case NVRTC_ERROR_OUT_OF_MEMORY:
      return "NVRTC_ERROR_OUT_OF_MEMORY";
    case NVRTC_ERROR_INVALID_INPUT:
      return "NVRTC_ERROR_INVALID_INPUT";
    case NVRTC_ERROR_INVALID_PROGRAM:
      return "NVRTC_ERROR_INVALID_PROGRAM";
    case NVRTC_ERROR_INVALID_OPTION:
      return "NVRTC_ERROR_INVALID_OPTION";
    case NVRTC_ERROR_COMPILATION:
      return "NVRTC_ERROR_COMPILATION";
    case NVRTC_ERROR_INTERNAL_ERROR:
      return "NVRTC_ERROR_INTERNAL_ERROR";
    default:
      return "NVRTC_ERROR unknown";
  }
}
/// Kernel text includes nothing, so headers are not taken.
inline nvrtcResult create_program(nvrtcProgram* result, const char* text, const char* name, int headers,
                                  const char* const*, const char* const*) {
  if (!text || headers != 0) return NVRTC_ERROR_INVALID_INPUT;
  *result =
      reinterpret_cast<nvrtcProgram>(new Program{name && *name ? name : "default_program", text, {}, {}});
  return NVRTC_SUCCESS;
}
inline nvrtcResult destroy_program(nvrtcProgram* handle) {
  delete reinterpret_cast<Program*>(*handle);
  *handle = nullptr;
  return NVRTC_SUCCESS;
}

/// An option as the compiler's; false: NVRTC has no such option or architecture.
inline bool accept_option(const std::string& option, std::string& definitions) {
  const auto is = [&](const char* start) { return option.rfind(start, 0) == 0; };
  if (is("-D")) return definitions += quoted(option) + " ", true;
  for (const char* name : {"--gpu-architecture=", "-arch="}) {
    if (!is(name)) continue;
    const std::string which = option.substr(std::strlen(name));
    for (const int a : architectures)
      for (const char* kind : {"sm_", "compute_"})
        for (const char* feature : {"", "a", "f"})
          if (which == gradus::detail::message(kind, a, feature)) {
            definitions += gradus::detail::message("-D__CUDA_ARCH__=", 10 * a, " ");
            return true;
          }
    return false;
  }
  for (const char* known : {"--std=",
                            "-std=",
                            "--fmad=",
                            "-fmad=",
                            "--ftz=",
                            "--prec-div=",
                            "--prec-sqrt=",
                            "--use_fast_math",
                            "-use_fast_math",
                            "-default-device",
                            "--device-as-default-execution-space",
                            "-lineinfo",
                            "--generate-line-info",
                            "-G",
                            "--device-debug",
                            "--restrict",
                            "-w",
                            "--disable-warnings",
                            "--extra-device-vectorization",
                            "--maxrregcount=",
                            "-split-compile="})
    if (is(known)) return true;
  return false;
}

inline nvrtcResult compile_program(nvrtcProgram handle, int count, const char* const* options) {
  if (!handle) return NVRTC_ERROR_INVALID_PROGRAM;
  Program& program = program_of(handle);
  std::string definitions;
  for (int i = 0; i < count; ++i)
    if (!accept_option(options[i], definitions)) {
      program.log = gradus::detail::message(
          "nvrtc: error: invalid value for --gpu-architecture, or an unknown option: ", options[i], "\n");
      return NVRTC_ERROR_INVALID_OPTION;
    }
  const Compiled& compiled = compile(program.name, program.text, definitions);
  program.log = compiled.log, program.image = compiled.image;
  return compiled.good ? NVRTC_SUCCESS : NVRTC_ERROR_COMPILATION;
}

inline nvrtcResult get_num_supported_archs(int* count) {
  *count = static_cast<int>(std::size(architectures));
  return NVRTC_SUCCESS;
}
inline nvrtcResult get_supported_archs(int* result) {
  for (const int a : architectures) *result++ = a;
  return NVRTC_SUCCESS;
}
inline nvrtcResult get_image_size(nvrtcProgram handle, std::size_t* bytes) {
  *bytes = program_of(handle).image.size();
  return *bytes ? NVRTC_SUCCESS : NVRTC_ERROR_INVALID_PROGRAM;
}
inline nvrtcResult get_image(nvrtcProgram handle, char* bytes) {
  const std::string& image = program_of(handle).image;
  std::memcpy(bytes, image.data(), image.size());
  return NVRTC_SUCCESS;
}
inline nvrtcResult get_program_log_size(nvrtcProgram handle, std::size_t* bytes) {
  *bytes = program_of(handle).log.size() + 1;
  return NVRTC_SUCCESS;
}
inline nvrtcResult get_program_log(nvrtcProgram handle, char* words) {
  const std::string& log = program_of(handle).log;
  std::memcpy(words, log.c_str(), log.size() + 1);
  return NVRTC_SUCCESS;
}

inline cuda::Nvrtc nvrtc_table() {
  constexpr auto failure = NVRTC_ERROR_INTERNAL_ERROR;
  cuda::Nvrtc t;
  t.Version = entry<nvrtc_version, failure>;
  t.GetErrorString = nvrtc_error_string;
  t.CreateProgram = entry<create_program, NVRTC_ERROR_OUT_OF_MEMORY>;
  t.DestroyProgram = entry<destroy_program, failure, never_injected>;
  t.CompileProgram = entry<compile_program, NVRTC_ERROR_COMPILATION>;
  t.GetNumSupportedArchs = entry<get_num_supported_archs, failure>;
  t.GetSupportedArchs = entry<get_supported_archs, failure>;
  t.GetCUBINSize = entry<get_image_size, failure>;
  t.GetCUBIN = entry<get_image, failure>;
  t.GetPTXSize = entry<get_image_size, failure>;
  t.GetPTX = entry<get_image, failure>;
  t.GetProgramLogSize = entry<get_program_log_size, failure>;
  t.GetProgramLog = entry<get_program_log, failure>;
  return t;
}

}  // namespace gradus::test::emulator
