// SPDX-License-Identifier: MIT
// CUDA without a GPU, for tests: the driver, NVRTC and cublasLt, emulated on the CPU behind the tables of
// gradus/cuda/driver.hpp. Kernels are compiled by the host's compiler; each access of memory is checked.
//
//   emulator::install();
//   … use gradus' "cuda" device …
//   CHECK(emulator::reports().empty());
//
// It sees what compute-sanitizer sees (memory, races, uninitialised reads, barriers), and streams without
// events. It cannot see effects of weak memory, nor speed; blocks that wait for each other would hang.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <gradus/cuda/driver.hpp>

#include "tests/support/emulator/cublaslt.hpp"
#include "tests/support/emulator/driver.hpp"
#include "tests/support/emulator/findings.hpp"
#include "tests/support/emulator/nvrtc.hpp"
#include "tests/support/emulator/settings.hpp"

namespace gradus::test::emulator {

/// Puts the emulated libraries in place. Before the program's first use of CUDA; again it does nothing.
inline void install() {
  const std::lock_guard lock(machine());
  static auto& driver = *new cuda::Driver(driver_table());
  static auto& nvrtc = *new cuda::Nvrtc(nvrtc_table());
  static auto& cublaslt = *new cuda::CublasLt(cublaslt_table());
  const auto name = [](const char* words, auto function) {
    names_of_calls()[reinterpret_cast<void*>(function)] = words;
  };
  driver.each(name), nvrtc.each(name), cublaslt.each(name);
  cuda::stand_in<cuda::Driver> = &driver;
  cuda::stand_in<cuda::Nvrtc> = &nvrtc;
  cuda::stand_in<cuda::CublasLt> = &cublaslt;
}

/// What was found since clear(), in sentences; each mistake once. Work that nobody waited for has not run.
inline std::vector<std::string> reports() {
  const std::lock_guard lock(machine());
  return findings().sentences();
}

/// Forgets reports and counts, and undoes fail_call() and lose_device(). Memory and settings stay.
inline void clear() {
  const std::lock_guard lock(machine());
  findings().clear();
  counters() = {};
}

/// Device allocations that nobody has freed.
inline std::size_t leaks() {
  const std::lock_guard lock(machine());
  std::size_t n = 0;
  heap().each_live([&](const Allocation& a) { n += !a.leaving; });
  return n;
}
/// Bytes in use, frees in a queue included.
inline std::size_t used(int number = 0) {
  const std::lock_guard lock(machine());
  return device(number).used;
}

/// Calls since clear(), of all tables, that fail_call() can make fail (not frees and destroys).
inline std::size_t calls() {
  const std::lock_guard lock(machine());
  return counters().calls;
}
/// How often kernel text was really compiled: not what was compiled before (compiler.hpp).
inline std::size_t compilations() {
  const std::lock_guard lock(machine());
  return counters().compilations;
}
/// The n-th call from now fails, n = 1 the next one: allocations as out of memory, compilation as a compile
/// error, others as unknown or internal errors. 0: none will.
inline void fail_call(std::size_t n) {
  const std::lock_guard lock(machine());
  counters().fail_in = n, counters().failed.clear();
}
/// The function that failed by fail_call(); empty: the call is still to come.
inline std::string failed() {
  const std::lock_guard lock(machine());
  return counters().failed;
}
/// From now on every call of the driver returns CUDA_ERROR_ILLEGAL_ADDRESS, as after a fault; until clear().
inline void lose_device() {
  const std::lock_guard lock(machine());
  counters().lost = CUDA_ERROR_ILLEGAL_ADDRESS;
}

/// The kernels (and matrix products, as "cublasLtMatmul") that ran since clear(), replays included.
inline std::vector<std::string> launched() {
  const std::lock_guard lock(machine());
  return counters().launched;
}
inline std::size_t launches() {
  const std::lock_guard lock(machine());
  return counters().launched.size();
}

}  // namespace gradus::test::emulator
