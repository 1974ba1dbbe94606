// SPDX-License-Identifier: MIT
// What every kernel's text begins with. Include-free CUDA C++ that NVRTC, nvcc and (for tests) g++ accept.
#pragma once

namespace gradus::cuda::text {

inline constexpr char common[] = R"(
#ifndef GRADUS_EMULATED
#define GRADUS_DYNAMIC_SHARED(type, name)                        \
  extern __shared__ __align__(16) unsigned char gradus_dynamic[]; \
  type* name = reinterpret_cast<type*>(gradus_dynamic)
#endif
#define GRADUS_INLINE static __device__ __forceinline__
// BLOCKS: of which a multiprocessor must have room. Without it the compiler spills to have room for more.
#define GRADUS_KERNEL extern "C" __global__ void __launch_bounds__(256, BLOCKS)
typedef long long Index;

// the larger one; NaN if either is NaN, as on the CPU
template <class T> GRADUS_INLINE T gradus_max(T a, T b) { return a > b ? a : (a != a ? a : b); }
template <class T> GRADUS_INLINE T gradus_min(T a, T b) { return a < b ? a : (a != a ? a : b); }
template <class T> GRADUS_INLINE void gradus_put(T* to, bool add, T value) {
  *to = add ? *to + value : value;
}
// the upper half of a float, rounded to the nearest, ties to even
struct gradus_bf16 {
  unsigned short bits;
  gradus_bf16() = default;
  __device__ gradus_bf16(float x) {
    const unsigned u = __float_as_uint(x);
    bits = (unsigned short)(x != x ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
  __device__ operator float() const { return __uint_as_float((unsigned)bits << 16); }
};
GRADUS_INLINE float gradus_fma(float a, float b, float c) { return fmaf(a, b, c); }
GRADUS_INLINE double gradus_fma(double a, double b, double c) { return fma(a, b, c); }

// four neighbours as one access
template <class E> struct alignas(4 * sizeof(E)) Four { E e[4]; };

// this thread's place among all of a one-dimensional grid, and their number
GRADUS_INLINE Index gradus_thread() { return (Index)blockIdx.x * blockDim.x + threadIdx.x; }
GRADUS_INLINE Index gradus_threads() { return (Index)gridDim.x * blockDim.x; }
)";

}  // namespace gradus::cuda::text
