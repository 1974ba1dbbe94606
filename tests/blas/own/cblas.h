/* SPDX-License-Identifier: MIT */
/* As much of a CBLAS as gradus calls. It counts its calls, and refuses what a real one refuses. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

extern int own_blas_calls;

typedef enum { CblasRowMajor = 101, CblasColMajor = 102 } CBLAS_LAYOUT;
typedef enum { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 } CBLAS_TRANSPOSE;

void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int M, int N, int K,
                 float alpha, const float* a, int a_apart, const float* b, int b_apart, float beta, float* c,
                 int c_apart);
void cblas_dgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int M, int N, int K,
                 double alpha, const double* a, int a_apart, const double* b, int b_apart, double beta,
                 double* c, int c_apart);

#ifdef __cplusplus
}
#endif
