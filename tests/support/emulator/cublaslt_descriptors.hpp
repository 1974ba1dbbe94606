// SPDX-License-Identifier: MIT
// cublasLt's descriptors of products, matrices and preferences.
#pragma once

#include <cstdint>
#include <cstring>
#include <cublasLt.h>

#include "tests/support/emulator/cublaslt_problem.hpp"
#include "tests/support/emulator/findings.hpp"

namespace gradus::test::emulator {

inline MatmulDescription& description(cublasLtMatmulDesc_t d) {
  return *reinterpret_cast<MatmulDescription*>(d);
}
inline MatrixLayout& layout(cublasLtMatrixLayout_t l) { return *reinterpret_cast<MatrixLayout*>(l); }
inline MatmulPreference& preference(cublasLtMatmulPreference_t p) {
  return *reinterpret_cast<MatmulPreference*>(p);
}

/// An attribute of a descriptor. The caller's size must be the field's.
template <class T> cublasStatus_t assign(T& field, const void* value, std::size_t bytes) {
  if (!value || bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t unknown_attribute(const char* who, int attribute) {
  found(who, ": the emulator does not know attribute ", attribute);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}

inline cublasStatus_t matmul_desc_create(cublasLtMatmulDesc_t* result, cublasComputeType_t compute,
                                         cudaDataType_t scale) {
  *result = reinterpret_cast<cublasLtMatmulDesc_t>(new MatmulDescription{.compute = compute, .scale = scale});
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t matmul_desc_destroy(cublasLtMatmulDesc_t d) {
  delete &description(d);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t matmul_desc_set_attribute(cublasLtMatmulDesc_t handle,
                                                cublasLtMatmulDescAttributes_t attribute, const void* value,
                                                std::size_t bytes) {
  MatmulDescription& d = description(handle);
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
      return assign(d.compute, value, bytes);
    case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
      return assign(d.scale, value, bytes);
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
      return assign(d.pointer_mode, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return assign(d.transpose_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return assign(d.transpose_b, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSC:
      return assign(d.transpose_c, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return assign(d.epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return assign(d.bias, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE:
      return assign(d.bias_batch_stride, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return assign(d.bias_type, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER:
      return assign(d.aux, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD:
      return assign(d.aux_ld, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE:
      return assign(d.aux_batch_stride, value, bytes);
    case CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET:
      return assign(d.sm_count, value, bytes);
    default:
      return unknown_attribute("cublasLtMatmulDescSetAttribute", static_cast<int>(attribute));
  }
}

inline cublasStatus_t matrix_layout_create(cublasLtMatrixLayout_t* result, cudaDataType_t type,
                                           std::uint64_t rows, std::uint64_t cols, std::int64_t ld) {
  auto* const l = new MatrixLayout;
  l->type = static_cast<std::uint32_t>(type), l->rows = rows, l->cols = cols, l->ld = ld;
  *result = reinterpret_cast<cublasLtMatrixLayout_t>(l);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t matrix_layout_destroy(cublasLtMatrixLayout_t l) {
  delete &layout(l);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t matrix_layout_set_attribute(cublasLtMatrixLayout_t handle,
                                                  cublasLtMatrixLayoutAttribute_t attribute,
                                                  const void* value, std::size_t bytes) {
  MatrixLayout& l = layout(handle);
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_TYPE:
      return assign(l.type, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_ORDER:
      return assign(l.order, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_ROWS:
      return assign(l.rows, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_COLS:
      return assign(l.cols, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_LD:
      return assign(l.ld, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return assign(l.batch, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return assign(l.batch_stride, value, bytes);
    default:
      return unknown_attribute("cublasLtMatrixLayoutSetAttribute", static_cast<int>(attribute));
  }
}

inline cublasStatus_t preference_create(cublasLtMatmulPreference_t* result) {
  *result = reinterpret_cast<cublasLtMatmulPreference_t>(new MatmulPreference);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t preference_destroy(cublasLtMatmulPreference_t p) {
  delete &preference(p);
  return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t preference_set_attribute(cublasLtMatmulPreference_t handle,
                                               cublasLtMatmulPreferenceAttributes_t attribute,
                                               const void* value, std::size_t bytes) {
  MatmulPreference& p = preference(handle);
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_SEARCH_MODE:
      return assign(p.search_mode, value, bytes);
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return assign(p.most_workspace, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return assign(p.reduction_schemes, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return assign(p.alignment[0], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return assign(p.alignment[1], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return assign(p.alignment[2], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return assign(p.alignment[3], value, bytes);
    case CUBLASLT_MATMUL_PREF_MAX_WAVES_COUNT:
      return assign(p.most_waves, value, bytes);
    case CUBLASLT_MATMUL_PREF_IMPL_MASK:
      return assign(p.implementations, value, bytes);
    default:
      return unknown_attribute("cublasLtMatmulPreferenceSetAttribute", static_cast<int>(attribute));
  }
}

}  // namespace gradus::test::emulator
