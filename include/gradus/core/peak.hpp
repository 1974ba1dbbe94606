// SPDX-License-Identifier: MIT
// Multiply-adds on registers alone, timed: what one thread can do at most with each kind of vectors.
#pragma once

#include <algorithm>

#include <gradus/core/parallel.hpp>

namespace gradus::detail {

// Assembly, because a program may ask for instructions that it is not compiled for, and because compilers see
// through loops without a purpose. Twelve independent numbers hide the latency of an operation. All operands of
// an instruction are one register, so that the two dialects (-masm=intel has its own) differ by "%" alone.
#if defined(__x86_64__)
#define GRADUS_REGISTER(kind) " {%%|}" kind "mm\\i"
#define GRADUS_TWICE(kind) GRADUS_REGISTER(kind) "," GRADUS_REGISTER(kind) "\n"
#define GRADUS_THRICE(kind) GRADUS_REGISTER(kind) "," GRADUS_TWICE(kind)
#define GRADUS_MULTIPLY_ADD(clear, instructions, after)                                                 \
  asm volatile(".irp i, 1,2,3,4,5,6,7,8,9,10,11,12\n" clear                                             \
               ".endr\n 2:\n"                                                                           \
               ".irp i, 1,2,3,4,5,6,7,8,9,10,11,12\n" instructions ".endr\n dec %0\n jnz 2b\n " after   \
               : "+r"(rounds)                                                                           \
               :                                                                                        \
               : "cc", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
                 "xmm11", "xmm12")

/// 12 · rounds multiply-adds of vectors of a level (see simd_level), which the processor has.
template <int level> void multiply_add(long rounds) {
  if constexpr (level == 1)
    GRADUS_MULTIPLY_ADD("xorps" GRADUS_TWICE("x"), "mulps" GRADUS_TWICE("x") "addps" GRADUS_TWICE("x"), "");
  else if constexpr (level == 2)
    GRADUS_MULTIPLY_ADD("vxorps" GRADUS_THRICE("x"), "vmulps" GRADUS_THRICE("y") "vaddps" GRADUS_THRICE("y"),
                        "vzeroupper");
  else if constexpr (level == 3)
    GRADUS_MULTIPLY_ADD("vxorps" GRADUS_THRICE("x"), "vfmadd213ps" GRADUS_THRICE("y"), "vzeroupper");
  else
    GRADUS_MULTIPLY_ADD("vxorps" GRADUS_THRICE("x"), "vfmadd213ps" GRADUS_THRICE("z"), "vzeroupper");
}
#undef GRADUS_MULTIPLY_ADD
#undef GRADUS_THRICE
#undef GRADUS_TWICE
#undef GRADUS_REGISTER

/// Operations a second, a multiply-add being two: the best of some tries, as a processor takes a while to
/// reach its clock. Half a millisecond or so.
template <int level> double float_peak() {
  constexpr int lanes[] = {1, 4, 8, 8, 16}, rounds = 2000;
  double least = 1;
  for (int k = 0; k < 100; ++k) {
    const double start = seconds_now();
    multiply_add<level>(rounds);
    least = std::min(least, seconds_now() - start);
  }
  return 2.0 * 12 * rounds * lanes[level] / least;
}
#endif

/// float operations a second of one thread with vectors of a level that the processor has; 0: not known here.
template <int = 0> double float_peak([[maybe_unused]] int level) {
#if defined(__x86_64__)
  double (*const peaks[])() = {nullptr, &float_peak<1>, &float_peak<2>, &float_peak<3>, &float_peak<4>};
  if (level > 0) return peaks[level]();
#endif
  return 0;
}

}  // namespace gradus::detail
