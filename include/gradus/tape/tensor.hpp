// SPDX-License-Identifier: MIT
// A Tensor is an Array with a ticket: where the tape keeps its gradient, and in which step that is true.
#pragma once

#include <gradus/core/step.hpp>

namespace gradus {

template <class T> class Tensor {
 public:
  using value_type = T;

  Tensor() = default;
  Tensor(const Array<T>& a, bool untaped = false, Gradient* g = nullptr)  // off the tape
      : array_(a), ticket_{g, nullptr, 0, untaped} {}
  template <class Numbers> Tensor(const Numbers& n, detail::StepState& s, Gradient* g)  // a View or a Sink
      : array_(Array<T>::over(n)), ticket_{g, &s, s.number} {}

  const Shape& shape() const { return array_.shape(); }
  Index size() const { return array_.size(); }
  Device device() const { return array_.device(); }
  /// The numbers alone. Off the tape they are shared; on it they are copied: the next step reuses the memory.
  Array<T> array() const { return check("array"), step() ? array_.copy() : array_; }
  /// The same numbers as a constant: no gradient flows through it, and it outlives the step.
  Tensor detach() const { return array(); }
  /// The value of a one-element tensor; waits for its device. Throws ShapeError.
  T item() const { return check("item"), array_.item(); }
  /// y(i, j): read, on the CPU. Throws IndexError.
  template <std::integral... I> T operator()(I... i) const { return check("()"), array_(i...); }

  const View<T>& view() const { return array_.view(); }
  const detail::Share& share() const { return array_.share(); }
  const detail::Ticket& ticket() const { return ticket_; }
  detail::StepState* step() const { return ticket_.step; }
  Gradient* gradient() const { return ticket_.gradient; }
  bool wants_gradient() const { return ticket_.wants_gradient(); }
  void check(const char* who) const { ticket_.check(who, shape()); }

 private:
  Array<T> array_;
  detail::Ticket ticket_;
};

/// What ops take: a Tensor, an Array or a Parameter.
template <class T> const Tensor<T>& as_tensor(const Tensor<T>& t) { return t; }
template <class T> Tensor<T> as_tensor(const Array<T>& a) { return a; }
template <class T> Tensor<T> as_tensor(const Parameter<T>& p) { return p; }
template <class X>
concept Operand = std::is_object_v<std::remove_cvref_t<decltype(as_tensor(std::declval<const X&>()))>>;
template <class X> using scalar_of = typename X::value_type;

}  // namespace gradus
