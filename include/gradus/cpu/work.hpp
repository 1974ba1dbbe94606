// SPDX-License-Identifier: MIT
// Memory that a kernel works in: each thread has its own, and keeps it for the next kernel.
#pragma once

#include <cstddef>
#include <new>

#include <gradus/fwd.hpp>

namespace gradus::cpu::detail {

/// 64-byte aligned, and it only grows.
struct Work {
  void* memory;
  std::size_t size;
};
inline constinit thread_local Work work_slots[2] = {};
struct WorkEnd {  // apart from the slots, so that other thread_locals may still multiply while they are
                  // destroyed
  ~WorkEnd() {
    for (Work& slot : work_slots) ::operator delete(slot.memory, std::align_val_t(64)), slot = {};
  }
};
[[gnu::noinline]] inline void* grow(Work& slot, std::size_t size) {
  thread_local WorkEnd end;
  static_cast<void>(&end);  // so that it exists, and is destroyed
  ::operator delete(slot.memory, std::align_val_t(64));
  slot = {};
  slot.memory = ::operator new(size, std::align_val_t(64));
  slot.size = size;
  return slot.memory;
}
/// Room for n numbers, with whatever is in it. A kernel has two such slots: the GEMM for packed B and packed
/// A, softmax for a row and its powers. Who asks for a slot again may find it moved.
template <class T> T* work(int slot, Index n) {
  Work& w = work_slots[slot];
  const auto size = static_cast<std::size_t>(n) * sizeof(T);
  return static_cast<T*>(size <= w.size ? w.memory : grow(w, size));
}

}  // namespace gradus::cpu::detail
