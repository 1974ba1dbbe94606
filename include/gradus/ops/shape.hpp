// SPDX-License-Identifier: MIT
// transpose permute reshape flatten slice concat stack: numbers move, none is computed.
#pragma once

#include <gradus/kernels/gather.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

template <class T> struct Reshape {
  static constexpr const char* name = "reshape";
  View<T> x;
  Shape to;
  Shape shape() const { return to; }
  void forward(const Sink<T>& y, Step&) {
    kernels::map<kernels::Identity, T>(Sink<T>{y.data, x.shape, y.device}, std::array<T, 0>(), x);
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::map<kernels::Identity, T>(dx, std::array<T, 0>(), View<T>{dy.data, x.shape, dy.device});
  }
};

using Order = std::array<int, Shape::max_rank>;
template <class T> struct Permute {
  static constexpr const char* name = "permute";
  View<T> x;
  Order order;
  Shape shape() const {
    Shape s;
    for (int i = 0; i < x.shape.rank(); ++i) s.append(x.shape[order[std::size_t(i)]]);
    return s;
  }
  void forward(const Sink<T>& y, Step&) { kernels::permute(y, x, order); }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    Order inverse = {};
    for (int i = 0; i < x.shape.rank(); ++i) inverse[std::size_t(order[std::size_t(i)])] = i;
    kernels::permute(dx, dy, inverse);
  }
};

/// m indices first, first + step, … of an axis.
template <class T> struct Slice {
  static constexpr const char* name = "slice";
  View<T> x;
  int axis;
  Index first, m, step;
  Shape shape() const { return x.shape.with(axis, m); }
  void forward(const Sink<T>& y, Step&) {
    kernels::slice(y, x, kernels::Groups(x.shape, axis), m, first, step);
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::place(dx, dy, kernels::Groups(x.shape, axis), m, first, step);
  }
};

template <class T> struct Concat {
  static constexpr const char* name = "concat";
  View<T> a, b;
  int axis;
  Shape shape() const {
    const bool fits = a.shape.rank() == b.shape.rank() && a.shape.with(axis, 0) == b.shape.with(axis, 0);
    detail::require<ShapeError>(fits, "concat: ", a.shape, " and ", b.shape,
                                " must be the same but for axis ", axis);
    return a.shape.with(axis, a.shape[axis] + b.shape[axis]);
  }
  void forward(const Sink<T>& y, Step&) {
    const kernels::Groups g(y.shape, axis);
    kernels::place(y, a, g, a.shape[axis], 0, 1);
    kernels::place(y, b, g, b.shape[axis], a.shape[axis], 1);
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& da, const Sink<T>& db) const {
    const kernels::Groups g(dy.shape, axis);
    kernels::slice(da, dy, g, a.shape[axis], 0, 1);
    kernels::slice(db, dy, g, b.shape[axis], a.shape[axis], 1);
  }
};

}  // namespace ops

/// The same numbers in another shape; one size may be −1. Throws ShapeError.
template <Operand X> auto reshape(const X& x, std::span<const Index> sizes) {
  using T = scalar_of<X>;
  const Shape to = x.shape().reshaped(sizes);
  return apply([&](const View<T>& v) { return ops::Reshape<T>{v, to}; }, as_tensor(x));
}
template <Operand X> auto reshape(const X& x, std::initializer_list<Index> sizes) {
  return reshape(x, std::span(sizes.begin(), sizes.size()));
}
/// [B, …] → [B, the rest]: what a dense layer takes. Without a copy where it is so already.
template <Operand X> Tensor<scalar_of<X>> flatten(const X& x) {
  const Shape& s = x.shape();
  detail::require<ShapeError>(s.rank() >= 1, "flatten: x is a scalar; its first axis counts samples");
  if (s.rank() == 2) return x;
  return reshape(x, {s[0], s.inner(0)});
}

