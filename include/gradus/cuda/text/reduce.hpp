// SPDX-License-Identifier: MIT
// Reductions. LANES threads have a group of numbers together: 1 (neighbouring groups lie side by side), 32 (a
// warp) or 256 (a block). Sums are trees of one shape whatever the grid: the same bits each time.
#pragma once

namespace gradus::cuda::text {

inline constexpr char lanes[] = R"(
#define ALL 0xffffffffu
GRADUS_INLINE T gradus_warp_sum(T v) {
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(ALL, v, d);
  return v;
}
// every thread of the block must call it
static __device__ T gradus_block_sum(T v) {
  __shared__ T warps[8];
  v = gradus_warp_sum(v);
  __syncthreads();  // the block may still be reading what the last call has left
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = v;
  __syncthreads();
  T s = warps[0];
  for (int w = 1; w < 8; ++w) s += warps[w];
  return s;
}
#if LANES == 256
GRADUS_INLINE T gradus_lanes_sum(T v) { return gradus_block_sum(v); }
#elif LANES == 32
GRADUS_INLINE T gradus_lanes_sum(T v) { return gradus_warp_sum(v); }
#else
GRADUS_INLINE T gradus_lanes_sum(T v) { return v; }
#endif

// NaN beats all: it must not vanish. Of equals, the first.
GRADUS_INLINE bool gradus_beats(T a, T b) { return (LARGEST ? a > b : a < b) || (a != a && b == b); }
struct Extreme { T value; int place; };
GRADUS_INLINE void gradus_meet(Extreme& a, T value, int place) {
  const bool wins = gradus_beats(value, a.value) || (!gradus_beats(a.value, value) && place < a.place);
  if (place >= 0 && (a.place < 0 || wins)) { a.value = value; a.place = place; }
}
GRADUS_INLINE Extreme gradus_warp_extreme(Extreme a) {
  for (int d = 16; d > 0; d /= 2) {
    const T value = __shfl_xor_sync(ALL, a.value, d);
    const int place = __shfl_xor_sync(ALL, a.place, d);
    gradus_meet(a, value, place);
  }
  return a;
}
// of x[0], x[stride] …, n of them; the same in all lanes
#if LANES == 256
static __device__ Extreme gradus_extreme(const T* x, Index n, Index stride) {
  __shared__ T values[8];
  __shared__ int places[8];
  Extreme a = {0, -1};
  for (Index k = threadIdx.x; k < n; k += LANES) gradus_meet(a, x[k * stride], (int)k);
  a = gradus_warp_extreme(a);
  __syncthreads();
  if (threadIdx.x % 32 == 0) { values[threadIdx.x / 32] = a.value; places[threadIdx.x / 32] = a.place; }
  __syncthreads();
  for (int w = 0; w < 8; ++w) gradus_meet(a, values[w], places[w]);
  return a;
}
#else
GRADUS_INLINE Extreme gradus_extreme(const T* x, Index n, Index stride) {
  Extreme a = {0, -1};
  for (Index k = threadIdx.x % LANES; k < n; k += LANES) gradus_meet(a, x[k * stride], (int)k);
#if LANES == 32
  a = gradus_warp_extreme(a);
#endif
  return a;
}
#endif

// for every group (o, i) of x [outer, n, inner]; `at` is where its first number is
#define GRADUS_EACH_GROUP                                                                        \
  const Index groups = outer * inner, lane = threadIdx.x % LANES;                                \
  for (Index r = gradus_thread() / LANES; r < groups; r += gradus_threads() / LANES)
#define GRADUS_AT (r / inner * n * inner + r % inner)
)";

// y[o, p, i] = scale · Σ x[o, k, i] over part p of the k
inline constexpr char sum[] = R"(
GRADUS_KERNEL
gradus_sum(T* y, bool add, const Given* x, Index outer, Index n, Index inner, Index part, Index parts, T scale) {
  const Index groups = outer * parts * inner, lane = threadIdx.x % LANES;
  for (Index r = gradus_thread() / LANES; r < groups; r += gradus_threads() / LANES) {
    const Index i = r % inner, p = r / inner % parts, o = r / inner / parts;
    const Index first = p * part, last = first + part < n ? first + part : n;
    T s = (T)-0.0;  // -0 + x is x, -0 too
    for (Index k = first + lane; k < last; k += LANES) s += (T)x[(o * n + k) * inner + i];
    s = gradus_lanes_sum(s);
    if (lane == 0) gradus_put(y + r, add, scale * s);
  }
}
)";

// y = scale · Σ parts, once each block has written its own: by the last block to come, in the order of the
// parts. `counter` is 0 before and after.
inline constexpr char last_block[] = R"(
static __device__ void gradus_sum_parts(T* y, bool add, T scale, const T* parts, Index n, unsigned* counter) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(counter, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  T s = (T)-0.0;
  for (Index i = threadIdx.x; i < n; i += 256) s += parts[i];
  s = gradus_block_sum(s);
  if (threadIdx.x == 0) gradus_put(y, add, scale * s);
}
)";

// y = scale · Σ F(x…), and with slopes dx = G(x…): the parts around the formulas' calls
inline constexpr char sum_all_begin[] = R"() {
  for (Index p = blockIdx.x; p < parts; p += gridDim.x) {
    const Index first = p * part, last = first + part < n ? first + part : n;
    T s = (T)-0.0;
    for (Index i = first + threadIdx.x; i < last; i += 256) {
      T v;
      )";
inline constexpr char sum_all_slope[] = R"(;
      s += v;
      if (dx) {
        )";
inline constexpr char sum_all_store[] = R"(;
        dx[i] = v;
      }
    }
)";
inline constexpr char sum_all_end[] = R"(
    s = gradus_block_sum(s);
    if (threadIdx.x == 0) partial[p] = s;
  }
  gradus_sum_parts(y, add, scale, partial, parts, counter);
}
)";

inline constexpr char extreme[] = R"(
GRADUS_KERNEL
gradus_extreme_value(T* y, bool add, const T* x, Index outer, Index n, Index inner) {
  GRADUS_EACH_GROUP {
    const Extreme a = gradus_extreme(x + GRADUS_AT, n, inner);
    if (lane == 0) gradus_put(y + r, add, a.value);
  }
}
GRADUS_KERNEL
gradus_extreme_place(int* y, bool add, const T* x, Index outer, Index n, Index inner) {
  GRADUS_EACH_GROUP {
    const Extreme a = gradus_extreme(x + GRADUS_AT, n, inner);
    if (lane == 0) gradus_put(y + r, add, a.place);
  }
}
// equal extremes share the gradient
GRADUS_KERNEL
gradus_extreme_slope(T* dx, bool add, const T* x, const T* y, const T* dy, Index outer, Index n,
                     Index inner) {
  GRADUS_EACH_GROUP {
    const Index at = GRADUS_AT;
    T count = 0;
    for (Index k = lane; k < n; k += LANES) count += x[at + k * inner] == y[r] ? (T)1 : (T)0;
    count = gradus_lanes_sum(count);
    for (Index k = lane; k < n; k += LANES)
      gradus_put(dx + at + k * inner, add, x[at + k * inner] == y[r] ? dy[r] / count : (T)0);
  }
}
)";

}  // namespace gradus::cuda::text
