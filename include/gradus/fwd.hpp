// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace gradus {

/// Every size, index and stride. Signed, so that differences and loops that count down are safe.
using Index = std::ptrdiff_t;

struct Shape;
class Device;
template <class T> struct View;
template <class T> struct Sink;
template <class T> class Array;
template <class T> class Tensor;
template <class T> class Parameter;
class Tape;

}  // namespace gradus
