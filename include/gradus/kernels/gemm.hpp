// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/epilogue.hpp>
#include <gradus/cpu/gemm.hpp>
#include <gradus/kernels/reduce.hpp>

namespace gradus::kernels {

enum class Op : bool { none, transpose };

/// An activation as a value, so that a layer can choose one at run time: F(c + bias) over finished rows, and
/// dz = dy · slope_at_y(y), a formula of y and dy.
template <class T> struct Activation {
  const char* name;
  void (*finish)(const void*, T*, Index, Index);
  Write write;
  const Formula& slope;
};

/// What is done to C while it is hot: y = activation(c + bias), bias [N]; where y [M, N] is given, c is
/// multiplied by the activation's slope there. Any of it may be missing.
template <class T> struct Epilogue {
  const T* bias = nullptr;
  const Activation<T>* activation = nullptr;
  const T* slope_at = nullptr;
  Signs* signs = nullptr;
};

/// C[b] = op(A[b]) · op(B[b]) for each of `batch` matrices that follow one another; C is [M, N], A [M, K] or,
/// transposed, [K, M], B [K, N] or [N, K], whatever shape their views have. An operand of one matrix alone is
/// used for all. `short_…`: not T but bfloat16 lies in that memory, on a device where shortens() is true; bias
/// and slope_at are as C.
template <class T> struct Product {
  Index M, N, K, batch = 1;
  bool one_a = false, one_b = false, short_factors = false, short_c = false;
  /// It neither reads nor writes what gemm_sums() writes, nor writes what that reads: both may run at once.
  bool apart = false;
};

template <class T> Operand factor(const View<T>& x, const Product<T>& p) {
  return {x.data, x.shape, p.short_factors ? Dtype::bf16 : dtype_of<T>()};
}

/// An epilogue's slope is of one product alone, and C is assigned.
template <class T> void gemm(const Sink<T>& c, const View<T>& a, Op op_a, const View<T>& b, Op op_b,
                             const Product<T>& p, const Epilogue<T>& e = {}) {
  if (!c.device.is_cpu()) {
    if (const auto on = elsewhere(c, "gemm"))
      on->gemm(
          on.as(p.short_c), factor(a, p), factor(b, p),
          {p.M, p.N, p.K, p.batch, op_a == Op::transpose, op_b == Op::transpose, p.one_a, p.one_b, e.bias,
           e.activation ? e.activation->write : nullptr, e.slope_at ? e.activation->slope.write : nullptr,
           e.slope_at, e.signs, PrecisionScope::current(), p.apart});
    return;
  }
  const auto to = c.open();
  if (!to) return;
  const cpu::EpilogueRows<T> rows{e.bias, p.N};
  const cpu::SlopeRows<T> slope{e.slope_at ? e.activation->slope.run : nullptr, e.slope_at, p.N};
  cpu::Finish<T> finish;
  if (e.slope_at)
    finish = {&cpu::finish_slope<T>, &slope};
  else if (e.activation)
    finish = {e.activation->finish, &rows};
  else if (e.bias)
    finish = {&cpu::finish_rows<Identity, T>, &rows};
  for (Index i = 0; i < p.batch; ++i) {
    const T* ai = a.data + (p.one_a ? 0 : i * p.M * p.K);
    const T* bi = b.data + (p.one_b ? 0 : i * p.K * p.N);
    cpu::gemm<T>(to.data + i * p.M * p.N, to.add,
                 op_a == Op::none ? cpu::Matrix<T>{ai, p.K, 1} : cpu::Matrix<T>{ai, 1, p.M},
                 op_b == Op::none ? cpu::Matrix<T>{bi, p.N, 1} : cpu::Matrix<T>{bi, 1, p.K}, p.M, p.N, p.K,
                 finish);
  }
}

/// C[M, N] = Aᵀ·B and s[m] = Σₖ A[k, m], of A [K, M] and B [K, N]: what a layer's weights and bias are told,
/// in one pass over A where a device can. Gradients of parameters, which nobody reads before backward's end,
/// may be computed beside products that are apart.
template <class T>
void gemm_sums(const Sink<T>& c, const Sink<T>& s, const View<T>& a, const View<T>& b, const Product<T>& p) {
  if (c.wanted() && s.wanted() && c.size() > 0 && !c.device.is_cpu()) {
    const bool leaves = c.gradient && c.gradient->owner && s.gradient && s.gradient->owner;
    const auto on = elsewhere(c, "gemm_sums"), sums = elsewhere(s, "gemm_sums");
    if (on && sums)
      return on->gemm_sums(on.to, sums.to, factor(a, p), factor(b, p),
                           {p.M, p.N, p.K, 1, true, false, false, false, nullptr, nullptr, nullptr, nullptr,
                            nullptr, PrecisionScope::current(), leaves});
  }
  sum(s, a, {1, p.K, p.M});
  gemm(c, a, Op::transpose, b, Op::none, p);
}

/// Whether a product as large as this one wants its factors as bfloat16: Precision::bf16, on a device whose
/// tensor cores it is large enough for.
template <class T> bool shortens(Device device, const Product<T>& p) {
  return !device.is_cpu() && dtype_of<T>() == Dtype::f32 && PrecisionScope::current() == Precision::bf16 &&
         is_large(p.M, p.N, p.K);
}
/// to[i] = from[i], rounded to bfloat16, for each of the arrays, at most Shortening::most; on a device where
/// shortens() is true.
inline void shorten(Device device, const Shortening* arrays, int n) {
  table(device, "shorten").shorten(arrays, n);
}

}  // namespace gradus::kernels
