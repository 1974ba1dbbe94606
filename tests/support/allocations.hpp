// SPDX-License-Identifier: MIT
// Counts what a program asks of the heap, malloc included (Eigen's products call it unseen by operator new).
// It defines malloc and its kin: include it in exactly one file of a program. Under a sanitizer, which
// defines them itself, and without glibc nothing is counted.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define GRADUS_TEST_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GRADUS_TEST_COUNTS 0
#endif
#endif
#ifndef GRADUS_TEST_COUNTS
#define GRADUS_TEST_COUNTS 1
#endif

namespace gradus::test {

inline constexpr bool counts_allocations = GRADUS_TEST_COUNTS;
inline std::atomic<long> allocation_count{0}, allocated_bytes{0};

inline void count(std::size_t bytes) { ++allocation_count, allocated_bytes += static_cast<long>(bytes); }

/// The allocations, of any size and thread, while f runs. operator new calls malloc, so each counts once.
template <class F> long allocations(F&& f) {
  const long before = allocation_count.load();
  f();
  return allocation_count.load() - before;
}

}  // namespace gradus::test

#if GRADUS_TEST_COUNTS
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) noexcept { return gradus::test::count(n), __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) noexcept {
  return gradus::test::count(n * size), __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n) noexcept { return gradus::test::count(n), __libc_realloc(p, n); }
void* memalign(std::size_t to, std::size_t n) noexcept {
  return gradus::test::count(n), __libc_memalign(to, n);
}
void* aligned_alloc(std::size_t to, std::size_t n) noexcept { return memalign(to, n); }
int posix_memalign(void** p, std::size_t to, std::size_t n) noexcept {
  return (*p = memalign(to, n)) ? 0 : ENOMEM;
}
}
#endif
