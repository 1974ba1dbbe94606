// SPDX-License-Identifier: MIT
// The product itself, by loops, and the memory it touches.
//   D = epilogue(alpha op(A) op(B) + beta C)
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "tests/support/emulator/cublaslt_problem.hpp"
#include "tests/support/emulator/findings.hpp"
#include "tests/support/emulator/ranges.hpp"

namespace gradus::test::emulator {

/// The nearest float whose mantissa has so few bits (10: TF32, 7: bfloat16); ties to even.
inline float round_mantissa(float x, int bits) {
  std::uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  if ((u & 0x7f800000u) == 0x7f800000u) return x;
  const int drop = 23 - bits;
  u += (1u << (drop - 1)) - 1 + (u >> drop & 1);
  u = u >> drop << drop;
  std::memcpy(&x, &u, sizeof x);
  return x;
}

template <class T> T load(const void* p, std::size_t i, std::uint32_t type) {
  if (type == CUDA_R_64F) return static_cast<T>(static_cast<const double*>(p)[i]);
  if (type == CUDA_R_32F) return static_cast<T>(static_cast<const float*>(p)[i]);
  const std::uint32_t u = std::uint32_t{static_cast<const std::uint16_t*>(p)[i]} << 16;
  float x;
  std::memcpy(&x, &u, sizeof x);
  return static_cast<T>(x);
}
template <class T> void store(void* p, std::size_t i, std::uint32_t type, T value) {
  if (type == CUDA_R_64F) return void(static_cast<double*>(p)[i] = static_cast<double>(value));
  if (type == CUDA_R_32F) return void(static_cast<float*>(p)[i] = static_cast<float>(value));
  const float rounded = round_mantissa(static_cast<float>(value), 7);
  std::uint32_t u;
  std::memcpy(&u, &rounded, sizeof u);
  static_cast<std::uint16_t*>(p)[i] = static_cast<std::uint16_t>(u >> 16);
}

/// A call of cublasLtMatmul, as its stream will run it.
struct Product {
  Matmul matmul;
  const void *a = nullptr, *b = nullptr, *c = nullptr;
  void *result = nullptr, *workspace = nullptr;
  std::size_t workspace_bytes = 0;
  const void *alpha = nullptr, *beta = nullptr;  // with device pointers
  double alpha_value = 1, beta_value = 0;
  int device = 0;

  void run() {
    const bool doubles = matmul.d.scale == CUDA_R_64F;
    if (alpha && !(read_scalar(alpha, alpha_value) && read_scalar(beta, beta_value))) return;
    if (!touch()) return;
    for (int batch = 0; batch < matmul.result.batch; ++batch)
      doubles ? compute<double>(batch) : compute<float>(batch);
  }

 private:
  bool read_scalar(const void* p, double& value) const {
    if (!touch_range("cublasLtMatmul", p, bytes_of(matmul.d.scale), emulator_reads, device)) return false;
    value = load<double>(p, 0, matmul.d.scale);
    return true;
  }
  static const void* moved(const void* p, const MatrixLayout& l, int batch) {
    return static_cast<const char*>(p) + batch * l.batch_stride * static_cast<std::int64_t>(bytes_of(l.type));
  }

  bool touch_matrix(const char* who, const void* p, const MatrixLayout& l, emulator_kind kind) const {
    const std::size_t bytes = bytes_of(l.type), lines = l.lines(),
                      whole = static_cast<std::size_t>(l.ld) == l.line();
    for (int batch = 0; batch < l.batch; ++batch) {
      const auto* first = static_cast<const char*>(moved(p, l, batch));
      for (std::size_t i = 0; i < (whole ? 1 : lines); ++i) {
        const std::size_t n = l.line() * bytes * (whole ? lines : 1);
        if (!touch_range(who, first + i * static_cast<std::size_t>(l.ld) * bytes, n, kind, device))
          return false;
      }
    }
    return true;
  }
  bool touch() const {
    const Matmul& m = matmul;
    bool good = touch_matrix("cublasLtMatmul, A", a, m.a, emulator_reads) &&
                touch_matrix("cublasLtMatmul, B", b, m.b, emulator_reads) &&
                (beta_value == 0 || touch_matrix("cublasLtMatmul, C", c, m.c, emulator_reads)) &&
                touch_matrix("cublasLtMatmul, D", result, m.result, emulator_writes);
    if (good && (m.adds_bias() || m.writes_bias()))
      good = touch_range("cublasLtMatmul, bias", m.d.bias, bias_count() * bytes_of(m.result.type),
                         m.writes_bias() ? emulator_writes : emulator_reads, device);
    for (std::size_t j = 0; good && m.has_aux() && j < m.N(); ++j)
      good = touch_range("cublasLtMatmul, mask", mask(0) + j * mask_step(), (m.M() + 7) / 8,
                         m.drelu() ? emulator_reads : emulator_writes, device);
    if (good && workspace_bytes > 0)  // its first bytes stand for all: two streams must not share it
      good = allocation_of("cublasLtMatmul, workspace", workspace, workspace_bytes, device) &&
             touch_range("cublasLtMatmul, workspace", workspace, std::min<std::size_t>(256, workspace_bytes),
                         emulator_writes, device);
    return good;
  }
  std::size_t bias_count() const {
    return matmul.d.epilogue == CUBLASLT_EPILOGUE_BGRADB ? matmul.N() : matmul.M();
  }
  std::uint8_t* mask(int batch) const {
    return static_cast<std::uint8_t*>(matmul.d.aux) + batch * matmul.d.aux_batch_stride / 8;
  }
  std::size_t mask_step() const { return static_cast<std::size_t>(matmul.d.aux_ld) / 8; }

