// SPDX-License-Identifier: MIT
// Kernels: text that NVRTC compiles on first need, kept on disk for the next process.
#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include <gradus/cuda/cache.hpp>
#include <gradus/cuda/context.hpp>
#include <gradus/cuda/text/common.hpp>
#include <gradus/fwd.hpp>
#include <gradus/version.hpp>

namespace gradus::cuda {

/// What NVRTC is asked for: machine code for this GPU, or PTX that the driver translates where the GPU is
/// newer than NVRTC.
struct Architecture {
  int architecture;
  bool machine_code;
  std::string option() const {
    return detail::message("--gpu-architecture=", machine_code ? "sm_" : "compute_", architecture);
  }
};

/// Of the architectures that NVRTC knows, the best one that a GPU runs: code for x.y runs on x.y and on later
/// y. Throws DeviceError where it is too old.
inline Architecture architecture_for(int gpu, const std::vector<int>& known) {
  int same = 0, newest = 0, oldest = 1000;
  for (const int a : known) {
    if (a <= gpu && a / 10 == gpu / 10) same = a > same ? a : same;
    newest = a > newest ? a : newest, oldest = a < oldest ? a : oldest;
  }
  if (same) return {same, true};
  detail::require<DeviceError>(gpu > oldest, "cuda: the GPU has compute capability ", gpu / 10, ".", gpu % 10,
                               "; this toolkit's NVRTC compiles for ", oldest / 10, ".", oldest % 10,
                               " and later");
  int below = oldest;
  for (const int a : known)
    if (a <= gpu && a > below) below = a;
  return {below, false};
}

inline void check(nvrtcResult r, const char* call) {
  detail::require<DeviceError>(r == NVRTC_SUCCESS, "cuda: ", call, ": ",
                               r ? library<Nvrtc>().GetErrorString(r) : "");
}

inline std::vector<int> known_architectures() {
  const auto& nvrtc = library<Nvrtc>();
  int n = 0;
  check(nvrtc.GetNumSupportedArchs(&n), "nvrtcGetNumSupportedArchs");
  std::vector<int> known(std::size_t(n), 0);
  check(nvrtc.GetSupportedArchs(known.data()), "nvrtcGetSupportedArchs");
  return known;
}

/// Contraction is off, as on the CPU: formulas say fma where they mean it.
inline std::string compile(const std::string& text, const Architecture& architecture) {
  const auto& nvrtc = library<Nvrtc>();
  struct Program {
    const Nvrtc& nvrtc;
    nvrtcProgram program = nullptr;
    ~Program() {
      if (program) nvrtc.DestroyProgram(&program);
    }
  } p{nvrtc};
  check(nvrtc.CreateProgram(&p.program, text.c_str(), "gradus", 0, nullptr, nullptr), "nvrtcCreateProgram");
  const std::string option = architecture.option();
  const char* const options[] = {option.c_str(), "--std=c++17", "--fmad=false", "-default-device"};
  const nvrtcResult r = nvrtc.CompileProgram(p.program, int(std::size(options)), options);
  std::size_t n = 0;
  if (r == NVRTC_ERROR_COMPILATION) {
    check(nvrtc.GetProgramLogSize(p.program, &n), "nvrtcGetProgramLogSize");
    std::string log(n, '\0');
    check(nvrtc.GetProgramLog(p.program, log.data()), "nvrtcGetProgramLog");
    detail::fail<DeviceError>("cuda: NVRTC does not compile a kernel:\n", log, "\nof\n", text);
  }
  check(r, "nvrtcCompileProgram");
  const auto size = architecture.machine_code ? nvrtc.GetCUBINSize : nvrtc.GetPTXSize;
  check(size(p.program, &n), "nvrtcGetCUBINSize");
  std::string code(n, '\0');
  check((architecture.machine_code ? nvrtc.GetCUBIN : nvrtc.GetPTX)(p.program, code.data()), "nvrtcGetCUBIN");
  return code;
}

struct Kernel {
  CUkernel handle = nullptr;
  const char* name = "";
  std::atomic<bool> checked = false;  // its parameters have been compared with the arguments
  std::atomic<int> extra = -1;        // arguments that its formula asks for, once they have been counted
};

/// What a kernel is found by: who asks for it, and in which variant.
struct Key {
  const void* who;
  std::uint64_t variant;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const {
    return (reinterpret_cast<std::size_t>(k.who) ^ k.variant * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
  }
};

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};
constexpr unsigned block_threads = 256;

/// The kernels of one GPU.
class Modules {
 public:
  explicit Modules(Context& c) : context_(c) {
    architecture_ = architecture_for(c.architecture(), known_architectures());
    int major = 0, minor = 0;
    check(library<Nvrtc>().Version(&major, &minor), "nvrtcVersion");
    key_ = detail::message("gradus ", GRADUS_VERSION, "\nNVRTC ", major, ".", minor, "\n",
                           architecture_.option(), "\n");
  }

