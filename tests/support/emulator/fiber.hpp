// SPDX-License-Identifier: MIT
// A thread of a block is a fiber: a stack of its own, entered and left by an ordinary call. A switch takes
// some ns in assembly on x86-64; elsewhere ucontext does it, ten times slower. The sanitizers of a test
// program are told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <utility>

#if !defined(__x86_64__)
#define GRADUS_EMULATOR_UCONTEXT 1
#endif
#ifdef GRADUS_EMULATOR_UCONTEXT
#include <ucontext.h>
#endif
#if defined(__has_feature)
#define GRADUS_EMULATOR_HAS(feature) __has_feature(feature)
#else
#define GRADUS_EMULATOR_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || GRADUS_EMULATOR_HAS(address_sanitizer)
#define GRADUS_EMULATOR_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || GRADUS_EMULATOR_HAS(thread_sanitizer)
#define GRADUS_EMULATOR_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

namespace gradus::test::emulator {

#ifndef GRADUS_EMULATOR_UCONTEXT
/// Keeps what a call must keep, stores the stack's top, and goes on where another stack was left.
[[gnu::naked, gnu::noinline]] inline void switch_stack(void** /*rdi*/, void* /*rsi*/) {
  asm("pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}
#endif

class Fiber {
 public:
  static constexpr std::size_t stack_bytes = std::size_t{64} << 10;

  Fiber() = default;
  Fiber(Fiber&& other) noexcept { swap(other); }
  Fiber& operator=(Fiber&& other) noexcept { return swap(other), *this; }
  ~Fiber() {
    if (stack_) ::munmap(stack_, stack_bytes);
  }

  bool on_stack(const void* p) const { return p >= stack_ && p < stack_ + stack_bytes; }

  /// The next switch to this fiber calls entry, which must never return.
  void start(void (*entry)()) {
    if (!stack_) allocate();
#ifdef GRADUS_EMULATOR_ASAN
    // a fiber that was left for good has left its frames' marks
    __asan_unpoison_memory_region(stack_, stack_bytes);
    asan_bottom_ = stack_, asan_bytes_ = stack_bytes;
#endif
#ifdef GRADUS_EMULATOR_UCONTEXT
    ::getcontext(&context_);
    context_.uc_stack.ss_sp = stack_, context_.uc_stack.ss_size = stack_bytes, context_.uc_link = nullptr;
    ::makecontext(&context_, entry, 0);
#else
    auto* top = reinterpret_cast<void**>(stack_ + stack_bytes - 64);
    *--top = nullptr;  // entry's return address: it has none
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    top_ = top;
#endif
  }

  static void go(Fiber& from, Fiber& to) {
#ifdef GRADUS_EMULATOR_ASAN
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, to.asan_bottom_, to.asan_bytes_);
#endif
#ifdef GRADUS_EMULATOR_TSAN
    if (!from.tsan_) from.tsan_ = __tsan_get_current_fiber();
    if (!to.tsan_) to.tsan_ = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(to.tsan_, 0);
#endif
#ifdef GRADUS_EMULATOR_UCONTEXT
    ::swapcontext(&from.context_, &to.context_);
#else
    switch_stack(&from.top_, to.top_);
#endif
#ifdef GRADUS_EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  }

  /// The first words of an entry: where it was called from.
  static void entered([[maybe_unused]] Fiber& from) {
#ifdef GRADUS_EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &from.asan_bottom_, &from.asan_bytes_);
#endif
  }

 private:
  void allocate() {
    void* const p = ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    stack_ = static_cast<char*>(p);
    ::mprotect(stack_, 4096, PROT_NONE);  // an overflow stops here
  }
  void swap(Fiber& other) noexcept {
    std::swap(stack_, other.stack_);
#ifdef GRADUS_EMULATOR_UCONTEXT
    std::swap(context_, other.context_);
#else
    std::swap(top_, other.top_);
#endif
#ifdef GRADUS_EMULATOR_ASAN
    std::swap(asan_bottom_, other.asan_bottom_);
    std::swap(asan_bytes_, other.asan_bytes_);
#endif
#ifdef GRADUS_EMULATOR_TSAN
    std::swap(tsan_, other.tsan_);
#endif
  }

  char* stack_ = nullptr;
#ifdef GRADUS_EMULATOR_UCONTEXT
  ucontext_t context_{};
#else
  void* top_ = nullptr;
#endif
#ifdef GRADUS_EMULATOR_ASAN
  const void* asan_bottom_ = nullptr;
  std::size_t asan_bytes_ = 0;
#endif
#ifdef GRADUS_EMULATOR_TSAN
  void* tsan_ = nullptr;
#endif
};

}  // namespace gradus::test::emulator
