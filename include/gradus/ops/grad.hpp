// SPDX-License-Identifier: MIT
// The gradient of a function of one array:  auto g = grad([](auto x) { return sum(square(x)); }, x);
#pragma once

#include <utility>

#include <gradus/tape/tape.hpp>

namespace gradus {

/// f takes a Tensor<T> and returns a loss of one number. Returns f(x) and ∂f/∂x. Throws what backward throws.
template <class F, class T> std::pair<T, Array<T>> value_and_grad(const F& f, const Array<T>& x) {
  Tape tape;
  const Tensor<T> v = tape.variable(x);
  const Tensor<T> loss = f(v);
  tape.backward(loss);
  return {loss.item(), v.gradient()->written ? tape.gradient(v) : Array<T>(x.shape(), x.device())};
}
template <class F, class T> Array<T> grad(const F& f, const Array<T>& x) {
  return value_and_grad(f, x).second;
}

}  // namespace gradus
