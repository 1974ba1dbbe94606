// SPDX-License-Identifier: MIT
// Second derivatives of a function of one array, forward over reverse (core/dual.hpp):
//
//   hvp(f, x, v)     H·v, the Hessian times a vector, for the price of some three gradients
//   hessian(f, x)    H, a column at a time
//
// f is written for tensors of any scalar: [](const auto& x) { return sum(square(x)); }.
#pragma once

#include <gradus/core/dual.hpp>
#include <gradus/ops/grad.hpp>

namespace gradus {

/// Σⱼ ∂²f/∂xᵢ∂xⱼ · vⱼ, in x's shape. f takes a Tensor<Dual<T>> and returns a loss of one number; v has x's shape.
/// On the CPU. Throws ShapeError, DeviceError, and what backward throws.
template <class F, class T> Array<T> hvp(const F& f, const Array<T>& x, const Array<T>& v) {
  detail::require<ShapeError>(x.shape() == v.shape(), "hvp: x is ", x.shape(), ", v is ", v.shape(),
                              "; they must be equal");
  detail::require<DeviceError>(x.device().is_cpu() && v.device().is_cpu(), "hvp: x is on ", x.device().name(),
                               ", v on ", v.device().name(),
                               "; second derivatives are computed on the CPU (x.to(\"cpu\"))");
  auto along = Array<Dual<T>>::uninitialized(x.shape());
  for (Index i = 0; i < x.size(); ++i) along.mutable_data()[i] = {x.data()[i], v.data()[i]};
  const Array<Dual<T>> d = grad(f, along);
  auto product = Array<T>::uninitialized(x.shape());
  for (Index i = 0; i < x.size(); ++i) product.mutable_data()[i] = d.data()[i].tangent;
  return product;
}

/// ∂²f/∂xᵢ∂xⱼ as [n, n] for the n numbers of x in their order: column j is hvp(f, x, eⱼ). For small x: n products,
/// n² numbers. Symmetric but for rounding. Throws what hvp throws.
template <class F, class T> Array<T> hessian(const F& f, const Array<T>& x) {
  const Index n = x.size();
  Array<T> h(Shape{n, n}), e(x.shape());
  for (Index j = 0; j < n; ++j) {
    e.mutable_data()[j] = 1;
    const Array<T> column = hvp(f, x, e);
    e.mutable_data()[j] = 0;
    for (Index i = 0; i < n; ++i) h.mutable_data()[i * n + j] = column.data()[i];
  }
  return h;
}

}  // namespace gradus
