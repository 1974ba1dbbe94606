// SPDX-License-Identifier: MIT
#include "tests/support/devices.hpp"

#ifdef GRADUS_TEST_CUDA
#include <gradus/cuda/device.hpp>

#include "tests/support/emulator/emulator.hpp"
#include "tests/support/kernel_texts.hpp"
#endif

namespace gradus::test {

#ifdef GRADUS_TEST_CUDA

namespace {

/// The emulated NVRTC, which keeps each text of the library's that it compiles.
struct KeepingNvrtc {
  static inline const cuda::Nvrtc* emulated = nullptr;
  static inline cuda::Nvrtc table;

  static nvrtcResult compile(nvrtcProgram program, int count, const char* const* options) {
    const nvrtcResult result = emulated->CompileProgram(program, count, options);
    const std::string& text = emulator::program_of(program).text;
    if (result == NVRTC_SUCCESS && text.starts_with(cuda::text::common))
      keep_text(GRADUS_TEST_TEXTS_DIR, text);
    return result;
  }
  static void install() {
    emulated = std::exchange(cuda::stand_in<cuda::Nvrtc>, &table);
    table = *emulated;
    table.CompileProgram = &compile;
  }
};

}  // namespace

void emulate() {
  static const bool once [[maybe_unused]] = [] {
    // Emulated kernels are code for the CPU, and must not meet a GPU's in the user's cache. The library keeps
    // none, so that every process asks for its texts; what the emulator made of them is kept.
    ::setenv("GRADUS_CACHE_DIR", "off", 1);
    ::setenv("GRADUS_EMULATOR_CACHE", GRADUS_TEST_CACHE_DIR "/images", 1);
    emulator::install();
    KeepingNvrtc::install();
    return true;
  }();
}

const std::vector<Device>& devices() {
  static const std::vector<Device> all = [] {
    const char* const gpu = std::getenv("GRADUS_TEST_GPU");
    if (gpu && *gpu)
      ::setenv("GRADUS_CACHE_DIR", GRADUS_TEST_CACHE_DIR "/gpu", 1);  // not the user's: a first run is one
    else
      emulate();
    return std::vector<Device>{Device(), Device("cuda")};
  }();
  return all;
}
std::vector<std::string> device_findings() {
  std::vector<std::string> found = emulator::reports();
  emulator::clear();
  return found;
}

#else

const std::vector<Device>& devices() {
  static const std::vector<Device> all{Device()};
  return all;
}
std::vector<std::string> device_findings() { return {}; }

#endif

}  // namespace gradus::test
