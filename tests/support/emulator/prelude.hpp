// SPDX-License-Identifier: MIT
// The text that stands before kernel text when the host's compiler compiles it: CUDA's words in plain C++. No
// include in it, so a module takes 0.1 s.
#pragma once

#include <functional>
#include <string>

#include "tests/support/emulator/prelude_numbers.hpp"
#include "tests/support/emulator/prelude_threads.hpp"
#include "tests/support/emulator/seam.hpp"

namespace gradus::test::emulator {

// The seam is a constant to kernels: the compiler then neither reports reads of it to the checker nor repeats
// them.
inline constexpr const char* prelude_words = R"(
#define GRADUS_EMULATED 1
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
#define EMULATOR_RAW __attribute__((no_sanitize("thread"), noinline))
#define EMULATOR_HIDDEN __attribute__((visibility("hidden")))
extern "C" {
emulator_seam emulator_the_seam;
extern const emulator_seam emulator_view __asm__("emulator_the_seam");
extern EMULATOR_HIDDEN __attribute__((weak)) char __start_emulator_shared, __stop_emulator_shared;
extern EMULATOR_HIDDEN char __ehdr_start, _end;
emulator_module emulator_the_module = {EMULATOR_VERSION, &emulator_the_seam, &__start_emulator_shared,
                                       &__stop_emulator_shared, &__ehdr_start, &_end, EMULATOR_CHECKED};
}
#define threadIdx (emulator_view.thread)
#define blockIdx (emulator_view.block)
#define blockDim (emulator_view.block_dim)
#define gridDim (emulator_view.grid_dim)
#define warpSize 32
#define __global__ __attribute__((noinline, emulator_kernel))
#define __launch_bounds__(...) __attribute__((emulator_bounds(__VA_ARGS__)))
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static __attribute__((section("emulator_shared")))
#define GRADUS_DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(emulator_view.dynamic_shared)
)";

// Behind the kernels: a table entry for each, whose run() unpacks cuLaunchKernel's array of pointers.
inline constexpr const char* prelude_kernels = R"(
template <unsigned... I> struct emulator_list {};
template <unsigned N, unsigned... I> struct emulator_numbers : emulator_numbers<N - 1, N - 1, I...> {};
template <unsigned... I> struct emulator_numbers<0, I...> { typedef emulator_list<I...> type; };
template <class F> struct emulator_signature;
template <class... A> struct emulator_signature<void(A...)> {
  static constexpr unsigned count = sizeof...(A);
  static constexpr unsigned sizes[] = {sizeof(A)..., 0}, alignments[] = {alignof(A)..., 1};
  template <void (*kernel)(A...), unsigned... I>
  EMULATOR_RAW static void call(void** a, emulator_list<I...>) {
    kernel(*static_cast<A*>(a[I])...); }
  template <void (*kernel)(A...)> EMULATOR_RAW static void run(void** a) {
    call<kernel>(a, typename emulator_numbers<count>::type{}); }
};
constexpr unsigned emulator_first(unsigned n = 0, ...) { return n; }
)";

/// Kernels that another emulator has compiled, found in a cache, must not be loaded.
inline std::size_t prelude_version() {
  std::string all = seam_text;
  for (const char* part :
       {prelude_words, prelude_threads, prelude_numbers, prelude_math, prelude_checks, prelude_kernels})
    all += part;
  return std::hash<std::string>{}(all);
}

/// A whole translation unit. The kernels stand in a namespace without a name, so that shared variables of
/// templates and inline functions can have their section.
inline std::string with_prelude(const std::string& name, const std::string& text) {
  std::string all = std::string(seam_text) + "\n";
  for (const char* part : {prelude_words, prelude_threads, prelude_numbers, prelude_math, prelude_checks})
    all += part;
  return all + "namespace {\n#line 1 \"" + name + "\"\n" + text + "\n}\n#line 1 \"emulator\"\n" +
         prelude_kernels;
}

}  // namespace gradus::test::emulator
