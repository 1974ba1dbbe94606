// SPDX-License-Identifier: MIT
// One emulated device with two streams, for tests that speak to the driver itself.
#pragma once

#include <cstddef>
#include <cuda.h>
#include <nvrtc.h>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/emulator/emulator.hpp"

namespace gradus::test::emulator {

/// What a test allocates and loads is given back at the end; reports and settings begin and end empty.
class Rig {
 public:
  Rig() {
    install();
    settings() = {};
    clear();
    cu.Init(0);
    use(0);
    cu.StreamCreate(&stream, CU_STREAM_NON_BLOCKING);
    cu.StreamCreate(&other, CU_STREAM_NON_BLOCKING);
  }
  Rig(const Rig&) = delete;
  ~Rig() {
    use(0);
    cu.StreamDestroy(other);
    for (const CUdeviceptr p : memory_) cu.MemFreeAsync(p, stream);
    for (const CUlibrary l : libraries_) cu.LibraryUnload(l);
    cu.StreamDestroy(stream);
    clear();
    settings() = {};
  }
  void use(int device) const {
    CUcontext context = nullptr;
    cu.DevicePrimaryCtxRetain(&context, device);
    cu.CtxSetCurrent(context);
  }

  static std::string compile(const std::string& text, nvrtcResult expected = NVRTC_SUCCESS) {
    const auto& nvrtc = gradus::cuda::library<gradus::cuda::Nvrtc>();
    nvrtcProgram program = nullptr;
    nvrtc.CreateProgram(&program, text.c_str(), "text", 0, nullptr, nullptr);
    const char* const options[] = {"--gpu-architecture=sm_90", "--fmad=false", "-DNOTHING"};
    const nvrtcResult r = nvrtc.CompileProgram(program, 3, options);
    std::size_t n = 0;
    nvrtc.GetProgramLogSize(program, &n);
    std::string log(n, '\0');
    nvrtc.GetProgramLog(program, log.data());
    INFO(log);
    CHECK(r == expected);
    if (r) return nvrtc.DestroyProgram(&program), log;
    nvrtc.GetCUBINSize(program, &n);
    std::string cubin(n, '\0');
    nvrtc.GetCUBIN(program, cubin.data());
    nvrtc.DestroyProgram(&program);
    return cubin;
  }
  CUkernel kernel(const std::string& text, const char* name) {
    libraries_.emplace_back();
    REQUIRE(cu.LibraryLoadData(&libraries_.back(), compile(text).data(), nullptr, nullptr, 0, nullptr,
                               nullptr, 0) == CUDA_SUCCESS);
    CUkernel result = nullptr;
    REQUIRE(cu.LibraryGetKernel(&result, libraries_.back(), name) == CUDA_SUCCESS);
    return result;
  }

  template <class T> T* empty(std::size_t n) {
    CUdeviceptr p = 0;
    REQUIRE(cu.MemAllocAsync(&p, n * sizeof(T), stream) == CUDA_SUCCESS);
    memory_.push_back(p);
    return reinterpret_cast<T*>(p);
  }
  template <class T> T* full(const std::vector<T>& values) {
    T* const p = empty<T>(values.size());
    write(p, values);
    return p;
  }
  template <class T> void write(T* p, const std::vector<T>& values) const {
    cu.MemcpyHtoDAsync(address(p), values.data(), values.size() * sizeof(T), stream);
  }
  template <class T> std::vector<T> read(const T* p, std::size_t n) const {
    std::vector<T> values(n);
    cu.MemcpyDtoHAsync(values.data(), address(p), n * sizeof(T), stream);
    return values;
  }
  void free(void* p) {
    std::erase(memory_, address(p));
    cu.MemFreeAsync(address(p), stream);
  }
  void sync() const { cu.StreamSynchronize(stream); }
  static CUdeviceptr address(const void* p) { return reinterpret_cast<CUdeviceptr>(p); }

  struct Grid {
    unsigned x = 1, y = 1;
  };
  template <class... A> CUresult launch(CUkernel k, Grid grid, Grid block, unsigned shared, CUstream on,
                                        const A&... arguments) const {
    void* given[] = {const_cast<void*>(static_cast<const void*>(&arguments))...};
    return cu.LaunchKernel(reinterpret_cast<CUfunction>(k), grid.x, grid.y, 1, block.x, block.y, 1, shared,
                           on, given, nullptr);
  }

  const gradus::cuda::Driver& cu = table();
  CUstream stream = nullptr, other = nullptr;

 private:
  static const gradus::cuda::Driver& table() {
    install();
    return gradus::cuda::library<gradus::cuda::Driver>();
  }
  std::vector<CUdeviceptr> memory_;
  std::vector<CUlibrary> libraries_;
};

}  // namespace gradus::test::emulator
