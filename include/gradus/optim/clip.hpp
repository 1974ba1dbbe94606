// SPDX-License-Identifier: MIT
// Gradients kept in bounds before the step:
//   value         g ← min(max(g, −c), c)
//   norm          g ← g · min(1, c / ‖g‖), for each parameter by itself (Keras' clipnorm)
//   global_norm   the same with the norm over all parameters (Pascanu et al., ICML 2013)
// Keras' clipvalue, clipnorm and global_clipnorm; PyTorch's clip_grad_value_, and clip_grad_norm_ is
// {.global_norm = c, .epsilon = 1e-6}: it takes ‖g‖ + ε for ‖g‖.
#pragma once

#include <gradus/kernels/reduce.hpp>
#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// 0: not clipped so. Those that are given apply in this order.
struct Clip {
  double value = 0, norm = 0, global_norm = 0, epsilon = 0;

  bool any() const { return value > 0 || norm > 0 || global_norm > 0; }
  void check() const {
    detail::in_range("clip", "value", value, 0);
    detail::in_range("clip", "norm", norm, 0);
    detail::in_range("clip", "global_norm", global_norm, 0);
    detail::in_range("clip", "epsilon", epsilon, 0);
  }
};

namespace detail {

struct Squared {
  template <class X> static X value(X g) { return g * g; }
};
struct ClipValue {
  template <class X> static X value(X g, X c) { return math::min(math::max(g, -c), c); }
};
struct ClipNorm {  // g · min(1, c / (√(sum of squares) + ε)); the sum stays on the device
  template <class X> static X value(X g, X squares, X c, X epsilon) {
    const X norm = math::sqrt(squares) + epsilon;
    return g * math::select(norm > c, c / norm, X(1));
  }
};

/// Clips the gradients: `each(f)` calls f(Sink<T>) for every one; `squares` holds one number on their device.
template <class T, class Each> void clip(const Clip& c, const Each& each, const Sink<T>& squares) {
  constexpr auto& squared = kernels::formula<Squared, T, T, 0, T>;
  Gradient total{squares.data, squares.shape, squares.device};  // so that the sums of all parameters add up
  const Sink<T> sum{nullptr, squares.shape, squares.device, &total};
  const auto scale = [&](const Sink<T>& g, double limit) {
    kernels::map<ClipNorm, T>(g, std::array{static_cast<T>(limit), static_cast<T>(c.epsilon)}, g.view(),
                              squares.view());
  };
  if (c.value > 0)
    each([&](const Sink<T>& g) {
      kernels::map<ClipValue, T>(g, std::array{static_cast<T>(c.value)}, g.view());
    });
  if (c.norm > 0)
    each([&](const Sink<T>& g) {
      kernels::sum_all<T>(squared, squares, T(1), nullptr, g.view());
      scale(g, c.norm);
    });
  if (c.global_norm > 0) {
    each([&](const Sink<T>& g) { kernels::sum_all<T>(squared, sum, T(1), nullptr, g.view()); });
    each([&](const Sink<T>& g) { scale(g, c.global_norm); });
  }
}

}  // namespace detail
}  // namespace gradus::optim
