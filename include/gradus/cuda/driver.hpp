// SPDX-License-Identifier: MIT
// The CUDA libraries, opened at run time into tables of functions: no program links CUDA, a machine without
// it hears one clear sentence, and tests put an emulator in their place. Types are the toolkit's own
// headers'.
//
// The driver API and not the runtime's: its library is the driver itself, whose name never changes.
#pragma once

#include <cstdlib>
#include <cstring>
#include <cublasLt.h>
#include <cuda.h>
#include <dlfcn.h>
#include <nvrtc.h>

#if CUDA_VERSION < 12040
#error "gradus needs the headers of CUDA 12.4 or later"
#endif
#include <string>

#include <gradus/core/error.hpp>

// Names without their prefix. cuda.h renames functions by macros (cuMemFreeAsync may be …_v2): cu##name is
// pasted first and then expanded, so that the type and the symbol that is looked up are always one
// function's.
#define GRADUS_CUDA_DRIVER(F) \
  F(Init)                     \
  F(DriverGetVersion)         \
  F(GetErrorName)             \
  F(GetErrorString)           \
  F(DeviceGetCount)           \
  F(DeviceGet)                \
  F(DeviceGetName)            \
  F(DeviceGetAttribute)       \
  F(DeviceTotalMem)           \
  F(DevicePrimaryCtxRetain)   \
  F(DeviceGetDefaultMemPool)  \
  F(CtxSetCurrent)            \
  F(MemGetInfo)               \
  F(MemAllocAsync)            \
  F(MemFreeAsync)             \
  F(MemPoolSetAttribute)      \
  F(MemPoolTrimTo)            \
  F(MemHostAlloc)             \
  F(MemFreeHost)              \
  F(MemcpyHtoDAsync)          \
  F(MemcpyDtoHAsync)          \
  F(MemcpyDtoDAsync)          \
  F(MemsetD8Async)            \
  F(StreamCreate)             \
  F(StreamDestroy)            \
  F(StreamSynchronize)        \
  F(StreamWaitEvent)          \
  F(StreamBeginCapture)       \
  F(StreamEndCapture)         \
  F(StreamIsCapturing)        \
  F(EventCreate)              \
  F(EventDestroy)             \
  F(EventRecord)              \
  F(EventSynchronize)         \
  F(EventElapsedTime)         \
  F(LibraryLoadData)          \
  F(LibraryUnload)            \
  F(LibraryGetKernel)         \
  F(KernelSetAttribute)       \
  F(KernelGetParamInfo)       \
  F(LaunchKernel)             \
  F(GraphInstantiate)         \
  F(GraphLaunch)              \
  F(GraphExecDestroy)         \
  F(GraphDestroy)
#define GRADUS_CUDA_NVRTC(F) \
  F(Version)                 \
  F(GetErrorString)          \
  F(CreateProgram)           \
  F(DestroyProgram)          \
  F(CompileProgram)          \
  F(GetNumSupportedArchs)    \
  F(GetSupportedArchs)       \
  F(GetCUBINSize)            \
  F(GetCUBIN)                \
  F(GetPTXSize)              \
  F(GetPTX)                  \
  F(GetProgramLogSize)       \
  F(GetProgramLog)
#define GRADUS_CUDA_CUBLASLT(F)   \
  F(Create)                       \
  F(GetVersion)                   \
  F(GetStatusString)              \
  F(MatmulDescCreate)             \
  F(MatmulDescDestroy)            \
  F(MatmulDescSetAttribute)       \
  F(MatrixLayoutCreate)           \
  F(MatrixLayoutDestroy)          \
  F(MatrixLayoutSetAttribute)     \
  F(MatmulPreferenceCreate)       \
  F(MatmulPreferenceDestroy)      \
  F(MatmulPreferenceSetAttribute) \
  F(MatmulAlgoGetHeuristic)       \
  F(Matmul)

#define GRADUS_CUDA_WORDS_(x) #x
#define GRADUS_CUDA_WORDS(x) GRADUS_CUDA_WORDS_(x)