  /// The kernel `name` of the text that make() returns; compiled at most once for a key.
  template <class Make> Kernel& get(const Key& key, const char* name, const Make& make) {
    const std::lock_guard guard(mutex_);
    auto& kernel = kernels_[key];
    if (!kernel) kernel = build(name, text::common + make());
    return *kernel;
  }

  /// Throws DeviceError. Arguments are copied; compare() has shown that they are the kernel's own.
  void launch(Kernel& k, Grid grid, unsigned threads, unsigned shared, void** pointers) {
    context_.use();
    const auto& driver = context_.driver();
    context_.check(driver.LaunchKernel(reinterpret_cast<CUfunction>(k.handle), grid.x, grid.y, grid.z,
                                       threads, 1, 1, shared, context_.stream(), pointers, nullptr),
                   "cuLaunchKernel", k.name);
  }
  void compare(Kernel& k, const std::size_t* sizes, std::size_t n) {
    std::size_t offset = 0, size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      context_.check(context_.driver().KernelGetParamInfo(k.handle, i, &offset, &size),
                     "cuKernelGetParamInfo", k.name);
      detail::require<DeviceError>(size == sizes[i], "cuda: argument ", i, " of kernel ", k.name, " has ",
                                   sizes[i], " bytes, its parameter ", size);
    }
    const CUresult r = context_.driver().KernelGetParamInfo(k.handle, n, &offset, &size);
    detail::require<DeviceError>(r != CUDA_SUCCESS, "cuda: kernel ", k.name, " has more parameters than the ",
                                 n, " arguments");
    if (r != CUDA_ERROR_INVALID_VALUE) context_.check(r, "cuKernelGetParamInfo", k.name);
    k.checked = true;
  }

 private:
  std::unique_ptr<Kernel> build(const char* name, const std::string& text) {
    context_.use();
    const std::string key = key_ + text;
    auto kernel = std::make_unique<Kernel>();
    kernel->name = name;
    if (const auto found = cache_.get(key); found && load(*found, *kernel) == CUDA_SUCCESS) return kernel;
    const std::string code = compile(text, architecture_);
    cache_.put(key, code);
    context_.check(load(code, *kernel), "cuLibraryLoadData", name);
    return kernel;
  }
  /// A failure may be that what the cache held is of no use to this driver.
  CUresult load(const std::string& code, Kernel& kernel) {
    const auto& driver = context_.driver();
    CUlibrary library;
    CUresult r = driver.LibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0);
    if (r != CUDA_SUCCESS) return r;
    r = driver.LibraryGetKernel(&kernel.handle, library, kernel.name);
    if (r != CUDA_SUCCESS) driver.LibraryUnload(library);
    return r;
  }

  Context& context_;
  Architecture architecture_{};
  std::string key_;
  CubinCache cache_ = CubinCache::standard();
  std::mutex mutex_;
  std::unordered_map<Key, std::unique_ptr<Kernel>, KeyHash> kernels_;
};

}  // namespace gradus::cuda
