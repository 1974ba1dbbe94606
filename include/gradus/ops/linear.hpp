// SPDX-License-Identifier: MIT
// Dense layers with their activations, one after the other, each one kernel forward:
//   y = F(z), z = x·Wᵀ + b      dz = dy · F′(y)   dx = dz·W   dW = dzᵀ·x   db = Σ dz over the rows
// x [..., K], W [N, K] as PyTorch stores it, b [N] or none, y [..., N]; y is the next layer's x. There dy is
// never stored: the product dz·W is multiplied by F′ while it is hot, and is the dz of the layer below.
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

template <class T> class Linear {
 public:
  static constexpr const char* name = "linear";
  static constexpr int most_layers = 16, most_operands = 1 + 2 * most_layers;  // x, W, b, W, b …

  explicit Linear(const View<T>& x) : x_(x), columns_(x.shape.rank() > 0 ? x.shape.columns() : 0) {}

  /// One more layer, without a bias where b has no memory. Throws ShapeError.
  void add(const View<T>& w, const View<T>& b, const kernels::Activation<T>* activation) {
    const bool fits = x_.shape.rank() >= 1 && w.shape.rank() == 2 && columns_ == w.shape[1];
    if (!fits) [[unlikely]]
      fail_shape(w.shape);
    detail::require<ShapeError>(!b.data || (b.shape.rank() == 1 && b.shape[0] == w.shape[0]), "linear: w is ",
                                w.shape, ", b is ", b.shape, "; b must be [", w.shape[0], "]");
    layer_[layers_++] = {w.data, b.data, activation, w.shape[1], w.shape[0], nullptr, {}};
    columns_ = w.shape[0];
  }

  Shape shape() const { return x_.shape.with(x_.shape.rank() - 1, columns_); }
  void forward(const Sink<T>& y, Step& step) {
    View<T> x = x_;
    for (int k = 0; k < layers_; ++k) {
      Layer& l = layer_[k];
      const Sink<T> to = k + 1 < layers_ ? step.scratch<T>({rows(), l.N}) : y;
      if (!to.device.is_cpu() && l.activation && step.is_taped())
        l.signs.bits = step.scratch<std::uint64_t>({kernels::Signs::bytes(rows(), l.N) / 8}).data;
      kernels::gemm(to, x, Op::none, weight(l), Op::transpose, {rows(), l.N, l.K},
                    {l.b, l.activation, nullptr, &l.signs});
      l.y = to.data;
      x = to.view();
    }
  }
  /// sink(i): of operand i.
  template <class Sinks> void backward(const View<T>& dy, Step& step, const Sinks& sink) {
    const int lowest = lowest_wanted(sink);
    View<T> dz = slope_of_last(dy, step);
    for (int k = layers_ - 1; k >= 0; --k) {
      const Layer& l = layer_[k];
      Layer* const below = k > 0 ? &layer_[k - 1] : nullptr;
      const View<T> x = below ? View<T>{below->y, {rows(), l.K}, dz.device} : x_;
      kernels::gemm_sums(sink(1 + 2 * k), l.b ? sink(2 + 2 * k) : Sink<T>(), dz, x, {l.N, l.K, rows()});
      if (k == lowest) return;
      const Sink<T> dx = below ? step.scratch<T>({rows(), l.K}) : sink(0);
      kernels::Epilogue<T> slope;
      if (below && below->activation) slope = {nullptr, below->activation, below->y, &below->signs};
      kernels::gemm(dx, dz, Op::none, weight(l), Op::none, {rows(), l.K, l.N}, slope);
      dz = dx.view();
    }
  }

 private:
  using Op = kernels::Op;
  struct Layer {
    const T *w, *b;
    const kernels::Activation<T>* activation;
    Index K, N;
    const T* y;
    kernels::Signs signs;
  };
  Index rows() const { return x_.shape.rows(); }
  View<T> weight(const Layer& l) const { return {l.w, {l.N, l.K}, x_.device}; }

  /// The first layer with a wanted gradient: below it nothing is computed. −1: x.
  template <class Sinks> int lowest_wanted(const Sinks& sink) const {
    int k = -1;
    for (bool wanted = sink(0).data; !wanted && k + 1 < layers_;)
      ++k, wanted = sink(1 + 2 * k).data || (layer_[k].b && sink(2 + 2 * k).data);
    return k;
  }
  View<T> slope_of_last(const View<T>& dy, Step& step) const {
    const Layer& last = layer_[layers_ - 1];
    const Shape shape{rows(), last.N};
    if (!last.activation) return {dy.data, shape, dy.device};
    const Sink<T> dz = step.scratch<T>(shape);
    kernels::map<T>(last.activation->slope, dz, nullptr, View<T>{last.y, shape, dy.device},
                    View<T>{dy.data, shape, dy.device});
    return dz.view();
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail_shape(const Shape& w) const {
    const Shape x = x_.shape.rank() > 0 ? shape() : x_.shape;
    detail::fail<ShapeError>("linear: x is ", x, ", w is ", w, "; x's last axis must equal w's columns");
  }

  View<T> x_;
  Index columns_;  // of the last layer's y
  int layers_ = 0;
  Layer layer_[most_layers];
};

}  // namespace ops

/// y = activation(x·Wᵀ + b). Throws ShapeError. Cost: 2·rows·K·N operations forward, twice that backward.
template <Operand X, Operand W, Operand B>
auto linear(const X& x, const W& w, const B& b,
            const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  const auto make = [&](const View<T>& vx, const View<T>& vw, const View<T>& vb) {
    ops::Linear<T> op(vx);
    return op.add(vw, vb, activation), op;
  };
  return apply(make, as_tensor(x), as_tensor(w), as_tensor(b));
}
/// Without a bias.
template <Operand X, Operand W>
auto linear(const X& x, const W& w, const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  const auto make = [&](const View<T>& vx, const View<T>& vw) {
    ops::Linear<T> op(vx);
    return op.add(vw, {}, activation), op;
  };
  return apply(make, as_tensor(x), as_tensor(w));
}

/// A layer's parameters, and the activation after it; nullptr: none.
template <class T> struct LinearLayer {
  const Parameter<T>*weight, *bias;
  const kernels::Activation<T>* activation;
};
/// n layers one after the other, up to ops::Linear<T>::most_layers, as one op.
template <class T> Tensor<T> linear(const Tensor<T>& x, const LinearLayer<T>* layers, Index n) {
  const Parameter<T>* parameters[ops::Linear<T>::most_operands];
  for (Index k = 0; k < n; ++k) parameters[2 * k] = layers[k].weight, parameters[2 * k + 1] = layers[k].bias;
  const auto make = [&](const View<T>& v) {
    ops::Linear<T> op(v);
    for (Index k = 0; k < n; ++k) {
      const LinearLayer<T>& l = layers[k];
      op.add(l.weight->value().view(), l.bias ? l.bias->value().view() : View<T>(), l.activation);
    }
    return op;
  };
  return apply(make, x, parameters, std::size_t(2 * n));
}

}  // namespace gradus
