// SPDX-License-Identifier: MIT
// What kernels read: numbers that somebody else owns, with their shape and their device.
#pragma once

#include <gradus/core/device.hpp>
#include <gradus/core/shape.hpp>
#include <gradus/fwd.hpp>

namespace gradus {

/// Read-only, contiguous, row-major. Trivially copyable: ops keep Views, and the tape forgets them without a
/// visit. Valid as long as the Array, Parameter or Tape step that it was taken from.
template <class T> struct View {
  const T* data = nullptr;
  Shape shape;
  Device device;

  Index size() const { return shape.size(); }
};

}  // namespace gradus
