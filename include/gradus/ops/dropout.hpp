// SPDX-License-Identifier: MIT
// y = x · m / (1 − p), m = 1 with probability 1 − p, else 0      dx = dy · m / (1 − p)
// Only on a tape that trains. The op keeps the number of its draw and not the mask.
#pragma once

#include <gradus/kernels/random.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {
namespace ops {

template <class T> struct Dropout {
  static constexpr const char* name = "dropout";
  View<T> x;
  double p;
  random::Stream stream;
  random::Draw draw = {};

  Shape shape() const { return x.shape; }
  void forward(const Sink<T>& y, Step& step) {
    if (!step.training())
      p = 0;  // all is kept, exactly
    else
      draw = step.draw();
    kernels::dropout(y, x, p, stream, draw);
  }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const {
    kernels::dropout(dx, dy, p, stream, draw);
  }
};

}  // namespace ops

/// Throws ValueError unless 0 ≤ p < 1. `seed` names the stream; each use in a step and each step draw anew.
template <Operand X> auto dropout(const X& x, double p, std::uint64_t seed = 0) {
  using T = scalar_of<X>;
  detail::require<ValueError>(p >= 0 && p < 1, "dropout: p is ", p,
                              "; it must be at least 0 and less than 1");
  return apply(
      [&](const View<T>& v) {
        return ops::Dropout<T>{v, p, random::Stream(seed, "dropout")};
      },
      as_tensor(x));
}

}  // namespace gradus
