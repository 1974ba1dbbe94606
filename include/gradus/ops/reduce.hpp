// SPDX-License-Identifier: MIT
// sum mean variance max min argmax argmin, over some axes or all of them.
//   y = Σ x        dx = dy, broadcast
//   y = max x      dx = dy where x is the maximum; equal ones share it
#pragma once

#include <bit>

#include <gradus/ops/power.hpp>
#include <gradus/ops/shape.hpp>

namespace gradus {

/// Which axes an op reduces: {} all of them, 1, {0, 2}; −1 is the last.
struct Axes {
  Axes() = default;
  Axes(int axis) : rank_(1), axis_{axis} {}
  Axes(std::initializer_list<int> axes) : rank_(int(axes.size())) {
    detail::require<ShapeError>(rank_ <= Shape::max_rank, "axes: ", rank_, " of them; a shape has at most 6");
    std::copy(axes.begin(), axes.end(), axis_);
  }
  /// Bit i: axis i of s is reduced. Throws ShapeError in the name of `who`.
  unsigned of(const Shape& s, const char* who) const {
    if (rank_ == 0) return (1u << s.rank()) - 1;
    unsigned bits = 0;
    for (int i = 0; i < rank_; ++i) {
      const unsigned bit = 1u << s.axis(axis_[i], who);
      detail::require<ShapeError>(!(bits & bit), who, ": axis ", axis_[i], " is named twice");
      bits |= bit;
    }
    return bits;
  }

 private:
  int rank_ = 0;
  int axis_[Shape::max_rank] = {};
};

namespace ops {

inline Shape reduced(const Shape& s, unsigned axes, bool keepdims) {
  Shape r;
  for (int i = 0; i < s.rank(); ++i)
    if (!(axes >> i & 1))
      r.append(s[i]);
    else if (keepdims)
      r.append(1);
  return r;
}
inline Index count(const Shape& s, unsigned axes) {
  Index n = 1;
  for (int i = 0; i < s.rank(); ++i)
    if (axes >> i & 1) n *= s[i];
  return n;
}

/// y = scale · Σ x
template <class T> struct Sum {
  static constexpr const char* name = "sum";
  View<T> x;
  unsigned axes;
  bool keepdims;
  T scale;

  Shape shape() const { return reduced(x.shape, axes, keepdims); }
  void forward(const Sink<T>& y, Step& step) { sum_axes(y, x, axes, step, scale); }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    const View<T> kept{dy.data, reduced(x.shape, axes, true), dy.device};
    kernels::map<MulNumber, T>(dx, std::array{scale}, kept);
  }
};

template <bool largest, class T> struct Extreme {
  static constexpr const char* name = largest ? "max" : "min";
  View<T> x;
  kernels::Groups g;
  Shape to;
  View<T> y = {};

  Shape shape() const { return to; }
  void forward(const Sink<T>& sink, Step&) {
    kernels::extreme<largest>(sink, x, g);
    y = sink.view();
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::extreme_slope(dx, x, y, dy, g);
  }
};

template <bool largest, class T> struct Place {
  static constexpr const char* name = largest ? "argmax" : "argmin";
  View<T> x;
  int axis;

  Shape shape() const {
    detail::require<ShapeError>(x.shape[axis] > 0, name, ": axis ", axis, " of ", x.shape, " is empty");
    return x.shape.without(axis);
  }
  void forward(const Sink<std::int32_t>& y, Step&) {
    kernels::extreme_place<largest>(y, x, kernels::Groups(x.shape, axis));
  }
};

template <class T>
Tensor<T> scaled_sum(const Tensor<T>& x, T scale, const Axes& axes = {}, bool keepdims = false) {
  const unsigned bits = axes.of(x.shape(), "sum");
  return apply([&](const View<T>& v) { return Sum<T>{v, bits, keepdims, scale}; }, x);
}

/// The axes become one: equal extremes share the gradient evenly, whichever axes they differ in.
template <bool largest, class X> Tensor<scalar_of<X>> extreme(const X& x, const Axes& axes, bool keepdims) {
  using T = scalar_of<X>;
  const char* const who = Extreme<largest, T>::name;
  const Shape& s = x.shape();
  const unsigned bits = axes.of(s, who);
  const Index n = count(s, bits);
  detail::require<ShapeError>(n > 0, who, ": no element of ", s, " to take it of");
  if (!bits) return x;
  const int first = std::countr_zero(bits), last = int(std::bit_width(bits)) - 1;
  if (std::popcount(bits) == last - first + 1)
    return apply(
        [&](const View<T>& v) {
          return Extreme<largest, T>{v, {s.outer(first), n, s.inner(last)}, reduced(s, bits, keepdims)};
        },
        as_tensor(x));
  Order order = {};
  std::size_t k = 0;
  for (const unsigned chosen : {0u, 1u})  // what stays, then what goes
    for (int i = 0; i < s.rank(); ++i)
      if ((bits >> i & 1) == chosen) order[k++] = i;
  return apply(
      [&](const View<T>& v) {
        return Extreme<largest, T>{v, {v.size() / n, n, 1}, reduced(s, bits, keepdims)};
      },
      apply(
          [&](const View<T>& v) {
            return Permute<T>{v, order};
          },
          as_tensor(x)));
}
template <bool largest, class X> Tensor<std::int32_t> place(const X& x, Index axis) {
  using T = scalar_of<X>;
  const int at = x.shape().axis(axis, largest ? "argmax" : "argmin");
  return apply([&](const View<T>& v) { return Place<largest, T>{v, at}; }, as_tensor(x));
}

}  // namespace ops

