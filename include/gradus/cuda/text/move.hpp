// SPDX-License-Identifier: MIT
// Kernels that move numbers without computing.
#pragma once

namespace gradus::cuda::text {

inline constexpr char fill[] = R"(
GRADUS_KERNEL gradus_fill(T* y, bool add, Index n, double value) {
  for (Index i = gradus_thread(); i < n; i += gradus_threads()) gradus_put(y + i, add, (T)value);
}
)";

// float32 as bfloat16, array by array; blockIdx.y: which one. Four at a time where the addresses allow it.
inline constexpr char shorten[] = R"(
struct Shortening { const float* from; gradus_bf16* to; Index n; };
struct Shortenings { Shortening array[33]; };
GRADUS_KERNEL gradus_shorten(Shortenings arrays) {
  const Shortening a = arrays.array[blockIdx.y];
  const Index done = (Index)a.from % 16 || (Index)a.to % 8 ? 0 : a.n / 4 * 4;
  for (Index i = gradus_thread(); i < done / 4; i += gradus_threads()) {
    const Four<float> x = ((const Four<float>*)a.from)[i];
    Four<gradus_bf16> y;
#pragma unroll
    for (int k = 0; k < 4; ++k) y.e[k] = x.e[k];
    ((Four<gradus_bf16>*)a.to)[i] = y;
  }
  for (Index i = done + gradus_thread(); i < a.n; i += gradus_threads()) a.to[i] = a.from[i];
}
)";

// y[y_first + Σ place · y_stride] (+)= x[x_first + Σ place · x_stride], loop 0 the innermost: slices, their
// gradients, permuted axes
inline constexpr char strided[] = R"(
struct Loops { Index size[6], y[6], x[6]; };
GRADUS_KERNEL
gradus_strided(T* y, bool add, const T* x, Index n, int rank, Loops loops) {
  for (Index i = gradus_thread(); i < n; i += gradus_threads()) {
    Index rest = i, to = 0, from = 0;
    for (int d = 0; d < rank; ++d) {
      const Index above = rest / loops.size[d], place = rest - above * loops.size[d];
      rest = above;
      to += place * loops.y[d];
      from += place * loops.x[d];
    }
    gradus_put(y + to, add, x[from]);
  }
}
)";

// An index outside 0 to n - 1 is 0 and a complaint: the first place in the upper half, the index in the
// lower.
inline constexpr char complain[] = R"(
struct Complaint { unsigned long long first; Index bound; };
GRADUS_INLINE Index gradus_index(const int* index, Index place, Index n, Complaint* complaint) {
  const int k = index[place];
  if (k >= 0 && k < n) return k;
  atomicMin(&complaint->first, (unsigned long long)place << 32 | (unsigned)k);
  atomicExch((unsigned long long*)&complaint->bound, (unsigned long long)n);
  return 0;
}
)";

// y[o, k, i] = x[o, rows[k], i]; dx[o, rows[k], i] += dy[o, k, i], a thread for each (o, i), in the rows'
// order
inline constexpr char gather[] = R"(
GRADUS_KERNEL
gradus_gather(T* y, bool add, const T* x, Index outer, Index n, Index inner, const int* rows, Index m,
              Complaint* complaint) {
  for (Index e = gradus_thread(); e < outer * m * inner; e += gradus_threads()) {
    const Index i = e % inner, k = e / inner % m, o = e / inner / m;
    gradus_put(y + e, add, x[(o * n + gradus_index(rows, k, n, complaint)) * inner + i]);
  }
}
GRADUS_KERNEL
gradus_scatter_add(T* dx, const T* dy, Index outer, Index n, Index inner, const int* rows, Index m,
                   Complaint* complaint) {
  for (Index r = gradus_thread(); r < outer * inner; r += gradus_threads()) {
    const Index i = r % inner, o = r / inner;
    for (Index k = 0; k < m; ++k)
      dx[(o * n + gradus_index(rows, k, n, complaint)) * inner + i] += dy[(o * m + k) * inner + i];
  }
}
// to[k] = from[rows[k]] in words of 16, 4 or 1 bytes, array by array; blockIdx.y: which one
struct Rows { unsigned char* to; const unsigned char* from; Index bytes; };
struct Arrays { Rows array[8]; };
template <class W> GRADUS_INLINE void gradus_copy_rows(const Rows& a, const int* rows, Index m) {
  const Index words = a.bytes / sizeof(W);
  for (Index e = gradus_thread(); e < m * words; e += gradus_threads())
    ((W*)a.to)[e] = ((const W*)a.from)[rows[e / words] * words + e % words];
}
GRADUS_KERNEL
gradus_gather_rows(Arrays arrays, const int* rows, Index m) {
  const Rows a = arrays.array[blockIdx.y];
  const Index together = (Index)a.to | (Index)a.from | a.bytes;
  if (together % 16 == 0)
    gradus_copy_rows<Four<unsigned> >(a, rows, m);
  else if (together % 4 == 0)
    gradus_copy_rows<unsigned>(a, rows, m);
  else
    gradus_copy_rows<unsigned char>(a, rows, m);
}
GRADUS_KERNEL
gradus_one_hot(T* y, bool add, const int* labels, Index rows, Index classes, Complaint* complaint) {
  for (Index e = gradus_thread(); e < rows * classes; e += gradus_threads())
    gradus_put(y + e, add,
               gradus_index(labels, e / classes, classes, complaint) == e % classes ? (T)1 : (T)0);
}
)";

}  // namespace gradus::cuda::text
