// SPDX-License-Identifier: MIT
// cuMem*. Addresses are given at once; copies, fills and frees happen in their stream.
#pragma once

#include <cstring>
#include <cuda.h>
#include <memory>
#include <string>

#include "tests/support/emulator/devices.hpp"
#include "tests/support/emulator/pinned.hpp"
#include "tests/support/emulator/ranges.hpp"
#include "tests/support/emulator/stream_calls.hpp"

namespace gradus::test::emulator {

inline void* pointer(CUdeviceptr p) { return reinterpret_cast<void*>(p); }
inline std::size_t rounded(std::size_t bytes) { return (bytes + Heap::unit - 1) / Heap::unit * Heap::unit; }

inline CUresult device_get_default_mem_pool(CUmemoryPool* pool, CUdevice which) {
  if (!exists(which)) return CUDA_ERROR_INVALID_DEVICE;
  *pool = reinterpret_cast<CUmemoryPool>(&device(which));
  return CUDA_SUCCESS;
}
inline CUresult mem_pool_set_attribute(CUmemoryPool pool, CUmemPool_attribute, void* value) {
  return pool && value ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
inline CUresult mem_pool_trim_to(CUmemoryPool pool, std::size_t) {
  return pool ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
inline CUresult mem_get_info(std::size_t* free, std::size_t* total) {
  const std::size_t used = device(current_device()).used;
  *total = settings().capacity;
  *free = *total - std::min(used, *total);
  return CUDA_SUCCESS;
}

inline CUresult mem_alloc_async(CUdeviceptr* result, std::size_t bytes, CUstream handle) {
  if (const CUresult error = outside_capture("cuMemAllocAsync"); error) return error;
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuMemAllocAsync", &s); error) return error;
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  Device& here = device(s->device);
  const auto fits = [&] {
    return rounded(bytes) <= settings().capacity - std::min(here.used, settings().capacity);
  };
  if (!fits()) drain_all();  // frees that are still in a queue
  Allocation* const a = fits() ? heap().allocate(bytes, s->device) : nullptr;
  if (!a) return CUDA_ERROR_OUT_OF_MEMORY;
  here.used += rounded(bytes);
  a->made = next_operation(*s, "cuMemAllocAsync").stamp;
  *result = reinterpret_cast<CUdeviceptr>(a->begin);
  return CUDA_SUCCESS;
}
inline void free_now(char* p) {
  Allocation& a = *heap().at_begin(p);
  if (!history().now().known.covers(a.used))
    found("cuMemFreeAsync: another stream may still use the memory, with no event between");
  device(a.device).used -= rounded(a.size);
  heap().release(a);
}
inline CUresult mem_free_async(CUdeviceptr p, CUstream handle) {
  if (const CUresult error = outside_capture("cuMemFreeAsync"); error) return error;
  Allocation* const a = p ? heap().at_begin(pointer(p)) : nullptr;
  if (!a || !a->live || a->leaving) {
    found("cuMemFreeAsync: ", a ? "freed twice" : "not the address of an allocation");
    return CUDA_ERROR_INVALID_VALUE;
  }
  auto* const s = reinterpret_cast<Stream*>(handle);  // no stream_of: frees happen whatever is current
  if (!streams().all.count(s)) {
    Stream* legacy = nullptr;
    if (const CUresult error = stream_of(handle, "cuMemFreeAsync", &legacy); error) return error;
    handle = reinterpret_cast<CUstream>(legacy);
  }
  a->leaving = true;
  push(*reinterpret_cast<Stream*>(handle), "cuMemFreeAsync", [begin = a->begin] { free_now(begin); });
  return CUDA_SUCCESS;
}

inline CUresult mem_host_alloc(void** result, std::size_t bytes, unsigned) {
  if (const CUresult error = outside_capture("cuMemHostAlloc"); error) return error;
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  *result = pinned().allocate(bytes);
  return *result ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
inline CUresult mem_free_host(void* p) {
  if (const CUresult error = outside_capture("cuMemFreeHost"); error) return error;
  drain_all();  // as the driver waits
  if (pinned().release(p)) return CUDA_SUCCESS;
  found("cuMemFreeHost: not the address of an allocation");
  return CUDA_ERROR_INVALID_VALUE;
}

/// A copy from ordinary memory has read it when it returns; one from pinned memory reads it when it runs, and
/// one that was captured at each replay.
inline CUresult memcpy_htod_async(CUdeviceptr to, const void* from, std::size_t n, CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuMemcpyHtoDAsync", &s); error) return error;
  if (n == 0) return CUDA_SUCCESS;
  const bool later = pinned().contains(from), captured = s->capture;
  std::shared_ptr<std::string> kept;
  if (!later && !captured) kept = std::make_shared<std::string>(static_cast<const char*>(from), n);
  push(*s, "cuMemcpyHtoDAsync", [=, where = s->device] {
    if (later && !pinned().contains(from))
      return found("cuMemcpyHtoDAsync: the pinned memory has been freed");
    if (touch_range("cuMemcpyHtoDAsync", pointer(to), n, emulator_writes, where))
      std::memcpy(pointer(to), kept ? kept->data() : from, n);
  });
  return CUDA_SUCCESS;
}
/// To ordinary memory: it returns when the copy is done.
inline CUresult memcpy_dtoh_async(void* to, CUdeviceptr from, std::size_t n, CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuMemcpyDtoHAsync", &s); error) return error;
  if (n == 0) return CUDA_SUCCESS;
  const bool later = pinned().contains(to), captured = s->capture;
  push(*s, "cuMemcpyDtoHAsync", [=, where = s->device] {
    if (later && !pinned().contains(to)) return found("cuMemcpyDtoHAsync: the pinned memory has been freed");
    if (touch_range("cuMemcpyDtoHAsync", pointer(from), n, emulator_reads, where))
      std::memcpy(to, pointer(from), n);
  });
  if (later || captured) return CUDA_SUCCESS;
  drain(*s);
  streams().host.join(s->clock);
  return health();
}
inline CUresult memcpy_dtod_async(CUdeviceptr to, CUdeviceptr from, std::size_t n, CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuMemcpyDtoDAsync", &s); error) return error;
  if (n == 0) return CUDA_SUCCESS;
  push(*s, "cuMemcpyDtoDAsync", [=, where = s->device] {
    if (to < from + n && from < to + n) return found("cuMemcpyDtoDAsync: the ranges overlap");
    if (!touch_range("cuMemcpyDtoDAsync", pointer(from), n, emulator_reads, where, Unwritten::is_fine))
      return;
    if (!touch_range("cuMemcpyDtoDAsync", pointer(to), n, emulator_writes, where)) return;
    std::memcpy(pointer(to), pointer(from), n);
    copy_known(pointer(to), pointer(from), n);
  });
  return CUDA_SUCCESS;
}
inline CUresult memset_d8_async(CUdeviceptr to, unsigned char value, std::size_t n, CUstream handle) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(handle, "cuMemsetD8Async", &s); error) return error;
  if (n == 0) return CUDA_SUCCESS;
  push(*s, "cuMemsetD8Async", [=, where = s->device] {
    if (touch_range("cuMemsetD8Async", pointer(to), n, emulator_writes, where))
      std::memset(pointer(to), value, n);
  });
  return CUDA_SUCCESS;
}

}  // namespace gradus::test::emulator
