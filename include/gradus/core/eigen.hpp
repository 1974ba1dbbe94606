// SPDX-License-Identifier: MIT
// The doors between arrays and Eigen. Both sides are dense; Eigen's default is column-major, an array is
// row-major always: a Matrix<T, Dynamic, Dynamic, RowMajor> passes without a copy, anything else with one.
#pragma once

#ifndef EIGEN_NO_CUDA
#define EIGEN_NO_CUDA
#endif
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <gradus/core/array.hpp>

namespace gradus {

/// How Eigen sees an array: [n] as one column of n rows, [m, n] as m rows.
template <class T> using EigenMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

template <class Derived> Shape shape_of(const Eigen::DenseBase<Derived>& m) {
  if (Derived::IsVectorAtCompileTime) return {m.size()};
  return {m.rows(), m.cols()};
}

template <class T> void require_matrix(const Array<T>& a, const char* who) {
  require<DeviceError>(a.device().is_cpu(), who, ": the array ", a.shape(), " is on ", a.device().name(),
                       "; move it with .to(\"cpu\")");
  require<ShapeError>(a.rank() == 1 || a.rank() == 2, who, ": the array is ", a.shape(),
                      "; Eigen has room for rank 1 and 2, and reshape() changes the rank");
}
template <class T> Index eigen_columns(const Array<T>& a) { return a.rank() == 2 ? a.shape()[1] : 1; }

}  // namespace detail

/// A copy of any dense expression, computed straight into the array: [rows, cols], or [n] for what is a
/// vector at compile time.
template <class Derived>
Array<typename Derived::Scalar> from_eigen(const Eigen::DenseBase<Derived>& expression) {
  using T = typename Derived::Scalar;
  auto a = Array<T>::uninitialized(detail::shape_of(expression));
  constexpr bool is_array =
      std::is_same_v<typename Eigen::internal::traits<Derived>::XprKind, Eigen::ArrayXpr>;
  using Plain = std::conditional_t<is_array, Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                                   EigenMatrix<T>>;
  Eigen::Map<Plain> to(a.mutable_data(), expression.rows(), expression.cols());
  if constexpr (is_array)
    to = expression.derived();
  else
    to.noalias() = expression.derived();  // the memory is new: a product needs no temporary
  return a;
}

/// A matrix or array that is moved in and is row-major, or a vector, becomes the array's memory: no copy.
template <class Derived>
  requires(bool(Derived::IsRowMajor) || bool(Derived::IsVectorAtCompileTime))
Array<typename Derived::Scalar> from_eigen(Eigen::PlainObjectBase<Derived>&& matrix) {
  const Shape shape = detail::shape_of(matrix);
  return Array<typename Derived::Scalar>::adopt(static_cast<Derived&&>(matrix.derived()), shape);
}

/// The array's own memory, read-only, while the array (or one that shares with it) lives. Rank 1 is one
/// column. Throws ShapeError for other ranks, DeviceError for numbers that are not on the CPU.
template <class T> Eigen::Map<const EigenMatrix<T>> as_eigen(const Array<T>& a) {
  detail::require_matrix(a, "as_eigen");
  return {a.data(), a.shape()[0], detail::eigen_columns(a)};
}

/// The same, to write into. Throws OwnershipError, too, where the memory is shared.
template <class T> Eigen::Map<EigenMatrix<T>> as_mutable_eigen(Array<T>& a) {
  detail::require_matrix(a, "as_mutable_eigen");
  return {a.mutable_data(), a.shape()[0], detail::eigen_columns(a)};
}

}  // namespace gradus
