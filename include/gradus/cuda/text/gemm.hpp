// SPDX-License-Identifier: MIT
// C (+)= op(A) · op(B), and F(C + bias) or C · F′(y): tiles of TILE × TILE results, PER × PER a thread, 16
// terms at a time.
#pragma once

namespace gradus::cuda::text {

inline constexpr char gemm[] = R"(
#define PER (TILE / 16)
// terms k0 .. k0 + 15 of TILE rows of op(A), or columns of op(B), as part[term][row]. The threads of a warp
// read neighbours, whichever way the numbers lie.
GRADUS_INLINE void gradus_load(T (*part)[TILE + 1], const Factor* from, Index row0, Index k0, Index rows,
                               Index K, bool terms_side_by_side) {
  for (int e = threadIdx.x; e < TILE * 16; e += 256) {
    const int row = terms_side_by_side ? e / 16 : e % TILE, k = terms_side_by_side ? e % 16 : e / TILE;
    const Index r = row0 + row, c = k0 + k;
    T value = 0;
    if (r < rows && c < K) value = (T)from[terms_side_by_side ? r * K + c : c * rows + r];
    part[k][row] = value;
  }
}
GRADUS_KERNEL
gradus_gemm(Result* C, bool add, const Factor* A, const Factor* B, Index M, Index N, Index K, Index step_a,
            Index step_b, const Result* bias, const Result* slope_at, T* sums, bool add_sums) {
  __shared__ T a[16][TILE + 1], b[16][TILE + 1];
  const Index tiles = (M + TILE - 1) / TILE, m0 = blockIdx.x % tiles * TILE, n0 = blockIdx.x / tiles * TILE;
  const int x = threadIdx.x % 16, y = threadIdx.x / 16;
  A += blockIdx.z * step_a;
  B += blockIdx.z * step_b;
  C += blockIdx.z * M * N;
  T c[PER][PER];
#pragma unroll
  for (int i = 0; i < PER; ++i)
#pragma unroll
    for (int j = 0; j < PER; ++j) c[i][j] = 0;
#if SUMS
  T s[PER];  // of the rows of op(A): by one thread of each, of the blocks of the first columns
#pragma unroll
  for (int i = 0; i < PER; ++i) s[i] = 0;
#endif
  for (Index k0 = 0; k0 < K; k0 += 16) {
    gradus_load(a, A, m0, k0, M, K, !TRANSPOSE_A);
    gradus_load(b, B, n0, k0, N, K, TRANSPOSE_B);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 16; ++k) {
#pragma unroll
      for (int i = 0; i < PER; ++i)
#pragma unroll
        for (int j = 0; j < PER; ++j) c[i][j] = gradus_fma(a[k][y + 16 * i], b[k][x + 16 * j], c[i][j]);
    }
#if SUMS
    if (n0 == 0 && x == 0) {
#pragma unroll
      for (int i = 0; i < PER; ++i)
        for (int k = 0; k < 16; ++k) s[i] += a[k][y + 16 * i];
    }
#endif
    __syncthreads();
  }
#if SUMS
  if (n0 == 0 && x == 0) {
#pragma unroll
    for (int i = 0; i < PER; ++i)
      if (m0 + y + 16 * i < M) gradus_put(sums + m0 + y + 16 * i, add_sums, s[i]);
  }
#endif
#pragma unroll
  for (int i = 0; i < PER; ++i) {
#pragma unroll
    for (int j = 0; j < PER; ++j) {
      const Index m = m0 + y + 16 * i, n = n0 + x + 16 * j;
      if (m < M && n < N) {
        T v = add ? (T)C[m * N + n] + c[i][j] : c[i][j];
        FINISH;
        C[m * N + n] = (Result)v;
      }
    }
  }
}
)";

}  // namespace gradus::cuda::text