  /// op(A) by rows, or op(B) by columns: the sums then run over neighbours.
  template <class T> std::vector<T> packed(const void* p, const MatrixLayout& l, bool lines_are_rows) const {
    const std::size_t lines = lines_are_rows ? l.rows : l.cols, length = lines_are_rows ? l.cols : l.rows;
    std::vector<T> result_values(lines * length);
    const int bits = matmul.d.compute == CUBLAS_COMPUTE_32F_FAST_TF32   ? 10
                     : matmul.d.compute == CUBLAS_COMPUTE_32F_FAST_16BF ? 7
                                                                        : 23;
    for (std::size_t i = 0; i < lines; ++i)
      for (std::size_t k = 0; k < length; ++k) {
        T value = load<T>(p, lines_are_rows ? l.at(i, k) : l.at(k, i), l.type);
        if constexpr (std::is_same_v<T, float>)
          if (bits < 23) value = round_mantissa(value, bits);
        result_values[i * length + k] = value;
      }
    return result_values;
  }

  template <class T> void compute(int batch) const {
    const Matmul& m = matmul;
    const auto left = packed<T>(moved(a, m.a, batch), m.a, !m.d.transpose_a);
    const auto right = packed<T>(moved(b, m.b, batch), m.b, m.d.transpose_b != 0);
    const void* const from = moved(c, m.c, batch);
    void* const to = const_cast<void*>(moved(result, m.result, batch));
    std::vector<T> bias_gradient(bias_count(), T(0));
    for (std::size_t j = 0; j < m.N(); ++j)
      for (std::size_t i = 0; i < m.M(); ++i) {
        T sum = 0;
        for (std::size_t k = 0; k < m.K(); ++k) sum += left[i * m.K() + k] * right[j * m.K() + k];
        T value = static_cast<T>(alpha_value) * sum;
        if (beta_value != 0) value += static_cast<T>(beta_value) * load<T>(from, m.c.at(i, j), m.c.type);
        value = epilogue(value, i, j, batch);
        if (m.d.epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD) bias_gradient[i] += value;
        store(to, m.result.at(i, j), m.result.type, value);
      }
    if (m.d.epilogue == CUBLASLT_EPILOGUE_BGRADA) sum_lines(bias_gradient, left);
    if (m.d.epilogue == CUBLASLT_EPILOGUE_BGRADB) sum_lines(bias_gradient, right);
    for (std::size_t i = 0; m.writes_bias() && i < bias_gradient.size(); ++i)
      store(m.d.bias, i, m.result.type, bias_gradient[i]);
  }
  template <class T> void sum_lines(std::vector<T>& sums, const std::vector<T>& values) const {
    for (std::size_t i = 0; i < sums.size(); ++i)
      for (std::size_t k = 0; k < matmul.K(); ++k) sums[i] += values[i * matmul.K() + k];
  }

  /// Bias, ReLU and its mask: one bit an element, the lowest first, along the rows of D.
  template <class T> T epilogue(T value, std::size_t i, std::size_t j, int batch) const {
    const Matmul& m = matmul;
    if (m.d.epilogue == CUBLASLT_EPILOGUE_DEFAULT) return value;
    if (m.adds_bias())
      value += load<T>(m.d.bias, i + static_cast<std::size_t>(batch * m.d.bias_batch_stride), m.result.type);
    std::uint8_t* const byte = m.has_aux() ? mask(batch) + j * mask_step() + i / 8 : nullptr;
    const auto bit = static_cast<std::uint8_t>(1u << i % 8);
    if (m.drelu()) return *byte & bit ? value : T(0);
    if (!m.relu()) return value;
    const bool positive = value > 0;  // NaN is not, and stays: as in CUTLASS, of which cublasLt is made
    if (byte) *byte = static_cast<std::uint8_t>(positive ? *byte | bit : *byte & ~bit);
    return positive || value != value ? value : T(0);
  }
};

}  // namespace gradus::test::emulator
