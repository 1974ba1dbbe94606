/* SPDX-License-Identifier: MIT */
/* As much of oneDNN as gradus calls. It counts its calls, and refuses what the real one refuses. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern int own_blas_calls, own_blas_is_full; /* full: it has no memory left */

typedef enum { dnnl_success = 0, dnnl_out_of_memory = 1, dnnl_invalid_arguments = 2 } dnnl_status_t;
typedef int64_t dnnl_dim_t;

dnnl_status_t dnnl_sgemm(char op_a, char op_b, dnnl_dim_t M, dnnl_dim_t N, dnnl_dim_t K, float alpha,
                         const float* a, dnnl_dim_t a_apart, const float* b, dnnl_dim_t b_apart, float beta,
                         float* c, dnnl_dim_t c_apart);

#ifdef __cplusplus
}
#endif
