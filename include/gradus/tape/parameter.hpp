// SPDX-License-Identifier: MIT
// What is learnt: a value and its gradient, both at addresses that do not change from step to step.
#pragma once

#include <gradus/tape/tensor.hpp>

namespace gradus {

/// Knows no tape: each use on one writes to the same gradient, uses add up, and an optimizer's step()
/// consumes it. Copying is deep; moving keeps the identity that optimizers and tapes refer to.
template <class T> class Parameter {
 public:
  using value_type = T;
  struct Leaf : detail::Block {  ///< where the numbers are: an optimizer moves them into its flat buffers
    Leaf() : Block{[](Block* b) { delete static_cast<Leaf*>(b); }, nullptr} {}
    Array<T> value, gradient_memory;
    Gradient gradient;
    bool untouched = false;  // as its initialiser made it
  };

  explicit Parameter(const Array<T>& value = {}) : share_(new Leaf) {
    leaf().value = value.copy();
    Gradient& own = leaf().gradient;
    own.shape = value.shape(), own.device = value.device(), own.owner = &leaf();
    own.allocate = [](Gradient& g) {  // on first need: inference alone takes none
      auto& memory = static_cast<Leaf*>(g.owner)->gradient_memory = Array<T>(g.shape, g.device);
      return static_cast<void*>(memory.mutable_data());
    };
  }
  Parameter(const Parameter& o) : Parameter(o.value()) {
    freeze(o.frozen()), leaf().untouched = o.leaf().untouched;
  }
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(Parameter o) noexcept { return std::swap(share_, o.share_), *this; }

  const Shape& shape() const { return value().shape(); }
  Device device() const { return value().device(); }
  /// Shares memory, and so follows training: copy() keeps today's numbers.
  const Array<T>& value() const { return leaf().value; }
  /// Overwrites in place. Throws ShapeError, changing nothing.
  void set_value(const Array<T>& v) {
    detail::require<ShapeError>(v.shape() == shape(), "parameter: it is ", shape(), ", not ", v.shape());
    leaf().untouched = false;
    detail::copy_bytes(device(), const_cast<T*>(value().data()), v.device(), v.data(), v.bytes());
  }
  /// Moves the numbers; a gradient stays behind, and an optimizer that had the parameter loses it.
  void to(Device device) {
    if (device == this->device()) return;
    leaf().value = value().to(device), leaf().gradient_memory = {};
    leaf().gradient.data = nullptr, leaf().gradient.device = device, leaf().gradient.written = false;
  }
  /// A copy of what backward has added up since the optimizer's last step. Throws TapeError: nothing.
  Array<T> gradient() const {
    const Gradient& g = leaf().gradient;
    detail::require<TapeError>(g.written, "gradient: parameter ", shape(), " has none (has backward run?)");
    return Array<T>::over(g.template view<T>()).copy();
  }
  /// Off the tape; not to outlive this.
  operator Tensor<T>() const { return {value(), !frozen(), &leaf().gradient}; }
  detail::Ticket ticket() const { return {&leaf().gradient, nullptr, 0, !frozen()}; }
  void freeze(bool frozen = true) { leaf().gradient.wanted = !frozen; }
  bool frozen() const { return !leaf().gradient.wanted; }
  Leaf& leaf() const { return *static_cast<Leaf*>(share_.get()); }
  const detail::Share& share() const { return share_; }  ///< of the leaf, for optimizers and tapes

 private:
  detail::Share share_;
};

}  // namespace gradus
