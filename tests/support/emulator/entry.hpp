// SPDX-License-Identifier: MIT
// What every function of the tables goes through: one call at a time, counted, and failing where a test asks
// for it.
#pragma once

#include <cublasLt.h>
#include <cuda.h>
#include <map>
#include <mutex>
#include <nvrtc.h>
#include <string>

#include "tests/support/emulator/settings.hpp"

namespace gradus::test::emulator {

/// The device whose context is current in this thread; −1: none.
inline int& current_device() {
  thread_local int device = -1;
  return device;
}
inline bool& initialised() {
  static bool yes = false;
  return yes;
}
/// The names of the functions in the tables, for what is said of them.
inline std::map<void*, std::string>& names_of_calls() {
  static auto& names = *new std::map<void*, std::string>;
  return names;
}

enum Trait : unsigned {
  in_context = 1,     // the thread needs a current context
  before_init = 2,    // may be called before cuInit
  never_injected = 4  // frees and destroys: an error there has nobody to tell it to, so no test asks for one
};

/// True: this is the call that a test wants to fail.
inline bool injected() {
  Counters& c = counters();
  ++c.calls;
  return c.fail_in != 0 && --c.fail_in == 0;
}

inline CUresult refused(CUresult, unsigned traits) {
  if (counters().lost) return counters().lost;
  if (!initialised() && !(traits & before_init)) return CUDA_ERROR_NOT_INITIALIZED;
  if (current_device() < 0 && traits & in_context) return CUDA_ERROR_INVALID_CONTEXT;
  return CUDA_SUCCESS;
}
inline nvrtcResult refused(nvrtcResult, unsigned) { return NVRTC_SUCCESS; }
inline cublasStatus_t refused(cublasStatus_t, unsigned traits) {
  if (counters().lost) return CUBLAS_STATUS_EXECUTION_FAILED;
  return current_device() < 0 && traits & in_context ? CUBLAS_STATUS_NOT_INITIALIZED : CUBLAS_STATUS_SUCCESS;
}

template <auto function, auto failure, unsigned traits> struct Entry;
template <class R, class... A, R (*function)(A...), R failure, unsigned traits>
struct Entry<function, failure, traits> {
  static R call(A... arguments) {
    const std::lock_guard lock(machine());
    if (!(traits & never_injected) && injected()) {
      counters().failed = names_of_calls()[reinterpret_cast<void*>(&call)];
      return failure;
    }
    if (const R error = refused(R{}, traits); error != R{}) {
      if (traits & never_injected) function(arguments...);  // the emulator's books must balance
      return error;
    }
    return function(arguments...);
  }
};

/// What a table holds in place of function: a call that a test can make fail with failure.
template <auto function, auto failure, unsigned traits = 0> inline constexpr auto entry =
    &Entry<function, failure, traits>::call;

}  // namespace gradus::test::emulator
