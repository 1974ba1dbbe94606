// SPDX-License-Identifier: MIT
// cuLibrary*, cuKernel* and cuLaunchKernel.
#pragma once

#include <array>
#include <cstring>
#include <cuda.h>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/emulator/devices.hpp"
#include "tests/support/emulator/module.hpp"
#include "tests/support/emulator/processor.hpp"
#include "tests/support/emulator/stream_calls.hpp"

namespace gradus::test::emulator {

struct Libraries {
  std::set<Library*> all;
  std::set<Kernel*> kernels;
};
inline Libraries& libraries() {
  static auto& l = *new Libraries;
  return l;
}

inline CUresult library_load_data(CUlibrary* result, const void* image, CUjit_option*, void**, unsigned,
                                  CUlibraryOption*, void**, unsigned) {
  if (const CUresult error = outside_capture("cuLibraryLoadData"); error) return error;
  auto module = Module::load(image);
  if (!module) return CUDA_ERROR_INVALID_IMAGE;
  auto* const library = new Library{std::move(module), {}};
  libraries().all.insert(library);
  *result = reinterpret_cast<CUlibrary>(library);
  return CUDA_SUCCESS;
}
inline CUresult library_unload(CUlibrary handle) {
  auto* const library = reinterpret_cast<Library*>(handle);
  if (libraries().all.erase(library) == 0) return CUDA_ERROR_INVALID_HANDLE;
  drain_all();
  for (const auto& [name, kernel] : library->kernels) libraries().kernels.erase(kernel.get());
  delete library;
  return CUDA_SUCCESS;
}
inline CUresult library_get_kernel(CUkernel* result, CUlibrary handle, const char* name) {
  auto* const library = reinterpret_cast<Library*>(handle);
  if (!libraries().all.count(library)) return CUDA_ERROR_INVALID_HANDLE;
  const emulator_kernel* const code = library->module->kernel(name);
  if (!code) return CUDA_ERROR_NOT_FOUND;
  auto& kernel = library->kernels[name];
  if (!kernel) kernel.reset(new Kernel{library->module.get(), name, code});
  libraries().kernels.insert(kernel.get());
  *result = reinterpret_cast<CUkernel>(kernel.get());
  return CUDA_SUCCESS;
}

inline CUresult kernel_set_attribute(CUfunction_attribute attribute, int value, CUkernel handle,
                                     CUdevice which) {
  auto* const kernel = reinterpret_cast<Kernel*>(handle);
  if (!libraries().kernels.count(kernel)) return CUDA_ERROR_INVALID_HANDLE;
  if (!exists(which)) return CUDA_ERROR_INVALID_DEVICE;
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
  if (value < 0 || static_cast<std::size_t>(value) > most_shared) return CUDA_ERROR_INVALID_VALUE;
  kernel->dynamic_limit[which] = static_cast<std::size_t>(value);
  return CUDA_SUCCESS;
}
inline CUresult kernel_get_param_info(CUkernel handle, std::size_t parameter, std::size_t* offset,
                                      std::size_t* size) {
  auto* const kernel = reinterpret_cast<Kernel*>(handle);
  if (!libraries().kernels.count(kernel)) return CUDA_ERROR_INVALID_HANDLE;
  if (parameter >= kernel->code->count) return CUDA_ERROR_INVALID_VALUE;
  *offset = kernel->offset(static_cast<unsigned>(parameter));
  if (size) *size = kernel->code->sizes[parameter];
  return CUDA_SUCCESS;
}

/// CUDA_SUCCESS where a device could run such a launch.
inline CUresult possible(const Kernel& kernel, const Processor::Shape& shape, int device_number) {
  const auto [gx, gy, gz] = shape.grid;
  const auto [bx, by, bz] = shape.block;
  const auto refuse = [&](CUresult error, const auto&... words) {
    found("cuLaunchKernel: ", kernel.name, ": ", words...);
    return error;
  };
  if (gx == 0 || gy == 0 || gz == 0 || gx > 0x7fffffffu || gy > 65535 || gz > 65535)
    return refuse(CUDA_ERROR_INVALID_VALUE, "a grid of (", gx, ", ", gy, ", ", gz, ") blocks");
  const std::size_t threads = std::size_t{bx} * by * bz;
  if (threads == 0 || threads > 1024 || bz > 64)
    return refuse(CUDA_ERROR_INVALID_VALUE, "blocks of (", bx, ", ", by, ", ", bz, ") threads");
  if (kernel.code->bound && threads > kernel.code->bound)
    return refuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, threads, " threads a block, but __launch_bounds__(",
                  kernel.code->bound, ")");
  if (shape.dynamic > kernel.dynamic_limit[device_number])
    return refuse(CUDA_ERROR_INVALID_VALUE, shape.dynamic, " bytes of dynamic shared memory; it was allowed ",
                  kernel.dynamic_limit[device_number]);
  return CUDA_SUCCESS;
}

/// Arguments as they were at the launch, each aligned to 16 bytes.
class Arguments {
 public:
  Arguments(const emulator_kernel& code, void** given) {
    std::size_t slots = 0;
    for (unsigned i = 0; i < code.count; ++i) first_.push_back(slots), slots += (code.sizes[i] + 15) / 16;
    bytes_.resize(slots);
    for (unsigned i = 0; i < code.count; ++i) std::memcpy(&bytes_[first_[i]], given[i], code.sizes[i]);
  }
  std::vector<void*> pointers() {
    std::vector<void*> result;
    for (const std::size_t slot : first_) result.push_back(&bytes_[slot]);
    return result;
  }

 private:
  struct alignas(16) Slot {
    std::array<char, 16> bytes;
  };
  std::vector<Slot> bytes_;
  std::vector<std::size_t> first_;
};

inline CUresult launch_kernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                              unsigned by, unsigned bz, unsigned dynamic, CUstream handle, void** given,
                              void** extra) {
  auto* const kernel = reinterpret_cast<Kernel*>(function);
  if (!libraries().kernels.count(kernel)) return CUDA_ERROR_INVALID_HANDLE;
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuLaunchKernel", &s); error) return error;
  const Processor::Shape shape{{gx, gy, gz}, {bx, by, bz}, dynamic};
  if (const CUresult error = possible(*kernel, shape, s->device); error) return error;
  if (extra || (kernel->code->count > 0 && !given)) return CUDA_ERROR_INVALID_VALUE;
  push(*s, kernel->name, [=, where = s->device, arguments = Arguments(*kernel->code, given)]() mutable {
    if (!libraries().kernels.count(kernel)) return found("a kernel runs whose library has been unloaded");
    const CUresult fault = Processor::get().launch(*kernel, where, shape, arguments.pointers().data());
    if (fault) counters().lost = fault;
  });
  return CUDA_SUCCESS;
}

}  // namespace gradus::test::emulator
