// SPDX-License-Identifier: MIT
// Numbers on a device: contiguous, row-major, counted.
//
// Copies, reshapes and slices along axis 0 share memory, and shared memory is read-only: writing asks for
// sole ownership (copy() gives it). Everything that computes takes a Tensor, into which an Array turns by
// itself.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <gradus/core/dtype.hpp>
#include <gradus/core/memory.hpp>
#include <gradus/core/view.hpp>

namespace gradus {

template <class T> class Array {
  static_assert(std::is_trivially_copyable_v<T>, "an array's elements are plain numbers");
  template <class U> using List = std::initializer_list<U>;
  /// A number or a list in braces: {{1}, {2}} is two rows, which lists of lists of T would not tell from two
  /// numbers.
  struct Nested {
    template <class S>
      requires(std::is_convertible_v<S, T> && !(std::is_integral_v<T> && std::is_floating_point_v<S>))
    Nested(const S& x) : value(static_cast<T>(x)) {}
    Nested(List<Nested> list) : items(list), is_list(true) {}
    T value{};
    List<Nested> items{};
    bool is_list = false;
  };

 public:
  using value_type = T;

  Array() : view_(nothing) {}  ///< [0]: nothing

  /// Zeros.
  explicit Array(const Shape& shape, Device device = {}) : Array(uninitialized(shape, device)) {
    detail::zero(begin_(), size(), device);
  }

  /// Array<float>{1, 2, 3}, {{1, 2}, {3, 4}}, {{{…}}} and so on. Throws ShapeError where rows differ in
  /// length.
  Array(List<Nested> values) : Array(uninitialized(shape_of(values))) { fill(values, 0, begin_()); }

  /// A copy of `values`, row-major. Throws ShapeError where their number is not the shape's.
  static Array from(std::span<const T> values, const Shape& shape) {
    expect_size(Index(values.size()), shape);
    Array a = uninitialized(shape);
    std::copy(values.begin(), values.end(), a.begin_());
    return a;
  }
  static Array from(std::span<const T> values) { return from(values, {Index(values.size())}); }

  /// The array owns `owner` from here on and uses its memory: nothing is copied. `owner` has data() and
  /// size().
  template <class Owner> static Array adopt(Owner&& owner, const Shape& shape) {
    static_assert(!std::is_reference_v<Owner>,
                  "adopt takes what is moved into it: adopt(std::move(values), shape)");
    static_assert(std::is_same_v<decltype(owner.data()), T*>, "adopt takes numbers of the array's own type");
    expect_size(Index(owner.size()), shape);
    struct Adopted : detail::Block {
      Owner owner;
      explicit Adopted(Owner&& o)
          : Block{[](Block* b) { delete static_cast<Adopted*>(b); }, nullptr}, owner(std::move(o)) {
        data = owner.data();
      }
    };
    auto* block = new Adopted(std::move(owner));
    return Array(static_cast<const T*>(block->data), shape, {}, detail::Share(block));
  }
  static Array adopt(std::vector<T>&& values) {
    const Index n = Index(values.size());
    return adopt(std::move(values), {n});
  }

  /// Reads memory that the caller keeps alive as long as the array and all that share with it. Read-only.
  static Array borrow(std::span<const T> values, const Shape& shape) {
    expect_size(Index(values.size()), shape);
    return Array(values.data(), shape, {}, {});
  }
  static Array borrow(std::span<const T> values) { return borrow(values, {Index(values.size())}); }
  static Array borrow(std::vector<T>&&, const Shape&) = delete;  // it would be gone before the array
  static Array borrow(std::vector<T>&&) = delete;

  /// For a kernel to fill.
  static Array uninitialized(const Shape& shape, Device device = {}) {
    detail::Block* block = detail::allocate(device, std::size_t(shape.size()) * sizeof(T));
    return Array(static_cast<const T*>(block->data), shape, device, detail::Share(block));
  }

  /// What `share` keeps alive (empty: somebody else, longer than this array lives).
  template <class Numbers> static Array over(const Numbers& n, detail::Share share = {}) {
    return Array(n.data, n.shape, n.device, std::move(share));
  }

  Array(const Array&) = default;
  Array(Array&& o) noexcept : view_(o.view_), share_(std::move(o.share_)) { o.view_ = nothing; }
  Array& operator=(const Array&) = default;
  Array& operator=(Array&& o) noexcept {
    if (this == &o) return *this;
    view_ = o.view_;
    share_ = std::move(o.share_);
    o.view_ = nothing;
    return *this;
  }

  const Shape& shape() const { return view_.shape; }
  int rank() const { return shape().rank(); }
  Index size() const { return shape().size(); }
  std::size_t bytes() const { return std::size_t(size()) * sizeof(T); }
  Device device() const { return view_.device; }
  const View<T>& view() const { return view_; }
  const detail::Share& share() const {
    return share_;
  }  ///< for those who need the memory beyond this array's life

  /// An address on the array's device. begin, end, values and element access are for the CPU alone.
  const T* data() const { return view_.data; }
  std::span<const T> values() const {
    return on_cpu("values"), std::span<const T>(data(), std::size_t(size()));
  }
  const T* begin() const { return on_cpu("values"), data(); }
  const T* end() const { return begin() + size(); }

  /// a(i, j): read. As many indices as axes; −1 is the last. Throws IndexError.
  template <std::integral... I> const T& operator()(I... i) const { return data()[offset({Index(i)...})]; }

  /// a.ref(i, j) = 3: write. Throws OwnershipError where the memory is shared.
  template <std::integral... I> T& ref(I... i) {
    const Index at = offset({Index(i)...});
    return mutable_data()[at];
  }

  /// Throws OwnershipError where the memory is shared with another array or a tensor, or is the caller's own
  /// (borrow) or another library's (from_dlpack).
  T* mutable_data() {
    if (share_.owners() == 0 && size() > 0)
      detail::fail<OwnershipError>("array ", shape(), ": borrowed memory is read-only; copy() it first");
    if (share_.owners() > 1)
      detail::fail<OwnershipError>("array ", shape(), ": its memory is shared by ", share_.owners(),
                                   " owners and so read-only; copy() it first");
    return begin_();
  }
  std::span<T> mutable_values() {
    return on_cpu("mutable_values"), std::span<T>(mutable_data(), std::size_t(size()));
  }

  /// The value of a one-element array, from any device (waits for it). Throws ShapeError.
  T item() const {
    if (size() != 1) detail::fail<ShapeError>("item: the array is ", shape(), "; it must hold one number");
    T value;
    detail::copy_bytes({}, &value, device(), data(), sizeof(T));
    return value;
  }

  Array copy() const { return to_new(device()); }
  /// Shares where it is there already, else copies. Waits for the source's device.
  Array to(Device target) const { return target == device() ? *this : to_new(target); }

  /// Every element as another type, on the CPU: a.to<double>().
  template <class U> Array<U> to() const {
    auto result = Array<U>::uninitialized(shape());
    U* to = result.mutable_data();
    for (const T& x : *this) *to++ = static_cast<U>(x);
    return result;
  }

  /// The same numbers in another shape, sharing memory; one size may be −1. Throws ShapeError.
  Array reshape(std::span<const Index> sizes) const {
    Array a = *this;
    a.view_.shape = shape().reshaped(sizes);
    return a;
  }
  Array reshape(List<Index> sizes) const { return reshape(std::span(sizes.begin(), sizes.size())); }
  Array flatten() const { return reshape({-1}); }

  /// Rows first … last − 1 along axis 0, sharing memory. Throws IndexError.
  Array slice(Index first, Index last) const {
    if (rank() == 0) detail::fail<ShapeError>("slice: the array is a scalar; it has no axis to slice");
    const Index n = shape()[0], from = first < 0 ? first + n : first, to = last < 0 ? last + n : last;
    if (from < 0 || to > n || from > to)
      detail::fail<IndexError>("slice: rows ", first, " to ", last, " are not within the ", n, " rows of ",
                               shape());
    Array a = *this;
    a.view_.shape = shape().with(0, to - from);
    a.view_.data += from * shape().inner(0);
    return a;
  }
  /// Row i along axis 0, one rank less, sharing memory. Throws IndexError.
  Array operator[](Index i) const {
    if (rank() == 0) detail::fail<ShapeError>("operator[]: the array is a scalar; item() reads it");
    const Index n = shape()[0], at = i < 0 ? i + n : i;
    if (at < 0 || at >= n) detail::fail<IndexError>("index ", i, " is outside axis 0 of ", shape());
    Array a = slice(at, at + 1);
    a.view_.shape = shape().without(0);
    return a;
  }

 private:
  // the view is made in place: what has just been stored in parts is slow to load as a whole
  Array(const T* data, const Shape& shape, Device device, detail::Share share)
      : view_{data, shape, device}, share_(std::move(share)) {}
  static constexpr View<T> nothing{nullptr, Shape::none(), {}};  // not made anew, for the same reason

  T* begin_() { return const_cast<T*>(view_.data); }

  Array to_new(Device target) const {
    Array a = uninitialized(shape(), target);
    detail::copy_bytes(target, a.begin_(), device(), data(), bytes());
    return a;
  }

  void on_cpu(const char* who) const {
    if (!device().is_cpu())
      detail::fail<DeviceError>(who, ": the array ", shape(), " is on ", device().name(),
                                "; move it with .to(\"cpu\")");
  }

  Index offset(List<Index> indices) const {
    on_cpu("element access");
    if (Index(indices.size()) != rank())
      detail::fail<IndexError>("array ", shape(), ": ", indices.size(),
                               " indices; as many as axes are needed");
    Index at = 0;
    int axis = 0;
    for (const Index i : indices) {
      const Index n = shape()[axis], j = i < 0 ? i + n : i;
      if (j < 0 || j >= n)
        detail::fail<IndexError>("array ", shape(), ": index ", i, " is outside axis ", axis);
      at = at * n + j;
      ++axis;
    }
    return at;
  }

  static void expect_size(Index n, const Shape& shape) {
    if (n != shape.size())
      detail::fail<ShapeError>("array: ", n, " values for a shape ", shape, " of ", shape.size());
  }
  static Shape shape_of(List<Nested> values) {
    Shape s;
    for (const List<Nested>* list = &values;; list = &list->begin()->items) {
      s.append(Index(list->size()));
      if (list->size() == 0 || !list->begin()->is_list) return s;
    }
  }
  T* fill(List<Nested> list, int axis, T* to) {
    const bool numbers = axis + 1 == rank();
    if (Index(list.size()) != shape()[axis])
      detail::fail<ShapeError>("array: a row of ", list.size(), " values where the first one has ",
                               shape()[axis]);
    for (const Nested& x : list) {
      if (x.is_list == numbers)
        detail::fail<ShapeError>("array: numbers and rows side by side, as in {1, {2}}");
      if (numbers)
        *to++ = x.value;
      else
        to = fill(x.items, axis + 1, to);
    }
    return to;
  }

  View<T> view_;
  detail::Share share_;
};

/// The numbers where the host can read them: where they are, or copied to `room` (waits for their device).
template <class T> View<T> readable(const View<T>& v, Array<T>& room) {
  if (v.device.is_cpu()) return v;
  room = Array<T>::over(v).to(Device());
  return room.view();
}

template <class T> Array<T> zeros(const Shape& shape, Device device = {}) { return Array<T>(shape, device); }
template <class T> Array<T> full(const Shape& shape, T value, Device device = {}) {
  auto a = Array<T>::uninitialized(shape);
  std::fill_n(a.mutable_data(), a.size(), value);
  return a.to(device);
}
template <class T> Array<T> ones(const Shape& shape, Device device = {}) { return full(shape, T(1), device); }
/// 0, 1 … n − 1.
template <class T> Array<T> arange(Index n) {
  auto a = Array<T>::uninitialized(Shape{n});
  for (Index i = 0; i < n; ++i) a.mutable_data()[i] = static_cast<T>(i);
  return a;
}
/// The identity matrix [n, n].
template <class T> Array<T> eye(Index n) {
  auto a = Array<T>(Shape{n, n});
  for (Index i = 0; i < n; ++i) a.mutable_data()[i * n + i] = T(1);
  return a;
}

/// Same shape and equal elements (so NaN differs from itself), on the CPU.
template <class T> bool operator==(const Array<T>& a, const Array<T>& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

}  // namespace gradus
