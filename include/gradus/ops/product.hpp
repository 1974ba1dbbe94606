// SPDX-License-Identifier: MIT
// prod over some axes or all of them: the halves of x are multiplied until one number is left. Its gradient is made of
// products alone, and so is right where numbers are 0.
#pragma once

#include <gradus/ops/reduce.hpp>

namespace gradus {
namespace ops {

/// [n, …] → [1, …], n ≥ 1
template <class T> Tensor<T> multiply_rows(Tensor<T> x) {
  for (Index n = x.shape()[0]; n > 1; n = x.shape()[0]) {
    const Index half = n / 2;
    Tensor<T> pairs = slice(x, 0, 0, half) * slice(x, 0, half, 2 * half);
    x = n % 2 ? concat({pairs, slice(x, 0, n - 1, n)}) : pairs;
  }
  return x;
}

}  // namespace ops

/// 1 where there is nothing to multiply. The error grows with log n. Cost: some five passes over x.
template <Operand X> auto prod(const X& x, const Axes& axes = {}, bool keepdims = false) {
  using T = scalar_of<X>;
  const Shape& s = x.shape();
  const unsigned bits = axes.of(s, "prod");
  const Index n = ops::count(s, bits);
  if (n == 0) return sum(x, axes, keepdims) + 1;
  Tensor<T> moved = as_tensor(x);
  if (bits & (bits + 1)) {  // what goes is not in front already, where its slices are runs of memory
    ops::Order order = {};
    std::size_t k = 0;
    for (const unsigned chosen : {1u, 0u})
      for (int i = 0; i < s.rank(); ++i)
        if ((bits >> i & 1) == chosen) order[k++] = i;
    moved = apply([&](const View<T>& v) { return ops::Permute<T>{v, order}; }, moved);
  }
  return reshape(ops::multiply_rows(reshape(moved, {n, s.size() / n})),
                 ops::reduced(s, bits, keepdims).sizes());
}

}  // namespace gradus
