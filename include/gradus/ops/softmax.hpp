// SPDX-License-Identifier: MIT
// softmax log_softmax logsumexp along an axis; the maximum is subtracted first.
//   y = eˣ / Σ eˣ          dx = y (dy − Σ dy·y)
//   y = x − ln Σ eˣ        dx = dy − eʸ Σ dy
//   y = ln Σ eˣ            dx = dy · e^(x − y)
#pragma once

#include <gradus/kernels/softmax.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

template <bool logarithm, class T> struct Softmax {
  static constexpr const char* name = logarithm ? "log_softmax" : "softmax";
  View<T> x;
  int axis;
  View<T> y = {};

  Shape shape() const { return x.shape; }
  void forward(const Sink<T>& to, Step&) {
    y = to.view();
    if (x.size() > 0) kernels::softmax<logarithm>(to, x, kernels::Groups(x.shape, axis));
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::softmax_slope<logarithm>(dx, y, dy, kernels::Groups(x.shape, axis));
  }
};

struct ExpMinusTimes {
  template <class X> static X value(X dy, X x, X y) { return dy * math::exp(x - y); }
};
template <class T> struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  View<T> x;
  int axis;
  bool keepdims;
  View<T> y = {};

  Shape shape() const {
    detail::require<ShapeError>(x.shape[axis] > 0, "logsumexp: axis ", axis, " of ", x.shape, " is empty");
    return keepdims ? x.shape.with(axis, 1) : x.shape.without(axis);
  }
  void forward(const Sink<T>& to, Step&) {
    y = to.view();
    y.shape = x.shape.with(axis, 1);
    kernels::logsumexp(to, x, kernels::Groups(x.shape, axis));
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::map<ExpMinusTimes, T>(dx, std::array<T, 0>(), View<T>{dy.data, y.shape, dy.device}, x, y);
  }
};

template <bool logarithm, class X> auto softmax(const X& x, int axis) {
  using T = scalar_of<X>;
  const int at = x.shape().axis(axis, logarithm ? "log_softmax" : "softmax");
  return apply([&](const View<T>& v) { return Softmax<logarithm, T>{v, at}; }, as_tensor(x));
}

}  // namespace ops

template <Operand X> auto softmax(const X& x, int axis = -1) { return ops::softmax<false>(x, axis); }
template <Operand X> auto log_softmax(const X& x, int axis = -1) { return ops::softmax<true>(x, axis); }
template <Operand X> auto logsumexp(const X& x, int axis = -1, bool keepdims = false) {
  using T = scalar_of<X>;
  const int at = x.shape().axis(axis, "logsumexp");
  return apply([&](const View<T>& v) { return ops::LogSumExp<T>{v, at, keepdims}; }, as_tensor(x));
}

}  // namespace gradus
