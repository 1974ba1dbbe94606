// SPDX-License-Identifier: MIT
// Large products by a library, where one is chosen when a program is configured (CMake: GRADUS_BLAS): any
// CBLAS where all units of the program define GRADUS_CBLAS; oneDNN, for float alone, where they define
// GRADUS_DNNL. Where they define neither, this file is empty.
//
// The order of the sums is the library's then, and so are its threads (OMP_NUM_THREADS and the like say how
// many, not set_threads): whether bits depend on M, on N and on the number of threads, it decides.
#pragma once

#if defined(GRADUS_CBLAS) || defined(GRADUS_DNNL)
#include <algorithm>
#include <limits>
#include <type_traits>

#ifdef GRADUS_DNNL
#include <oneapi/dnnl/dnnl.h>
#define GRADUS_GEMM_LIBRARY "oneDNN"
#else
#include <cblas.h>
#define GRADUS_GEMM_LIBRARY "CBLAS"
#endif

#include <gradus/core/parallel.hpp>
#include <gradus/cpu/gemm_packed.hpp>

namespace gradus::cpu::detail {

/// M N K from which a product is the library's. Smaller ones cost OpenBLAS up to a fifth more time than
/// gemm_small and gemm_packed (Zen 5, one thread, float); from here up it and oneDNN are within a tenth.
constexpr Index enough_for_library = Index{1} << 24;

/// A matrix as these libraries know it: rows, or the columns of a transpose, so many numbers apart. 0: it is
/// neither.
struct Stored {
  bool transposed;
  Index apart;
};
template <class T> Stored stored(const Matrix<T>& x, Index rows, Index columns) {
  if (x.column_stride == 1 && x.row_stride >= columns) return {false, x.row_stride};
  return {true, x.row_stride == 1 && x.column_stride >= rows ? x.column_stride : 0};
}

/// C (+)= A·B by the library, or false: it does not serve T, and C is as it was.
template <class T>
bool call_library(T* c, bool add, const T* a, Stored sa, const T* b, Stored sb, Index M, Index N, Index K) {
#ifdef GRADUS_DNNL
  const auto flag = [](Stored s) { return s.transposed ? 'T' : 'N'; };
  if constexpr (std::is_same_v<T, float>)
    return dnnl_sgemm(flag(sa), flag(sb), M, N, K, 1, a, sa.apart, b, sb.apart, T(add), c, N) == dnnl_success;
  else
    return false;
#else
  const auto call = [&](auto gemm) {
    const auto flag = [](Stored s) { return s.transposed ? CblasTrans : CblasNoTrans; };
    const auto size = [](Index n) { return static_cast<int>(n); };
    gemm(CblasRowMajor, flag(sa), flag(sb), size(M), size(N), size(K), T(1), a, size(sa.apart), b,
         size(sb.apart), T(add), c, size(N));
  };
  if constexpr (std::is_same_v<T, float>)
    call(cblas_sgemm);
  else
    call(cblas_dgemm);
  return true;
#endif
}

/// gemm() by the library, or false: that is left to do.
template <class T> bool gemm_library(T* c, bool add, const Matrix<T>& a, const Matrix<T>& b, Index M, Index N,
                                     Index K, Finish<T> finish) {
  if (M * N * K < enough_for_library) return false;
  const Stored sa = stored(a, M, K), sb = stored(b, K, N);
  constexpr Index most = std::numeric_limits<int>::max();
  if (!sa.apart || !sb.apart || std::max({M, N, K, sa.apart, sb.apart}) > most ||
      !call_library(c, add, a.data, sa, b.data, sb, M, N, K))
    return false;
  if (finish.run)
    parallel_for(M, (1 << 14) / N + 1, [&](Index begin, Index end) {
      finish.run(finish.context, c + begin * N, begin, end - begin);
    });
  return true;
}

}  // namespace gradus::cpu::detail
#endif
