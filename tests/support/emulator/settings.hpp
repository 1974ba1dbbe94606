// SPDX-License-Identifier: MIT
// What a test may choose, and what it may count.
#pragma once

#include <cstddef>
#include <cuda.h>
#include <mutex>
#include <string>
#include <vector>

namespace gradus::test::emulator {

/// The order in which threads, blocks and a graph's nodes run.
enum class Order { forward, reverse, shuffled };

struct Settings {
  bool checks = true;  ///< of kernels compiled from now on; off is several times faster
  Order order = Order::forward;
  std::size_t capacity = std::size_t{2} << 30;  ///< bytes a device
  int devices = 1;                              ///< 0, 1 or 2
  int capability = 90;                          ///< 10 * major + minor
  int driver_version = 0;                       ///< 0: the headers' own
};

/// Takes effect with the next call. Immortal, as all of the emulator: arrays may be freed at exit.
inline Settings& settings() {
  static auto& s = *new Settings;
  return s;
}

/// Since clear().
struct Counters {
  std::size_t compilations = 0;       // by the host's compiler
  std::size_t calls = 0;              // those that can be made to fail
  std::size_t fail_in = 0;            // 1: the next such call fails; 0: none will
  std::string failed;                 // the function whose failure was injected
  CUresult lost = CUDA_SUCCESS;       // else what every call of the driver returns
  std::vector<std::string> launched;  // kernels, in the order in which they ran
};
inline Counters& counters() {
  static auto& c = *new Counters;
  return c;
}

/// Held during each call of the tables and of the interface: the emulator is one machine.
inline std::recursive_mutex& machine() {
  static auto& m = *new std::recursive_mutex;
  return m;
}

}  // namespace gradus::test::emulator
