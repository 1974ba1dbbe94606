// SPDX-License-Identifier: MIT
// What a matrix product is asked to be, as cublasLt's descriptors say it, and what the real library would
// refuse.
#pragma once

#include <cstdint>
#include <cstring>
#include <cublasLt.h>
#include <functional>
#include <string>

#include <gradus/core/error.hpp>

namespace gradus::test::emulator {

struct MatmulDescription {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  std::int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  std::int32_t transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N, transpose_c = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  void* bias = nullptr;
  std::int64_t bias_batch_stride = 0;
  std::int32_t bias_type = -1;  // −1: as D
  void* aux = nullptr;
  std::int64_t aux_ld = 0, aux_batch_stride = 0;  // in bits
  std::int32_t sm_count = 0;
};

struct MatrixLayout {
  std::uint32_t type = CUDA_R_32F;
  std::int32_t order = CUBLASLT_ORDER_COL;
  std::uint64_t rows = 0, cols = 0;
  std::int64_t ld = 0;
  std::int32_t batch = 1;
  std::int64_t batch_stride = 0;  // elements

  std::size_t at(std::size_t i, std::size_t j) const {
    const auto step = static_cast<std::size_t>(ld);
    return order == CUBLASLT_ORDER_COL ? j * step + i : i * step + j;
  }
  std::size_t lines() const { return order == CUBLASLT_ORDER_COL ? cols : rows; }  // each contiguous
  std::size_t line() const { return order == CUBLASLT_ORDER_COL ? rows : cols; }
};

struct MatmulPreference {
  std::uint64_t most_workspace = 0;
  std::uint32_t reduction_schemes = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint32_t alignment[4] = {256, 256, 256, 256};  // A B C D
  std::uint64_t implementations = ~std::uint64_t{0};
  std::uint32_t search_mode = 0;
  float most_waves = 0;
};

inline std::size_t bytes_of(std::uint32_t type) {
  return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

/// A product of given sizes; it holds copies, so that descriptors may die before the stream gets there.
struct Matmul {
  MatmulDescription d;
  MatrixLayout a, b, c, result;

  std::size_t M() const { return d.transpose_a ? a.cols : a.rows; }
  std::size_t K() const { return d.transpose_a ? a.rows : a.cols; }
  std::size_t N() const { return d.transpose_b ? b.rows : b.cols; }
  bool adds_bias() const { return (d.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0; }
  bool relu() const { return (d.epilogue & CUBLASLT_EPILOGUE_RELU) != 0; }
  bool drelu() const {
    return d.epilogue == CUBLASLT_EPILOGUE_DRELU || d.epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD;
  }
  bool writes_bias() const {
    return d.epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD || d.epilogue == CUBLASLT_EPILOGUE_BGRADA ||
           d.epilogue == CUBLASLT_EPILOGUE_BGRADB;
  }
  bool has_aux() const { return (d.epilogue & 128u) != 0; }

  /// What tells two problems apart to which one algorithm must not be given.
  std::uint64_t signature() const {
    std::string words =
        gradus::detail::message(static_cast<int>(d.compute), " ", static_cast<int>(d.scale), " ",
                                d.transpose_a, d.transpose_b, " ", d.epilogue, " ", d.aux_ld);
    for (const MatrixLayout* l : {&a, &b, &c, &result})
      words += gradus::detail::message(" ", l->type, " ", l->order, " ", l->rows, "x", l->cols, " ", l->ld,
                                       " ", l->batch, " ", l->batch_stride);
    return std::hash<std::string>{}(words);
  }

  /// Empty, or what no library could compute: a mistake of the caller's.
  std::string contradiction() const {
    const std::size_t other_k = d.transpose_b ? b.cols : b.rows;
    const auto words = [](const MatrixLayout& l) {
      return gradus::detail::message("[", l.rows, ", ", l.cols, "]");
    };
    if (K() != other_k || result.rows != M() || result.cols != N() || c.rows != M() || c.cols != N())
      return gradus::detail::message(
          "the shapes disagree: A is ", words(a), d.transpose_a ? " transposed" : "", ", B is ", words(b),
          d.transpose_b ? " transposed" : "", ", C is ", words(c), ", D is ", words(result));
    const char* names = "ABCD";
    for (const MatrixLayout* l : {&a, &b, &c, &result}) {
      const char name[] = {*names++, '\0'};
      if (l->rows == 0 || l->cols == 0) return gradus::detail::message(name, " is empty");
      if (l->ld < static_cast<std::int64_t>(l->line()))
        return gradus::detail::message("the leading dimension of ", name, " is ", l->ld, ", below its ",
                                       l->line());
      if (l->batch != result.batch)
        return gradus::detail::message("the batch counts of ", name, " and D differ");
      if (l->type != CUDA_R_32F && l->type != CUDA_R_64F && l->type != CUDA_R_16BF)
        return gradus::detail::message("the emulator does not know the type of ", name);
    }
    if (result.batch > 1 && static_cast<std::size_t>(result.batch_stride) < result.lines() * result.line())
      return "the batches of D overlap";
    if (has_aux() && (d.aux_ld % 128 != 0 || d.aux_ld < static_cast<std::int64_t>(M())))
      return gradus::detail::message("the leading dimension of the auxiliary mask is ", d.aux_ld,
                                     " bits; it must be a multiple of 128 and at least ", M());
    return {};
  }

  /// What the library does not offer, though it would make sense.
  bool supported() const {
    if (d.transpose_a == CUBLAS_OP_C || d.transpose_b == CUBLAS_OP_C || d.transpose_c != CUBLAS_OP_N)
      return false;
    if (!types_supported()) return false;
    if (d.epilogue == CUBLASLT_EPILOGUE_DEFAULT) return true;
    const bool known = d.epilogue == CUBLASLT_EPILOGUE_RELU || d.epilogue == CUBLASLT_EPILOGUE_BIAS ||
                       d.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ||
                       d.epilogue == CUBLASLT_EPILOGUE_RELU_AUX ||
                       d.epilogue == CUBLASLT_EPILOGUE_RELU_AUX_BIAS || drelu() || writes_bias();
    if (!known || M() == 1 || N() == 1 || K() == 1) return false;
    if (result.order != CUBLASLT_ORDER_COL || (writes_bias() && result.batch > 1)) return false;
    if (d.bias_type != -1 && d.bias_type != static_cast<std::int32_t>(result.type)) return false;
    const auto aligned = [](const void* p) { return p && reinterpret_cast<std::uintptr_t>(p) % 16 == 0; };
    return (!(adds_bias() || writes_bias()) || aligned(d.bias)) && (!has_aux() || aligned(d.aux));
  }

 private:
  bool types_supported() const {
    if (a.type != b.type || c.type != result.type) return false;
    switch (d.compute) {
      case CUBLAS_COMPUTE_64F:
      case CUBLAS_COMPUTE_64F_PEDANTIC:
        return d.scale == CUDA_R_64F && a.type == CUDA_R_64F && c.type == CUDA_R_64F;
      case CUBLAS_COMPUTE_32F:
      case CUBLAS_COMPUTE_32F_PEDANTIC:
        if (a.type == CUDA_R_16BF) return d.scale == CUDA_R_32F && c.type != CUDA_R_64F;
        [[fallthrough]];
      case CUBLAS_COMPUTE_32F_FAST_TF32:
      case CUBLAS_COMPUTE_32F_FAST_16BF:
        return d.scale == CUDA_R_32F && a.type == CUDA_R_32F && c.type == CUDA_R_32F;
      default:
        return false;
    }
  }
};

}  // namespace gradus::test::emulator