namespace gradus::cuda {

/// driver.MemAllocAsync(…) is cuMemAllocAsync(…), and so on.
struct Driver {
#define GRADUS_CUDA_MEMBER(f) decltype(&::cu##f) f = nullptr;
  GRADUS_CUDA_DRIVER(GRADUS_CUDA_MEMBER)
#undef GRADUS_CUDA_MEMBER
  static std::string file() { return "libcuda.so.1"; }
  static std::string remedy() { return "is the NVIDIA driver installed?"; }
  /// slot(symbol's name, function pointer) for every function.
  template <class F> void each(const F& slot) {
#define GRADUS_CUDA_SLOT(f) slot(GRADUS_CUDA_WORDS(cu##f), f);
    GRADUS_CUDA_DRIVER(GRADUS_CUDA_SLOT)
#undef GRADUS_CUDA_SLOT
  }
};

inline std::string toolkit_remedy() {
  return detail::message("install the CUDA ", CUDA_VERSION / 1000,
                         " toolkit, or set CUDA_HOME to where it is");
}

/// The compiler of kernels.
struct Nvrtc {
#define GRADUS_CUDA_MEMBER(f) decltype(&::nvrtc##f) f = nullptr;
  GRADUS_CUDA_NVRTC(GRADUS_CUDA_MEMBER)
#undef GRADUS_CUDA_MEMBER
  static std::string file() { return detail::message("libnvrtc.so.", CUDA_VERSION / 1000); }
  static std::string remedy() { return toolkit_remedy(); }
  template <class F> void each(const F& slot) {
#define GRADUS_CUDA_SLOT(f) slot(GRADUS_CUDA_WORDS(nvrtc##f), f);
    GRADUS_CUDA_NVRTC(GRADUS_CUDA_SLOT)
#undef GRADUS_CUDA_SLOT
  }
};

/// Matrix products.
struct CublasLt {
#define GRADUS_CUDA_MEMBER(f) decltype(&::cublasLt##f) f = nullptr;
  GRADUS_CUDA_CUBLASLT(GRADUS_CUDA_MEMBER)
#undef GRADUS_CUDA_MEMBER
  static std::string file() { return detail::message("libcublasLt.so.", CUBLAS_VER_MAJOR); }
  static std::string remedy() { return toolkit_remedy(); }
  template <class F> void each(const F& slot) {
#define GRADUS_CUDA_SLOT(f) slot(GRADUS_CUDA_WORDS(cublasLt##f), f);
    GRADUS_CUDA_CUBLASLT(GRADUS_CUDA_SLOT)
#undef GRADUS_CUDA_SLOT
  }
};

/// Where a library is looked for: GRADUS_CUDA_LIBRARY_PATH alone where it is set; else where the system
/// looks, then below CUDA_HOME and CUDA_PATH, then in the usual places. nullptr: nowhere.
inline void* open_library(const std::string& file) {
  const auto open = [](const std::string& path) { return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL); };
  const char* const only = std::getenv("GRADUS_CUDA_LIBRARY_PATH");
  if (only && *only) return open(detail::message(only, "/", file));
  if (void* library = open(file)) return library;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* home = std::getenv(variable))
      for (const char* folder : {"/lib64/", "/lib/"})
        if (void* library = open(detail::message(home, folder, file))) return library;
  for (const char* folder :
       {"/usr/local/cuda/lib64/", "/opt/cuda/lib64/", "/usr/lib/wsl/lib/", "/run/opengl-driver/lib/"})
    if (void* library = open(detail::message(folder, file))) return library;
  return nullptr;
}

/// Throws DeviceError where the library, or a function in it, is not there.
template <class Table> Table load() {
  void* const library = open_library(Table::file());
  detail::require<DeviceError>(library, "cuda: no usable GPU: ", Table::file(), " not found (",
                               Table::remedy(), ")");
  Table table;
  table.each([library](const char* name, auto& function) {
    void* const symbol = ::dlsym(library, name);
    detail::require<DeviceError>(symbol, "cuda: no usable GPU: ", Table::file(), " has no ", name,
                                 " (it is older than the headers this program was built with; update it)");
    std::memcpy(&function, &symbol, sizeof symbol);
  });
  return table;
}

/// What a test puts in a library's place, before its first use.
template <class Table> inline const Table* stand_in = nullptr;

/// The library's functions. Opened at the first use, never closed. Throws as load().
template <class Table> const Table& library() {
  if (stand_in<Table>) return *stand_in<Table>;
  static const Table table = load<Table>();  // an exception leaves it to the next use
  return table;
}

}  // namespace gradus::cuda
