// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cblas.h>
#include <cstdio>
#include <cstdlib>
#include <oneapi/dnnl/dnnl.h>

int own_blas_calls = 0, own_blas_is_full = 0;

namespace {

/// C = A·B + beta C, all by rows, or of A and B the transposes.
template <class T> void product(bool fits, bool turn_a, bool turn_b, long M, long N, long K, T alpha,
                                const T* a, long a_apart, const T* b, long b_apart, T beta, T* c,
                                long c_apart) {
  ++own_blas_calls;
  if (!fits || M < 1 || N < 1 || K < 1 || a_apart < (turn_a ? M : K) || b_apart < (turn_b ? K : N) ||
      c_apart < N || alpha != 1 || (beta != 0 && beta != 1)) {
    std::fputs("gemm: a parameter had an illegal value\n", stderr);
    std::abort();
  }
  for (long m = 0; m < M; ++m, c += c_apart) {
    if (beta == 0) std::fill_n(c, N, T());
    for (long k = 0; k < K; ++k) {
      const T factor = turn_a ? a[k * a_apart + m] : a[m * a_apart + k];
      const T* const row = turn_b ? b + k : b + k * b_apart;
      for (long n = 0; n < N; ++n) c[n] += factor * row[turn_b ? n * b_apart : n];
    }
  }
}

}  // namespace

void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int M, int N, int K,
                 float alpha, const float* a, int a_apart, const float* b, int b_apart, float beta, float* c,
                 int c_apart) {
  product(layout == CblasRowMajor, op_a == CblasTrans, op_b == CblasTrans, M, N, K, alpha, a, a_apart, b,
          b_apart, beta, c, c_apart);
}

void cblas_dgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int M, int N, int K,
                 double alpha, const double* a, int a_apart, const double* b, int b_apart, double beta,
                 double* c, int c_apart) {
  product(layout == CblasRowMajor, op_a == CblasTrans, op_b == CblasTrans, M, N, K, alpha, a, a_apart, b,
          b_apart, beta, c, c_apart);
}

dnnl_status_t dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                         const float* a, dnnl_dim_t a_apart, const float* b, dnnl_dim_t b_apart, float beta,
                         float* c, dnnl_dim_t c_apart) {
  if (own_blas_is_full) return dnnl_out_of_memory;
  product(true, op_a == 'T', op_b == 'T', M, N, K, alpha, a, a_apart, b, b_apart, beta, c, c_apart);
  return dnnl_success;
}