/// Sums are pairwise: their error grows with log n.
template <Operand X> auto sum(const X& x, const Axes& axes = {}, bool keepdims = false) {
  using T = scalar_of<X>;
  return ops::scaled_sum<T>(as_tensor(x), T(1), axes, keepdims);
}
template <Operand X> auto mean(const X& x, const Axes& axes = {}, bool keepdims = false) {
  using T = scalar_of<X>;
  static_assert(is_differentiable<T>, "the mean of whole numbers is none: convert with array.to<T>()");
  const Index n = ops::count(x.shape(), axes.of(x.shape(), "mean"));
  detail::require<ShapeError>(n > 0, "mean: no element of ", x.shape(), " to take it of");
  return ops::scaled_sum<T>(as_tensor(x), T(1) / static_cast<T>(n), axes, keepdims);
}
/// The mean squared distance from the mean: divided by n, or by n − 1 (`unbiased`). Two passes, so that a
/// large mean does no harm.
template <Operand X>
auto variance(const X& x, const Axes& axes = {}, bool keepdims = false, bool unbiased = false) {
  const Index n = ops::count(x.shape(), axes.of(x.shape(), "variance"));
  detail::require<ShapeError>(n > (unbiased ? 1 : 0), "variance: ", n, " elements of ", x.shape(),
                              " are too few");
  const auto squares = square(x - mean(x, axes, true));
  return unbiased ? sum(squares, axes, keepdims) / double(n - 1) : mean(squares, axes, keepdims);
}
/// NaN if there is one among them, as NumPy's.
template <Operand X> auto max(const X& x, const Axes& axes = {}, bool keepdims = false) {
  return ops::extreme<true>(x, axes, keepdims);
}
template <Operand X> auto min(const X& x, const Axes& axes = {}, bool keepdims = false) {
  return ops::extreme<false>(x, axes, keepdims);
}
/// The place of the extreme along an axis, as int32; the first one of equals.
template <Operand X> auto argmax(const X& x, Index axis = -1) { return ops::place<true>(x, axis); }
template <Operand X> auto argmin(const X& x, Index axis = -1) { return ops::place<false>(x, axis); }

}  // namespace gradus
