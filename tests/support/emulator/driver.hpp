// SPDX-License-Identifier: MIT
// The table of the driver, and with which error each function fails when a test asks it to.
#pragma once

#include <gradus/cuda/driver.hpp>

#include "tests/support/emulator/devices.hpp"
#include "tests/support/emulator/entry.hpp"
#include "tests/support/emulator/kernel_calls.hpp"
#include "tests/support/emulator/memory_calls.hpp"
#include "tests/support/emulator/stream_calls.hpp"

namespace gradus::test::emulator {

inline void fill_devices(cuda::Driver& t) {
  constexpr auto failure = CUDA_ERROR_UNKNOWN;
  t.Init = entry<init, failure, before_init>;
  t.DriverGetVersion = entry<driver_get_version, failure, before_init>;
  t.GetErrorName = get_error_name;  // these two only translate: they are not counted and never fail
  t.GetErrorString = get_error_string;
  t.DeviceGetCount = entry<device_get_count, failure>;
  t.DeviceGet = entry<device_get, failure>;
  t.DeviceGetName = entry<device_get_name, failure>;
  t.DeviceGetAttribute = entry<device_get_attribute, failure>;
  t.DeviceTotalMem = entry<device_total_mem, failure>;
  t.DevicePrimaryCtxRetain = entry<device_primary_ctx_retain, CUDA_ERROR_OUT_OF_MEMORY>;
  t.DeviceGetDefaultMemPool = entry<device_get_default_mem_pool, failure>;
  t.CtxSetCurrent = entry<ctx_set_current, failure>;
}

inline void fill_memory(cuda::Driver& t) {
  constexpr auto failure = CUDA_ERROR_UNKNOWN;
  t.MemGetInfo = entry<mem_get_info, failure, in_context>;
  t.MemAllocAsync = entry<mem_alloc_async, CUDA_ERROR_OUT_OF_MEMORY, in_context>;
  t.MemFreeAsync = entry<mem_free_async, failure, never_injected>;
  t.MemPoolSetAttribute = entry<mem_pool_set_attribute, failure>;
  t.MemPoolTrimTo = entry<mem_pool_trim_to, failure>;
  t.MemHostAlloc = entry<mem_host_alloc, CUDA_ERROR_OUT_OF_MEMORY, in_context>;
  t.MemFreeHost = entry<mem_free_host, failure, never_injected>;
  t.MemcpyHtoDAsync = entry<memcpy_htod_async, failure, in_context>;
  t.MemcpyDtoHAsync = entry<memcpy_dtoh_async, failure, in_context>;
  t.MemcpyDtoDAsync = entry<memcpy_dtod_async, failure, in_context>;
  t.MemsetD8Async = entry<memset_d8_async, failure, in_context>;
}

inline void fill_streams(cuda::Driver& t) {
  constexpr auto failure = CUDA_ERROR_UNKNOWN;
  t.StreamCreate = entry<stream_create, CUDA_ERROR_OUT_OF_MEMORY, in_context>;
  t.StreamDestroy = entry<stream_destroy, failure, never_injected>;
  t.StreamSynchronize = entry<stream_synchronize, failure, in_context>;
  t.StreamWaitEvent = entry<stream_wait_event, failure, in_context>;
  t.StreamBeginCapture = entry<stream_begin_capture, failure, in_context>;
  t.StreamEndCapture = entry<stream_end_capture, failure, in_context | never_injected>;  // see there
  t.StreamIsCapturing = entry<stream_is_capturing, failure, in_context>;
  t.EventCreate = entry<event_create, CUDA_ERROR_OUT_OF_MEMORY, in_context>;
  t.EventDestroy = entry<event_destroy, failure, never_injected>;
  t.EventRecord = entry<event_record, failure, in_context>;
  t.EventSynchronize = entry<event_synchronize, failure, in_context>;
  t.EventElapsedTime = entry<event_elapsed_time, failure, in_context>;
}

inline void fill_kernels(cuda::Driver& t) {
  constexpr auto failure = CUDA_ERROR_UNKNOWN;
  t.LibraryLoadData = entry<library_load_data, CUDA_ERROR_OUT_OF_MEMORY>;
  t.LibraryUnload = entry<library_unload, failure, never_injected>;
  t.LibraryGetKernel = entry<library_get_kernel, CUDA_ERROR_NOT_FOUND>;
  t.KernelSetAttribute = entry<kernel_set_attribute, failure>;
  t.KernelGetParamInfo = entry<kernel_get_param_info, failure>;
  t.LaunchKernel = entry<launch_kernel, failure, in_context>;
  t.GraphInstantiate = entry<graph_instantiate, CUDA_ERROR_OUT_OF_MEMORY, in_context>;
  t.GraphLaunch = entry<graph_launch, failure, in_context>;
  t.GraphExecDestroy = entry<graph_exec_destroy, failure, never_injected>;
  t.GraphDestroy = entry<graph_destroy, failure, never_injected>;
}

inline cuda::Driver driver_table() {
  cuda::Driver t;
  fill_devices(t), fill_memory(t), fill_streams(t), fill_kernels(t);
  return t;
}

}  // namespace gradus::test::emulator
