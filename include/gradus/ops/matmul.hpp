// SPDX-License-Identifier: MIT
// C = A·B   dA = dC·Bᵀ   dB = Aᵀ·dC
// A [..., M, K], B [..., K, N], C [..., M, N]: the axes before the last two count matrices, and are the same
// for both, or one operand is a single matrix for all.
#pragma once

#include <gradus/kernels/fill.hpp>
#include <gradus/kernels/gemm.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

using kernels::Op;

template <class T> struct MatMul {
  static constexpr const char* name = "matmul";
  View<T> a, b;
  kernels::Product<T> p = {};

  Shape shape() {
    const int ra = a.shape.rank(), rb = b.shape.rank();
    detail::require<ShapeError>(ra >= 2 && rb >= 2, "matmul: a is ", a.shape, ", b is ", b.shape,
                                "; both must have two axes or more");
    detail::require<ShapeError>(a.shape[ra - 1] == b.shape[rb - 2], "matmul: a is ", a.shape, ", b is ",
                                b.shape, "; a's columns must equal b's rows");
    bool same = ra == rb;
    for (int i = 0; same && i < ra - 2; ++i) same = a.shape[i] == b.shape[i];
    detail::require<ShapeError>(same || ra == 2 || rb == 2, "matmul: a is ", a.shape, ", b is ", b.shape,
                                "; the axes before the last two must be the same, or one operand a matrix");
    p = {a.shape[ra - 2], b.shape[rb - 1], a.shape[ra - 1]};
    Shape c = (ra > 2 ? a : b).shape.with(ra > 2 ? ra - 2 : rb - 2, p.M);
    c = c.with(c.rank() - 1, p.N);
    for (int i = 0; i < c.rank() - 2; ++i) p.batch *= c[i];
    if (rb == 2) p.M *= p.batch, p.batch = 1;  // one product of all rows
    p.one_a = p.batch != 1 && ra == 2;
    return c;
  }
  void forward(const Sink<T>& c, Step&) { kernels::gemm(c, a, Op::none, b, Op::none, p); }
  void backward(const View<T>& dc, Step&, const Sink<T>& da, const Sink<T>& db) const {
    if (!p.one_a) {
      kernels::gemm(da, dc, Op::none, b, Op::transpose, {p.M, p.K, p.N, p.batch});
    } else {  // every product adds its share
      if (p.batch == 0) kernels::fill(da, T(0));
      for (Index i = 0; i < p.batch; ++i)
        kernels::gemm(da, {dc.data + i * p.M * p.N, {}, dc.device}, Op::none,
                      {b.data + i * p.K * p.N, {}, b.device}, Op::transpose, {p.M, p.K, p.N});
    }
    kernels::gemm(db, a, Op::transpose, dc, Op::none, {p.K, p.N, p.M, p.batch, p.one_a});
  }
};

}  // namespace ops

/// Matrix product. Throws ShapeError naming both shapes.
template <Operand A, Operand B> auto matmul(const A& a, const B& b) {
  using T = scalar_of<A>;
  static_assert(std::is_same_v<T, scalar_of<B>>,
                "operands of two scalar types: convert one with array.to<T>()");
  return apply(
      [](const View<T>& va, const View<T>& vb) {
        return ops::MatMul<T>{va, vb};
      },
      as_tensor(a), as_tensor(b));
}

}  // namespace gradus
