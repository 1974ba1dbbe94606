// SPDX-License-Identifier: MIT
// Dense layers with their activations, one after the other, each one kernel forward:
//   y = F(z), z = x·Wᵀ + b      dz = dy · F′(y)   dx = dz·W   dW = dzᵀ·x   db = Σ dz over the rows
// x [..., K], W [N, K] as PyTorch stores it, b [N] or none, y [..., N]; y is the next layer's x. There dy is
// never stored: the product dz·W is multiplied by F′ while it is hot, and is the dz of the layer below. What
// passes between layers is nobody else's, and so may be bfloat16 where that precision is asked for.
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
  static_assert(most_operands <= kernels::Shortening::most, "all operands are shortened in one go");

  /// `layers(op)` calls op.add(…) for each of them.
  template <class Layers> Linear(const View<T>& x, const Layers& layers)
      : x_(x), rows_(x.shape.rows()), columns_(x.shape.rank() > 0 ? x.shape.columns() : 0) {
    layers(*this);
  }
  /// One more layer; b: nullptr for none. Throws ShapeError.
  void add(const View<T>& w, const View<T>* b, const kernels::Activation<T>* activation) {
    const bool fits = x_.shape.rank() >= 1 && w.shape.rank() == 2 && columns_ == w.shape[1];
    if (!fits) [[unlikely]]
      fail_shape(w.shape);
    detail::require<ShapeError>(!b || (b->shape.rank() == 1 && b->shape[0] == w.shape[0]), "linear: w is ",
                                w.shape, ", b is ", b ? b->shape : Shape(), "; b must be [", w.shape[0], "]");
    layer_[layers_++] = {w.data, b ? b->data : nullptr, activation, w.shape[1], w.shape[0], nullptr, {}};
    columns_ = w.shape[0];
  }

  Shape shape() const { return x_.shape.with(x_.shape.rank() - 1, columns_); }
  void forward(const Sink<T>& y, Step& step) {
    if (wants_short()) shorten(step);
    const T* x = x_.data;
    T* turns[2] = {};
    for (int k = 0; k < layers_; ++k) {
      Layer& l = layer_[k];
      const bool hidden = k + 1 < layers_;
      T* const own = !hidden ? nullptr : step.is_recorded() ? room(l.N, step) : turn(k, turns, step);
      const Sink<T> inner{own, {rows_, l.N}, x_.device}, &to = hidden ? inner : y;
      if (!to.device.is_cpu() && l.activation && step.is_recorded())
        l.signs.bits = step.room<std::uint64_t>(kernels::Signs::bytes(rows_, l.N) / 8);
      kernels::gemm(to, numbers(x), Op::none, numbers(l.w), Op::transpose, product(rows_, l.N, l.K, hidden),
                    {l.b, l.activation, nullptr, &l.signs});
      l.y = x = to.data;
    }
  }
  void backward(const View<T>& dy, Step& step, const detail::Sinks<T>& sink) {
    const int lowest = lowest_wanted(sink);
    const T* dz = slope_of_last(dy, step);
    for (int k = layers_ - 1; k >= 0; --k) {
      const Layer& l = layer_[k];
      Layer* const below = k > 0 ? &layer_[k - 1] : nullptr;
      const View<T> dz_of_l = numbers(dz);
      kernels::gemm_sums(sink(1 + 2 * k), l.b ? sink(2 + 2 * k) : Sink<T>(), dz_of_l,
                         numbers(below ? below->y : x_.data), product(l.N, l.K, rows_, false));
      if (k == lowest) return;
      const Sink<T> dx = below ? Sink<T>{room(l.K, step), {rows_, l.K}, x_.device} : sink(0);
      kernels::Epilogue<T> slope;
      if (below && below->activation) slope = {nullptr, below->activation, below->y, &below->signs};
      kernels::gemm(dx, dz_of_l, Op::none, numbers(l.w), Op::none, product(rows_, l.K, l.N, below != nullptr),
                    slope);
      dz = dx.data;
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
  /// For a product, which says itself what shape they have.
  View<T> numbers(const T* data) const { return {data, {}, x_.device}; }
  /// `hidden`: its result is this op's own.
  kernels::Product<T> product(Index M, Index N, Index K, bool hidden) const {
    return {M, N, K, 1, false, false, short_, short_ && hidden, hidden};
  }

  /// Room for what passes between layers: [rows, N].
  T* room(Index N, Step& step) const {
    return short_ ? static_cast<T*>(short_room(rows_ * N, step)) : step.room<T>(rows_ * N);
  }
  /// Without a backward, two places that take turns are enough for all layers: the widest of them fits.
  T* turn(int k, T* (&turns)[2], Step& step) const {
    if (!turns[k % 2]) {
      Index widest = 0;
      for (int i = 0; i + 1 < layers_; ++i) widest = std::max(widest, layer_[i].N);
      turns[k % 2] = room(widest, step);
    }
    return turns[k % 2];
  }
  static void* short_room(Index n, Step& step) { return step.room<std::uint16_t>(n); }
  /// By the largest of the products.
  bool wants_short() const {
    for (int k = 0; k < layers_; ++k)
      if (kernels::shortens<T>(x_.device, {rows_, layer_[k].N, layer_[k].K})) return true;
    return false;
  }
  /// From here on x, the weights and the hidden layers' biases are copies of bfloat16.
  void shorten(Step& step) {
    kernels::Shortening arrays[kernels::Shortening::most];
    int n = 0;
    const auto replace = [&](const T*& numbers, Index size) {
      if (!numbers) return;
      void* const to = short_room(size, step);
      arrays[n++] = {numbers, to, size};
      numbers = static_cast<const T*>(to);
    };
    replace(x_.data, x_.size());
    for (int k = 0; k < layers_; ++k) {
      replace(layer_[k].w, layer_[k].N * layer_[k].K);
      if (k + 1 < layers_) replace(layer_[k].b, layer_[k].N);
    }
    kernels::shorten(x_.device, arrays, n);
    short_ = true;
  }

  /// The first layer with a wanted gradient: below it nothing is computed. −1: x.
  int lowest_wanted(const detail::Sinks<T>& sink) const {
    int k = -1;
    for (bool wanted = sink.wanted(0); !wanted && k + 1 < layers_;)
      ++k, wanted = sink.wanted(1 + 2 * k) || (layer_[k].b && sink.wanted(2 + 2 * k));
    return k;
  }
  const T* slope_of_last(const View<T>& dy, Step& step) const {
    const Layer& last = layer_[layers_ - 1];
    const T* dz = dy.data;
    if (last.activation) {
      const Sink<T> to = step.scratch<T>({rows_, last.N});
      kernels::map<T>(last.activation->slope, to, nullptr, View<T>{last.y, to.shape, x_.device}, dy);
      dz = to.data;
    }
    if (!short_) return dz;
    const kernels::Shortening array{dz, short_room(dy.size(), step), dy.size()};
    kernels::shorten(dy.device, &array, 1);
    return static_cast<const T*>(array.to);
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail_shape(const Shape& w) const {
    const Shape x = x_.shape.rank() > 0 ? shape() : x_.shape;
    detail::fail<ShapeError>("linear: x is ", x, ", w is ", w, "; x's last axis must equal w's columns");
  }

  View<T> x_;
  Index rows_, columns_;  // of the last layer's y
  int layers_ = 0;
  bool short_ = false;  // see kernels::Product
  Layer layer_[most_layers];
};

}  // namespace ops

/// y = activation(x·Wᵀ + b). Throws ShapeError. Cost: 2·rows·K·N operations forward, twice that backward.
template <Operand X, Operand W, Operand B>
auto linear(const X& x, const W& w, const B& b,
            const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  const auto make = [&](const View<T>& vx, const View<T>& vw, const View<T>& vb) {
    return ops::Linear<T>(vx, [&](auto& op) { op.add(vw, &vb, activation); });
  };
  return apply(make, as_tensor(x), as_tensor(w), as_tensor(b));
}
/// Without a bias.
template <Operand X, Operand W>
auto linear(const X& x, const W& w, const kernels::Activation<scalar_of<X>>* activation = nullptr) {
  using T = scalar_of<X>;
  const auto make = [&](const View<T>& vx, const View<T>& vw) {
    return ops::Linear<T>(vx, [&](auto& op) { op.add(vw, nullptr, activation); });
  };
  return apply(make, as_tensor(x), as_tensor(w));
}

/// A layer's parameters, and the activation after it; nullptr: none.
template <class T> struct LinearLayer {
  const Parameter<T>*weight, *bias;
  const kernels::Activation<T>* activation;
};
/// n layers one after the other, 1 to ops::Linear<T>::most_layers, as one op. Throws ShapeError, ValueError.
template <class T> Tensor<T> linear(const Tensor<T>& x, const LinearLayer<T>* layers, Index n) {
  constexpr Index most = ops::Linear<T>::most_layers;
  detail::require<ValueError>(n >= 1 && n <= most, "linear: ", n, " layers; it takes 1 to ", most);
  const Parameter<T>* parameters[ops::Linear<T>::most_operands];
  for (Index k = 0; k < n; ++k) parameters[2 * k] = layers[k].weight, parameters[2 * k + 1] = layers[k].bias;
  const auto make = [&](const View<T>& v) {
    return ops::Linear<T>(v, [&](auto& op) {
      for (const auto* l = layers; l < layers + n; ++l)
        op.add(l->weight->value().view(), l->bias ? &l->bias->value().view() : nullptr, l->activation);
    });
  };
  return apply(make, x, parameters, std::size_t(2 * n));
}

}  // namespace gradus
