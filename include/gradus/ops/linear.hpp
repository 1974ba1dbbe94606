// SPDX-License-Identifier: MIT
// A dense layer with its activation, one kernel forward:
//   y = F(z), z = x·Wᵀ + b      dz = dy · F′(y)   dx = dz·W   dW = dzᵀ·x   db = Σ dz over the rows
// x [..., K], W [N, K] as PyTorch stores it, b [N] or none, y [..., N].
#pragma once

#include <gradus/kernels/gemm.hpp>
#include <gradus/ops/activation.hpp>

namespace gradus {
namespace ops {

/// An activation as a value that a layer can join to its product; F keeps y.
template <class F, class T>
  requires requires(T y) { F::slope_at_y(y); }
inline constexpr kernels::Activation<T> joined = {F::name, &cpu::finish_rows<F, T>,
                                                  kernels::formula<F, T, T, 0, T>.write,
                                                  kernels::formula<Slope<F>, T, T, 0, T, T>};

template <class T> struct Linear {
  static constexpr const char* name = "linear";
  View<T> x, w, b;
  const kernels::Activation<T>* activation;
  const T* y = nullptr;

  Shape shape() const {
    const bool fits = x.shape.rank() >= 1 && w.shape.rank() == 2 && x.shape.columns() == w.shape[1];
    detail::require<ShapeError>(fits, "linear: x is ", x.shape, ", w is ", w.shape,
                                "; x's last axis must equal w's columns");
    detail::require<ShapeError>(!b.data || (b.shape.rank() == 1 && b.shape[0] == w.shape[0]), "linear: w is ",
                                w.shape, ", b is ", b.shape, "; b must be [", w.shape[0], "]");
    return x.shape.with(x.shape.rank() - 1, w.shape[0]);
  }
  void forward(const Sink<T>& to, Step&) {
    using kernels::Op;
    y = to.data;
    kernels::gemm(to, x, Op::none, w, Op::transpose, {rows(), w.shape[0], w.shape[1]}, {b, activation});
  }
  void backward(const View<T>& dy, Step& step, const Sink<T>& dx, const Sink<T>& dw,
                const Sink<T>& db = {}) const {
    using kernels::Op;
    const Index B = rows(), N = w.shape[0], K = w.shape[1];
    const T* numbers = dy.data;
    if (activation) {
      const Sink<T> to = step.scratch<T>(dy.shape);
      kernels::map<T>(activation->slope, to, nullptr, View<T>{y, dy.shape, dy.device}, dy);
      numbers = to.data;
    }
    const View<T> dz{numbers, dy.shape, dy.device};
    kernels::gemm_sums(dw, db, dz, x, {N, K, B});
    kernels::gemm(dx, dz, Op::none, w, Op::none, {B, K, N});
  }

 private:
  Index rows() const { return x.shape.rows(); }
};

}  // namespace ops

/// y = activation(x·Wᵀ + b). Throws ShapeError. Cost: 2·rows·K·N operations forward, twice that backward.
template <Operand X, Operand W, Operand B>
auto linear(const X& x, const W& w, const B& b,
            const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  return apply(
      [&](const View<T>& vx, const View<T>& vw, const View<T>& vb) {
        return ops::Linear<T>{vx, vw, vb, activation};
      },
      as_tensor(x), as_tensor(w), as_tensor(b));
}
/// Without a bias.
template <Operand X, Operand W>
auto linear(const X& x, const W& w, const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  return apply(
      [&](const View<T>& vx, const View<T>& vw) {
        return ops::Linear<T>{vx, vw, {}, activation};
      },
      as_tensor(x), as_tensor(w));
}

}  // namespace gradus
