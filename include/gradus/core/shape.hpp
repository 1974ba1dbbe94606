// SPDX-License-Identifier: MIT
// The sizes of an array's axes, row-major: the last axis is contiguous.
//
// Broadcasting (NumPy): shapes are aligned at their last axes; two sizes fit if they are equal or one of them
// is 1.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>

#include <gradus/core/error.hpp>
#include <gradus/fwd.hpp>

namespace gradus {

/// Rank 0 (a scalar) to 6. Sizes are 64-bit and not negative; their product is checked once, here, and kept:
/// no size arithmetic after it can overflow. 64 bytes, trivially copyable.
struct Shape {
  static constexpr int max_rank = 6;

  constexpr Shape() = default;
  Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const Index> sizes) {
    if (sizes.size() > max_rank)
      detail::fail<ShapeError>("shape: ", sizes.size(), " axes; at most ", max_rank, " are possible");
    for (std::size_t i = 0; i < sizes.size(); ++i) append(sizes[i]);
  }

  /// [0]: nothing.
  static constexpr Shape none() {
    Shape s;
    s.rank_ = 1, s.size_ = 0;
    return s;
  }

  /// Throws ShapeError if `n` is negative, if the rank is 6 already, or if the product passes 2⁵⁶: elements
  /// of up to 64 bytes can still be counted in bytes. Sizes beside a 0 are checked as if it were 1, so that
  /// outer, inner and rows cannot overflow either.
  void append(Index n) {
    Index product = size_;
    if (n <= 0 || size_ == 0 || rank_ == max_rank || __builtin_mul_overflow(product, n, &product) ||
        product > (Index(1) << 56)) [[unlikely]]
      return append_with_care(n);
    sizes_[rank_++] = n;
    size_ = product;
  }

  constexpr int rank() const { return rank_; }
  constexpr Index size() const { return size_; }  ///< the number of elements; 1 for a scalar
  constexpr Index operator[](int axis) const { return sizes_[axis]; }  ///< unchecked; 0 ≤ axis < rank
  constexpr std::span<const Index> sizes() const { return {sizes_, std::size_t(rank_)}; }

  /// As a matrix: the last axis is a row, everything before it counts rows. A scalar is [1, 1].
  constexpr Index columns() const { return rank_ ? sizes_[rank_ - 1] : 1; }
  constexpr Index rows() const {
    Index n = 1;
    for (int i = 0; i + 1 < rank_; ++i) n *= sizes_[i];
    return n;
  }

  /// The number of elements before (`outer`) and after (`inner`) an axis: element (o, k, i) is at (o·n +
  /// k)·inner + i.
  constexpr Index outer(int axis) const { return product(0, axis); }
  constexpr Index inner(int axis) const { return product(axis + 1, rank_); }

  /// −1 is the last axis. Throws ShapeError, in the name of `who`, where there is no such axis.
  int axis(Index axis, const char* who) const {
    if (axis < -rank_ || axis >= rank_)
      detail::fail<ShapeError>(who, ": axis ", axis, " is outside ", str(), ", whose axes are ", -rank_,
                               " to ", rank_ - 1);
    return int(axis < 0 ? axis + rank_ : axis);
  }

  /// The same shape with another size (or, `without`, no size) at an axis; 0 ≤ axis < rank.
  Shape with(int axis, Index n) const {
    Shape s;
    for (int i = 0; i < rank_; ++i) s.append(i == axis ? n : sizes_[i]);
    return s;
  }
  Shape without(int axis) const {
    Shape s;
    for (int i = 0; i < rank_; ++i)
      if (i != axis) s.append(sizes_[i]);
    return s;
  }

  /// `sizes` with its −1 filled in. Throws ShapeError where the number of elements would change.
  Shape reshaped(std::span<const Index> sizes) const {
    Shape known;  // with 1 for the size of −1
    int unknown = 0, axis = -1;
    for (const Index n : sizes) {
      if (n == -1) ++unknown, axis = known.rank();
      known.append(n == -1 ? 1 : n);
    }
    if (unknown > 1)
      detail::fail<ShapeError>("reshape: ", text(sizes), " has ", unknown,
                               " sizes of -1; at most one is possible");
    if (unknown && (known.size() == 0 || size_ % known.size() != 0))
      detail::fail<ShapeError>("reshape: ", *this, " has ", size_, " elements, which ", text(sizes),
                               " cannot hold");
    const Shape s = unknown ? known.with(axis, size_ / known.size()) : known;
    if (s.size() != size_)
      detail::fail<ShapeError>("reshape: ", *this, " has ", size_, " elements, ", s, " has ", s.size());
    return s;
  }

  std::string str() const { return text(sizes()); }  ///< "[2, 3]"

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_ || a.size_ != b.size_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

 private:
  static std::string text(std::span<const Index> sizes) {
    std::string s = "[";
    for (std::size_t i = 0; i < sizes.size(); ++i) s.append(i ? ", " : "").append(std::to_string(sizes[i]));
    return s.append("]");
  }
  [[gnu::noinline]] void append_with_care(Index n) {
    if (n < 0) detail::fail<ShapeError>("shape: size ", n, " of axis ", rank_, " is negative");
    if (rank_ == max_rank) detail::fail<ShapeError>("shape: ", str(), " has ", max_rank, " axes already");
    Index product = size_;
    if (size_ == 0) {
      product = 1;
      for (int i = 0; i < rank_; ++i) product *= sizes_[i] ? sizes_[i] : 1;
    }
    if (__builtin_mul_overflow(product, n ? n : 1, &product) || product > (Index(1) << 56))
      detail::fail<ShapeError>("shape: ", str(), " times ", n, " is more elements than memory can hold");
    sizes_[rank_++] = n;
    size_ = n && size_ ? product : 0;
  }

  constexpr Index product(int first, int last) const {
    Index n = 1;
    for (int i = first; i < last; ++i) n *= sizes_[i];
    return n;
  }

  Index sizes_[max_rank] = {};
  Index size_ = 1;
  int rank_ = 0;
};

/// How an axis lies in a shape: [outer, n, inner].
struct Groups {
  Index outer, n, inner;
  Groups(Index o, Index k, Index i) : outer(o), n(k), inner(i) {}
  Groups(const Shape& s, int axis) : outer(s.outer(axis)), n(s[axis]), inner(s.inner(axis)) {}
};

/// The shape that a and b have together under broadcasting. Throws ShapeError naming `who` and both shapes.
inline Shape broadcast(const Shape& a, const Shape& b, const char* who) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  Shape s;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const Index na = ia < 0 ? 1 : a[ia], nb = ib < 0 ? 1 : b[ib];
    if (na != nb && na != 1 && nb != 1)
      detail::fail<ShapeError>(who, ": a is ", a, ", b is ", b, "; sizes must be equal or 1, but axis ",
                               i - rank, " has ", na, " and ", nb);
    s.append(na == 1 ? nb : na);
  }
  return s;
}

}  // namespace gradus
