// SPDX-License-Identifier: MIT
// How long the GPU takes, as its own events have it.
#pragma once

#include <gradus/cuda.hpp>

namespace bench {

using namespace gradus;

/// Time as the GPU's stream has it.
class StreamClock {
 public:
  explicit StreamClock(Device d) : stream_(cuda::stream(d)) {
    check(driver_.EventCreate(&begin_, CU_EVENT_DEFAULT), "cuEventCreate");
    check(driver_.EventCreate(&end_, CU_EVENT_DEFAULT), "cuEventCreate");
  }
  StreamClock(const StreamClock&) = delete;
  ~StreamClock() { driver_.EventDestroy(begin_), driver_.EventDestroy(end_); }

  template <class F> double seconds(const F& work) {
    check(driver_.EventRecord(begin_, stream_), "cuEventRecord");
    work();
    check(driver_.EventRecord(end_, stream_), "cuEventRecord");
    check(driver_.EventSynchronize(end_), "cuEventSynchronize");
    float milliseconds = 0;
    check(driver_.EventElapsedTime(&milliseconds, begin_, end_), "cuEventElapsedTime");
    return double(milliseconds) * 1e-3;
  }

 private:
  static void check(CUresult r, const char* call) {
    detail::require<DeviceError>(r == CUDA_SUCCESS, call, ": ", cuda::words(r));
  }
  const cuda::Driver& driver_ = cuda::library<cuda::Driver>();
  const CUstream stream_;
  CUevent begin_ = nullptr, end_ = nullptr;
};

}  // namespace bench
