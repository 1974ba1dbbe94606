// SPDX-License-Identifier: MIT
// The emulated cublasLt. It refuses what the real one is known to refuse, so that fallbacks are tested, and
// it reports what the real one would answer with wrong numbers or a fault.
#pragma once

#include <cstdint>
#include <cstring>
#include <cublasLt.h>
#include <memory>
#include <string>

#include <gradus/cuda/driver.hpp>

#include "tests/support/emulator/cublaslt_descriptors.hpp"
#include "tests/support/emulator/cublaslt_product.hpp"
#include "tests/support/emulator/devices.hpp"
#include "tests/support/emulator/entry.hpp"
#include "tests/support/emulator/stream_calls.hpp"

namespace gradus::test::emulator {

inline std::size_t cublaslt_version() { return CUBLAS_VERSION; }
inline const char* cublaslt_status_string(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS unknown";
  }
}
inline cublasStatus_t cublaslt_create(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(&device(current_device()));
  return CUBLAS_STATUS_SUCCESS;
}

/// What the emulator writes into an algorithm: for which problem it was chosen, and what it relies on.
struct Algorithm {
  std::uint64_t signature = 0, workspace = 0;
  std::uint32_t alignment[4] = {16, 16, 16, 16};
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

inline cublasStatus_t matmul_algo_get_heuristic(cublasLtHandle_t, cublasLtMatmulDesc_t d,
                                                cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                                cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t result,
                                                cublasLtMatmulPreference_t given, int requested,
                                                cublasLtMatmulHeuristicResult_t* results, int* returned) {
  const Matmul m{description(d), layout(a), layout(b), layout(c), layout(result)};
  const MatmulPreference& p = preference(given);
  *returned = 0;
  if (requested < 1) return CUBLAS_STATUS_INVALID_VALUE;
  if (const std::string wrong = m.contradiction(); !wrong.empty()) {
    found("cublasLtMatmulAlgoGetHeuristic: ", wrong);
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  Algorithm algorithm{m.signature(), p.most_workspace >= (1u << 20) ? 1u << 20 : 0, {}};
  for (int i = 0; i < 4; ++i) {
    algorithm.alignment[i] = p.alignment[i];
    if (p.alignment[i] < 16) return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (!m.supported()) return CUBLAS_STATUS_NOT_SUPPORTED;
  results[0] = {};
  std::memcpy(&results[0].algo, &algorithm, sizeof algorithm);
  results[0].workspaceSize = algorithm.workspace;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  results[0].wavesCount = 1;
  *returned = 1;
  return CUBLAS_STATUS_SUCCESS;
}

/// Empty, or what is wrong with a call's pointers.
inline std::string wrong_pointers(const Product& p, const Algorithm& algorithm) {
  const Matmul& m = p.matmul;
  const auto modulo = [](const void* q, std::size_t n) { return reinterpret_cast<std::uintptr_t>(q) % n; };
  const bool has_bias = m.adds_bias() || m.writes_bias();
  if (has_bias && (!m.d.bias || modulo(m.d.bias, 16)))
    return m.d.bias ? "the bias is not aligned to 16 bytes" : "the bias is a null pointer";
  if (m.has_aux() && (!m.d.aux || modulo(m.d.aux, 16))) return "the mask is not aligned to 16 bytes";
  const void* const matrices[] = {p.a, p.b, p.beta_value == 0 ? nullptr : p.c, p.result};
  for (int i = 0; i < 4; ++i)
    if (modulo(matrices[i], algorithm.alignment[i]))
      return gradus::detail::message(
          "ABCD"[i], " is not aligned to ", algorithm.alignment[i], " bytes",
          algorithm.alignment[i] > 16 ? ", for which the algorithm was chosen" : "");
  if (p.result == p.a || p.result == p.b) return "D is one of the factors";
  if (p.result == p.c && p.beta_value != 0 && (m.c.ld != m.result.ld || m.c.order != m.result.order))
    return "D is C, with another layout";
  if (p.workspace_bytes > 0 && (!p.workspace || modulo(p.workspace, 256)))
    return "the workspace is not aligned to 256 bytes";
  if (p.workspace_bytes < algorithm.workspace)
    return gradus::detail::message("a workspace of ", p.workspace_bytes, " bytes; the algorithm needs ",
                                   algorithm.workspace);
  return {};
}

inline cublasStatus_t matmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t d, const void* alpha,
                             const void* a, cublasLtMatrixLayout_t al, const void* b,
                             cublasLtMatrixLayout_t bl, const void* beta, const void* c,
                             cublasLtMatrixLayout_t cl, void* result, cublasLtMatrixLayout_t rl,
                             const cublasLtMatmulAlgo_t* algo, void* workspace, std::size_t bytes,
                             cudaStream_t stream) {
  Stream* s = nullptr;
  if (const CUresult error = stream_of(stream, "cublasLtMatmul", &s); error)
    return CUBLAS_STATUS_EXECUTION_FAILED;
  Product p{
      {description(d), layout(al), layout(bl), layout(cl), layout(rl)}, a, b, c, result, workspace, bytes};
  p.device = s->device;
  if (p.matmul.d.pointer_mode == CUBLASLT_POINTER_MODE_HOST) {
    p.alpha_value = load<double>(alpha, 0, p.matmul.d.scale);
    p.beta_value = load<double>(beta, 0, p.matmul.d.scale);
  } else {
    p.alpha = alpha, p.beta = beta, p.beta_value = 1;
  }
  Algorithm algorithm;
  if (algo) std::memcpy(static_cast<void*>(&algorithm), algo, sizeof algorithm);
  std::string wrong = p.matmul.contradiction();
  if (wrong.empty()) wrong = wrong_pointers(p, algorithm);
  if (wrong.empty() && algo && algorithm.signature != p.matmul.signature())
    wrong = "the algorithm was chosen for another problem";
  if (wrong.empty() && reinterpret_cast<Device*>(handle) != &device(s->device))
    wrong = "a handle of another device";
  if (wrong.empty() && !p.matmul.supported()) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (!wrong.empty()) {
    found("cublasLtMatmul: ", wrong);
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  push(*s, "cublasLtMatmul", [p]() mutable {
    counters().launched.emplace_back("cublasLtMatmul");
    p.run();
  });
  return CUBLAS_STATUS_SUCCESS;
}

inline cuda::CublasLt cublaslt_table() {
  constexpr auto failure = CUBLAS_STATUS_INTERNAL_ERROR, memory = CUBLAS_STATUS_ALLOC_FAILED;
  cuda::CublasLt t;
  t.Create = entry<cublaslt_create, CUBLAS_STATUS_NOT_INITIALIZED, in_context>;
  t.GetVersion = cublaslt_version;  // these two cannot fail
  t.GetStatusString = cublaslt_status_string;
  t.MatmulDescCreate = entry<matmul_desc_create, memory>;
  t.MatmulDescDestroy = entry<matmul_desc_destroy, failure, never_injected>;
  t.MatmulDescSetAttribute = entry<matmul_desc_set_attribute, failure>;
  t.MatrixLayoutCreate = entry<matrix_layout_create, memory>;
  t.MatrixLayoutDestroy = entry<matrix_layout_destroy, failure, never_injected>;
  t.MatrixLayoutSetAttribute = entry<matrix_layout_set_attribute, failure>;
  t.MatmulPreferenceCreate = entry<preference_create, memory>;
  t.MatmulPreferenceDestroy = entry<preference_destroy, failure, never_injected>;
  t.MatmulPreferenceSetAttribute = entry<preference_set_attribute, failure>;
  t.MatmulAlgoGetHeuristic = entry<matmul_algo_get_heuristic, failure, in_context>;
  t.Matmul = entry<matmul, failure, in_context>;
  return t;
}

}  // namespace gradus::test::emulator