/// Axis i of the result is axis order[i] of x. Throws ShapeError.
template <Operand X> auto permute(const X& x, std::initializer_list<int> order) {
  using T = scalar_of<X>;
  const int rank = x.shape().rank();
  detail::require<ShapeError>(int(order.size()) == rank, "permute: ", order.size(), " axes are named, ",
                              x.shape(), " has ", rank);
  ops::Order axes = {};
  unsigned seen = 0;
  std::size_t i = 0;
  for (const int a : order) seen |= 1u << (axes[i++] = x.shape().axis(a, "permute"));
  detail::require<ShapeError>(seen + 1 == 1u << rank, "permute: an axis of ", x.shape(), " is named twice");
  return apply([&](const View<T>& v) { return ops::Permute<T>{v, axes}; }, as_tensor(x));
}
/// The last two axes change places. Throws ShapeError for fewer than two.
template <Operand X> auto transpose(const X& x) {
  using T = scalar_of<X>;
  const int rank = x.shape().rank();
  detail::require<ShapeError>(rank >= 2, "transpose: x is ", x.shape(), "; it must have two axes or more");
  ops::Order axes = {};
  for (int i = 0; i < rank; ++i) axes[std::size_t(i)] = i < rank - 2 ? i : 2 * rank - 3 - i;
  return apply([&](const View<T>& v) { return ops::Permute<T>{v, axes}; }, as_tensor(x));
}

/// Indices first, first + step, … below last of an axis; negative ones count from the end. Throws IndexError.
template <Operand X> auto slice(const X& x, int axis, Index first, Index last, Index step = 1) {
  using T = scalar_of<X>;
  const int at = x.shape().axis(axis, "slice");
  const Index n = x.shape()[at], from = first < 0 ? first + n : first, to = last < 0 ? last + n : last;
  detail::require<IndexError>(from >= 0 && from <= to && to <= n && step >= 1, "slice: ", first, " to ", last,
                              " by ", step, " is not within the ", n, " indices of axis ", at, " of ",
                              x.shape());
  const Index m = (to - from + step - 1) / step;
  return apply([&](const View<T>& v) { return ops::Slice<T>{v, at, from, m, step}; }, as_tensor(x));
}

/// One after the other along an axis. Throws ShapeError. Joined as a tree: n parts are copied log n times.
template <class T> Tensor<T> concat(std::span<const Tensor<T>> parts, int axis = 0) {
  detail::require<ShapeError>(!parts.empty(), "concat: no tensor was given; at least one is needed");
  if (parts.size() == 1) return parts[0];
  const int at = parts[0].shape().axis(axis, "concat");
  const auto half = parts.size() / 2;
  return apply(
      [&](const View<T>& a, const View<T>& b) {
        return ops::Concat<T>{a, b, at};
      },
      concat(parts.first(half), at), concat(parts.subspan(half), at));
}
template <class T> Tensor<T> concat(std::initializer_list<Tensor<T>> parts, int axis = 0) {
  return concat(std::span<const Tensor<T>>(parts.begin(), parts.size()), axis);
}
/// Parts of one shape, along a new axis. Throws ShapeError.
template <class T> Tensor<T> stack(std::span<const Tensor<T>> parts, int axis = 0) {
  detail::require<ShapeError>(!parts.empty(), "stack: no tensor was given; at least one is needed");
  const Shape& s = parts[0].shape();
  const int rank = s.rank(), at = axis < 0 ? axis + rank + 1 : axis;
  detail::require<ShapeError>(at >= 0 && at <= rank, "stack: axis ", axis, " is not ", -rank - 1, " to ",
                              rank);
  std::vector<Index> sizes(s.sizes().begin(), s.sizes().end());
  sizes.insert(sizes.begin() + at, 1);
  std::vector<Tensor<T>> wider;
  for (const auto& p : parts) {
    detail::require<ShapeError>(p.shape() == s, "stack: ", s, " and ", p.shape(),
                                "; all must have one shape");
    wider.push_back(reshape(p, std::span<const Index>(sizes)));
  }
  return concat(std::span<const Tensor<T>>(wider), at);
}
template <class T> Tensor<T> stack(std::initializer_list<Tensor<T>> parts, int axis = 0) {
  return stack(std::span<const Tensor<T>>(parts.begin(), parts.size()), axis);
}

}  // namespace gradus
