// SPDX-License-Identifier: MIT
// Memory that arrays share (counted blocks from a pool) and memory that lives for one step (arenas).
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <new>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <gradus/core/device.hpp>
#include <gradus/fwd.hpp>

namespace gradus::detail {

constexpr std::size_t alignment = 64;  // a cache line, and the widest register of today's processors
constexpr std::size_t round_up(std::size_t n, std::size_t to = alignment) { return (n + to - 1) / to * to; }

/// Held for a few instructions only, so waiting is spinning.
class SpinLock {
 public:
  void lock() {
    while (flag_.test_and_set(std::memory_order_acquire)) {}
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_{};
};
struct SpinGuard {
  explicit SpinGuard(SpinLock& l) : lock(l) { lock.lock(); }
  ~SpinGuard() { lock.unlock(); }
  SpinGuard(const SpinGuard&) = delete;
  SpinLock& lock;
};

/// A counted owner of memory. How it was had decides how it is released.
struct Block {
  void (*release)(Block*);
  void* data;
  std::atomic<std::int64_t> owners{1};
  std::size_t bytes = 0;
  Device device = {};
  Block* next = nullptr;  // in the list of its pool or arena
  bool borrowed = false;  // from somebody who may write to it: read-only, however few share it
};

/// No other thread has been started yet: counting needs no locked instruction, which costs as much as a small
/// kernel.
inline bool single_threaded() {
#if defined(__GLIBC__) && __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}
inline void retain(Block* b) {
  if (!b) return;
  if (single_threaded())
    b->owners.store(b->owners.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  else
    b->owners.fetch_add(1, std::memory_order_relaxed);
}
inline void drop(Block* b) {
  if (!b) return;
  std::int64_t before;
  if (single_threaded()) {
    before = b->owners.load(std::memory_order_relaxed);
    b->owners.store(before - 1, std::memory_order_relaxed);
  } else {
    before = b->owners.fetch_sub(1, std::memory_order_acq_rel);
  }
  if (before == 1) b->release(b);
}

/// Blocks of host memory by size class, four classes an octave (at most a quarter is wasted). What comes back
/// is kept for the next request: after warm-up neither inference nor training asks the system for memory.
/// Never destroyed, so that arrays of static storage duration may outlive everything else.
class BlockPool {
 public:
  static BlockPool& instance() {
    static BlockPool& pool = *new BlockPool;
    return pool;
  }

  Block* get(std::size_t bytes) {
    const int c = size_class(bytes);
    if (c < classes) {
      SpinGuard guard(lock_);
      if (Block* b = free_[c]) {
        free_[c] = b->next;
        b->owners.store(1, std::memory_order_relaxed);
        return b;
      }
    }
    return c < classes ? make(class_size(c), &put) : apart(bytes);
  }
  /// A block that goes back to the system.
  static Block* apart(std::size_t bytes) { return make(round_up(bytes), &free_now); }

 private:
  // The payload begins a cache line after the header, whose counter other threads write.
  static constexpr std::size_t header = round_up(sizeof(Block));
  static constexpr int classes =
      4 * 20;  // up to 64 B · 2²⁰ = 64 MB; larger blocks go back to the system at once

  static constexpr std::size_t class_size(int c) {
    return (alignment << (c / 4)) / 4 * std::size_t(4 + c % 4);
  }
  static constexpr int size_class(std::size_t bytes) {
    if (bytes <= alignment) return 0;
    const int octave = int(std::bit_width((bytes - 1) / alignment)) - 1;  // 2^octave ≤ (bytes − 1)/64
    const std::size_t base = alignment << octave;
    return 4 * octave + int((bytes - base + base / 4 - 1) / (base / 4));
  }
  static Block* make(std::size_t size, void (*release)(Block*)) {
    char* p = static_cast<char*>(::operator new(header + size, std::align_val_t(alignment)));
    return new (p) Block{release, p + header, 1, size};
  }
  static void put(Block* b) {
    BlockPool& pool = instance();
    SpinGuard guard(pool.lock_);
    Block*& head = pool.free_[size_class(b->bytes)];
    b->next = head;
    head = b;
  }
  static void free_now(Block* b) {
    b->~Block();
    ::operator delete(static_cast<void*>(b), std::align_val_t(alignment));
  }

  SpinLock lock_;
  Block* free_[classes] = {};
};

inline Block* allocate(Device device, std::size_t bytes) {
  if (device.is_cpu()) return BlockPool::instance().get(bytes);
  void* data = device.backend().allocate(bytes);
  const auto release = [](Block* b) {
    b->device.backend().release(b->data, b->bytes);
    delete b;
  };
  return new Block{release, data, 1, bytes, device};
}

/// A share of a block; empty: memory that somebody else keeps alive.
class Share {
 public:
  constexpr Share() = default;
  explicit Share(Block* owned) : block_(owned) {}
  Share(const Share& o) : block_(o.block_) { retain(block_); }
  Share(Share&& o) noexcept : block_(o.block_) { o.block_ = nullptr; }
  Share& operator=(Share o) noexcept {
    Block* const mine = block_;
    block_ = o.block_, o.block_ = mine;
    return *this;
  }
  ~Share() { drop(block_); }
  Block* get() const { return block_; }
  /// 0: the memory is borrowed.
  std::int64_t owners() const {
    return block_ && !block_->borrowed ? block_->owners.load(std::memory_order_acquire) : 0;
  }

 private:
  Block* block_ = nullptr;
};

template <class T> void zero(T* data, Index n, Device device) {
  if (device.is_cpu())
    for (Index i = 0; i < n; ++i) data[i] = T(0);
  else
    device.backend().zero(data, std::size_t(n) * sizeof(T));
}
inline void copy_bytes(Device to_device, void* to, Device from_device, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  if (to_device.is_cpu() && from_device.is_cpu())
    __builtin_memcpy(to, from, bytes);
  else if (to_device.is_cpu())
    from_device.backend().download(to, from, bytes);
  else if (from_device.is_cpu())
    to_device.backend().upload(to, from, bytes);
  else if (to_device == from_device)
    to_device.backend().copy(to, from, bytes);
  else {
    const Share host(allocate({}, bytes));
    from_device.backend().download(host.get()->data, from, bytes);
    to_device.backend().upload(to, host.get()->data, bytes);
  }
}

/// A bump allocator: what a step takes is given back all at once, in O(1). After the first steps it is one
/// chunk, and takes nothing more from the system. Addresses repeat from step to step. The chunk has an eighth
/// more than the step that it was made after: where each step takes a bit more than the last, it is made anew
/// once in an eighth, not in every step.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  ~Arena() { release_all(); }

  void* get(std::size_t bytes) {
    bytes = round_up(bytes + (bytes == 0));  // an address even for nothing: a sink without one is unwanted
    if (bytes > std::size_t(end_ - at_)) [[unlikely]]
      grow(bytes);
    char* const taken = at_;
    at_ += bytes;
    return taken;
  }

  void clear() {
    if (!chunks_) return;
    if (chunks_->next) [[unlikely]] {  // one chunk in place of all of them
      const std::size_t all = taken();
      release_all();
      grow(round_up(all + all / 8));
    }
    at_ = static_cast<char*>(chunks_->data);
  }

  /// Moves an empty arena to a device.
  void set_device(Device device) {
    if (device == device_) return;
    release_all();
    device_ = device;
  }

 private:
  [[gnu::noinline]] void grow(std::size_t bytes) {
    const std::size_t doubled = chunks_ ? 2 * chunks_->bytes : 4096;
    full_ = taken();
    const std::size_t size = bytes > doubled ? bytes : doubled;
    Block* const chunk = device_.is_cpu() ? BlockPool::apart(size) : allocate(device_, size);
    chunk->next = chunks_;
    chunks_ = chunk;
    at_ = static_cast<char*>(chunk->data);
    end_ = at_ + chunk->bytes;
  }
  std::size_t taken() const {
    return full_ + (chunks_ ? std::size_t(at_ - static_cast<char*>(chunks_->data)) : 0);
  }
  void release_all() {
    while (Block* const chunk = chunks_) chunks_ = chunk->next, drop(chunk);
    at_ = end_ = nullptr, full_ = 0;
  }

  char *at_ = nullptr, *end_ = nullptr;
  Block* chunks_ = nullptr;  // the newest first
  std::size_t full_ = 0;     // bytes taken of those behind it
  Device device_;
};

}  // namespace gradus::detail
