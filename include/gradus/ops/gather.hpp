// SPDX-License-Identifier: MIT
// take (gather) along an axis, and one_hot. Indices are int32 and are checked, always.
//   y[o, k, i] = x[o, index[k], i]      dx[o, index[k], i] += dy[o, k, i]
#pragma once

#include <gradus/kernels/gather.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

/// Throws IndexError for the first index outside 0 … n − 1.
inline void check_indices(const View<std::int32_t>& indices, Index n, const char* who, const char* what) {
  if (!indices.device.is_cpu()) return;  // the kernels of a device check where the indices are
  for (Index k = 0; k < indices.size(); ++k)
    detail::require<IndexError>(indices.data[k] >= 0 && indices.data[k] < n, who, ": ", what, " ",
                                indices.data[k], " at place ", k, " is outside 0 to ", n - 1);
}

template <class T> struct Take {
  static constexpr const char* name = "take";
  View<T> x;
  View<std::int32_t> indices;
  int axis;

  Shape shape() const {
    check_indices(indices, x.shape[axis], name, "index");
    Shape s;
    for (int i = 0; i < x.shape.rank(); ++i)
      if (i != axis)
        s.append(x.shape[i]);
      else
        for (const Index n : indices.shape.sizes()) s.append(n);
    return s;
  }
  void forward(const Sink<T>& y, Step&) { kernels::gather(y, x, kernels::Groups(x.shape, axis), indices); }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx, const Sink<std::int32_t>&) const {
    kernels::scatter_add(dx, dy, kernels::Groups(x.shape, axis), indices);
  }
};

template <class T> struct OneHot {
  static constexpr const char* name = "one_hot";
  View<std::int32_t> labels;
  Index classes;

  Shape shape() const {
    check_indices(labels, classes, name, "label");
    Shape s = labels.shape;
    s.append(classes);
    return s;
  }
  void forward(const Sink<T>& y, Step&) { kernels::one_hot(y, labels); }
  void backward(const View<T>&, Step&, const Sink<std::int32_t>&) const {}
};

}  // namespace ops

/// x's axis is replaced by the axes of `indices`. Throws IndexError.
template <Operand X, Operand I> auto take(const X& x, const I& indices, int axis = 0) {
  using T = scalar_of<X>;
  const int at = x.shape().axis(axis, "take");
  return apply(
      [&](const View<T>& v, const View<std::int32_t>& i) {
        return ops::Take<T>{v, i, at};
      },
      as_tensor(x), as_tensor(indices));
}
/// labels [...] → [..., classes], 1 at the label. Throws IndexError.
template <class T = float, Operand I> Tensor<T> one_hot(const I& labels, Index classes) {
  return apply([&](const View<std::int32_t>& v) { return ops::OneHot<T>{v, classes}; }, as_tensor(labels));
}

}  // namespace gradus
