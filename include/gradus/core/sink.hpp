// SPDX-License-Identifier: MIT
// Where a kernel writes. Every kernel begins with
//
//   auto to = out.open();  if (!to) return;
//
// A forward sink assigns. A gradient sink assigns on the first write of a step and adds after, so that no
// gradient is ever zeroed before or read needlessly. An unwanted sink swallows everything: its kernel does no
// work.
#pragma once

#include <utility>

#include <gradus/core/memory.hpp>
#include <gradus/core/view.hpp>

namespace gradus {
namespace detail {
struct StepState;
}

/// The numbers of ∂loss/∂(a tensor) during one step of a tape. A Parameter's lives as long as
/// the Parameter and the steps that use it.
struct Gradient {
  void* data = nullptr;
  Shape shape;
  Device device;
  bool wanted = true;                      ///< false: frozen; nothing is computed for it
  bool written = false;                    ///< the first write sets it; an optimizer's step() clears it
  detail::Block* owner = nullptr;          ///< a parameter's leaf, which outlives the step; else the
  detail::StepState* step = nullptr;       ///< step that has the memory
  void* (*allocate)(Gradient&) = nullptr;  ///< gives it on the first write

  template <class T> View<T> view() const { return {static_cast<const T*>(data), shape, device}; }
};

template <class T> struct Sink {
  T* data = nullptr;  ///< of a forward sink
  Shape shape;
  Device device;
  Gradient* gradient = nullptr;  ///< nullptr: a forward sink; without data nobody wants it

  struct Target {
    T* data;
    bool add;
    explicit operator bool() const { return data != nullptr; }
  };

  bool wanted() const { return data || gradient; }

  /// For a kernel that writes every element. Mode and place are decided here and not when the sink is made:
  /// matmul(x, x) hands the same gradient to two kernels, and the second one must add to what is there then.
  Target open() const {
    if (!gradient) return {data, false};
    if (!gradient->data) gradient->data = gradient->allocate(*gradient);
    return {static_cast<T*>(gradient->data), std::exchange(gradient->written, true)};
  }

  /// For a kernel that writes only a part (a slice, looked-up rows): always adds, to zeros on the first
  /// write.
  Target open_part() const {
    auto to = open();
    if (to && !to.add) {
      detail::zero(to.data, size(), device);
      to.add = true;
    }
    return to;
  }

  /// Numbers that are there already become the gradient, if this is its first write and it has no place of its
  /// own. They may be added to.
  bool adopt(const T* numbers) const {
    if (!gradient || gradient->written || gradient->owner) return false;
    gradient->data = const_cast<T*>(numbers);
    return gradient->written = true;
  }

  Index size() const { return shape.size(); }
  View<T> view() const { return {data, shape, device}; }
};

}  // namespace gradus
