// SPDX-License-Identifier: MIT
// Runs a launch: block after block, on the calling thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/emulator/block.hpp"
#include "tests/support/emulator/watch.hpp"

namespace gradus::test::emulator {

/// 0 … n − 1 in the order of the settings.
inline std::vector<unsigned> numbers(std::size_t n) {
  static auto& random = *new std::minstd_rand(1);
  std::vector<unsigned> all(n);
  for (unsigned i = 0; i < n; ++i) all[i] = i;
  if (settings().order == Order::reverse) std::reverse(all.begin(), all.end());
  if (settings().order == Order::shuffled) std::shuffle(all.begin(), all.end(), random);
  return all;
}

class Processor {
 public:
  struct Shape {
    emulator_index grid{}, block{};
    std::size_t dynamic = 0;  // bytes of shared memory
  };

  /// CUDA_SUCCESS, or the fault at which the launch was given up.
  CUresult launch(Kernel& kernel, int device, const Shape& shape, void** arguments) {
    counters().launched.push_back(kernel.name);
    const emulator_module& parts = kernel.module->parts();
    emulator_seam& seam = *parts.seam;
    const std::size_t threads = std::size_t{shape.block.x} * shape.block.y * shape.block.z;
    connect(seam, shape);
    watch_.begin_launch(kernel, device, dynamic_.get(), shape.dynamic, static_cast<unsigned>(threads));
    const emulator_index& g = shape.grid;
    for (const unsigned number : numbers(std::size_t{g.x} * g.y * g.z)) {
      seam.block = {number % g.x, number / g.x % g.y, number / g.x / g.y};
      watch_.begin_block(number, seam.block);
      std::fill(parts.shared_begin, parts.shared_end, '\xff');
      std::fill_n(dynamic_.get(), shape.dynamic, '\xff');
      if (!block_.run(*kernel.code, arguments, seam, numbers(threads))) break;
    }
    watch_.end_launch();
    return watch_.fault();
  }

  static Processor& get() {
    static auto& p = *new Processor;
    return p;
  }

 private:
  Processor() = default;

  void connect(emulator_seam& seam, const Shape& shape) {
    seam.block_dim = shape.block, seam.grid_dim = shape.grid;
    seam.dynamic_shared = dynamic_.get();
    seam.barrier = [](int vote, int line) { return Block::self().barrier(vote, line); };
    seam.exchange = [](unsigned mask, unsigned long long value, unsigned source, unsigned* ballot, int line) {
      return Block::self().exchange(mask, value, source, ballot, line);
    };
    seam.access = [](const void* p, unsigned long bytes, int kind, const void* site) {
      if (!get().watch_.access(static_cast<const char*>(p), bytes, static_cast<emulator_kind>(kind), site))
        Block::self().stop();
    };
    seam.complain = [](const char* what, long long number, const char* file, unsigned line, int misaligned) {
      get().complain(what, number, file, line);
      if (misaligned) get().watch_.fault(CUDA_ERROR_MISALIGNED_ADDRESS);
      Block::self().stop();
    };
    seam.fence = [] { get().watch_.fence(); };
    seam.trap = [](int line) {
      get().watch_.sight("trap", {nullptr, {}, static_cast<unsigned>(line)}, "__trap()");
      get().watch_.fault(CUDA_ERROR_ILLEGAL_INSTRUCTION);
      Block::self().stop();
    };
  }
  void complain(const char* what, long long number, const char* file, unsigned line) {
    if (!watch_.checks()) return;
    const std::string words = what;
    const std::size_t at = words.find('#');
    watch_.sight(what, {nullptr, file, line}, words.substr(0, at), number, words.substr(at + 1));
  }

  std::unique_ptr<char[]> dynamic_{new char[Watch::dynamic_space]};
  Watch watch_;
  Block block_{watch_};
};

}  // namespace gradus::test::emulator
