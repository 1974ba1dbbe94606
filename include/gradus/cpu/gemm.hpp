// SPDX-License-Identifier: MIT
// C (+)= A·B
// Strides say where A and B are: a transpose is a swap of strides, no flag. Three roads:
//   gemm_plain    scalars that have no packets: integers, a user's own
//   gemm_small    A stays in L2 and is read in place: thin products, batches of some hundred samples
//   gemm_packed   the rest
// The last two add in one and the same order (gemm_tile.hpp) and use some 90 % of the machine's multiply-adds
// from 256 rows, columns and terms up. Threads take rows or columns of C, never parts of sums.
// Where a program is configured so, a library serves what is large, in its own order (gemm_library.hpp).
#pragma once

#include <algorithm>

#include <gradus/core/parallel.hpp>
#include <gradus/cpu/gemm_library.hpp>
#include <gradus/cpu/gemm_packed.hpp>
#include <gradus/cpu/gemm_small.hpp>
#include <gradus/fwd.hpp>

namespace gradus::cpu {
namespace detail {

template <class T> void gemm_plain(T* c, bool add, Matrix<T> a, Matrix<T> b, Index M, Index N, Index K) {
  for (Index m = 0; m < M; ++m)
    for (Index n = 0; n < N; ++n, ++c) {
      T sum = a(m, 0) * b(0, n);
      for (Index k = 1; k < K; ++k) sum = sum + a(m, k) * b(k, n);
      *c = add ? *c + sum : sum;
    }
}

/// What a thread should have to do at least, in multiply-adds: below some 1 µs waking it costs more than it
/// saves.
constexpr Index enough_work = 1 << 17;
/// To compute so many elements of C: to store and finish one takes as long as 8 multiply-adds.
constexpr Index work_of(Index elements, Index K) { return elements * (K + 8); }

/// A product in parts of B's columns or A's rows, each worth a thread.
template <class T> [[gnu::noinline]] void gemm_parallel(T* c, bool add, Matrix<T> a, Matrix<T> b, Index M,
                                                        Index N, Index K, Finish<T> finish) {
  constexpr Index C = 2 * packet_size<T>, R = 8;
  const bool small = is_small(a, M, N, K);
  if (N > M) {
    parallel_for((N + C - 1) / C, enough_work / work_of(M * C, K) + 1, [&](Index begin, Index end) {
      const Index n = begin * C, columns = std::min(end * C, N) - n;
      if (small)
        gemm_small(c + n, N, add, a, b.from(0, n), M, columns, K);
      else
        gemm_packed(c + n, N, add, a, b.from(0, n), M, columns, K, Finish<T>());
    });
    if (finish.run)
      parallel_for(M, enough_work / work_of(N, 0) + 1, [&](Index begin, Index end) {
        finish.run(finish.context, c + begin * N, begin, end - begin);
      });
  } else if (small) {
    parallel_for((M + R - 1) / R, enough_work / work_of(R * N, K) + 1, [&](Index begin, Index end) {
      const Index m = begin * R, rows = std::min(end * R, M) - m;
      gemm_small(c + m * N, N, add, a.from(m, 0), b, rows, N, K);
      if (finish.run) finish.run(finish.context, c + m * N, m, rows);
    });
  } else {
    gemm_packed(c, N, add, a, b, M, N, K, finish);
  }
}

}  // namespace detail

/// C (+)= A·B: c [M, N] row-major, a [M, K], b [K, N]; `add` adds to what c holds. C must not overlap A or B.
/// K = 0 is a sum of nothing: zeros, or no change when adding. `finish` gets each row of C once.
/// 2 M N K operations; allocates only when a larger size than before needs more work memory.
template <class T>
void gemm(T* c, bool add, Matrix<T> a, Matrix<T> b, Index M, Index N, Index K, Finish<T> finish = {}) {
  if (M <= 0 || N <= 0) return;
  if (K <= 0) {
    if (!add) std::fill_n(c, M * N, T());
  } else if constexpr (!detail::has_packets<T>) {
    detail::gemm_plain(c, add, a, b, M, N, K);
#ifdef GRADUS_GEMM_LIBRARY
  } else if (detail::gemm_library(c, add, a, b, M, N, K, finish)) {
    return;
#endif
  } else if (detail::work_of(M * N, K) > 2 * detail::enough_work || !detail::is_small(a, M, N, K)) {
    return detail::gemm_parallel(c, add, a, b, M, N, K, finish);
  } else {
    detail::gemm_small(c, N, add, a, b, M, N, K);
  }
  if (finish.run) finish.run(finish.context, c, 0, M);
}

}  // namespace gradus::cpu
