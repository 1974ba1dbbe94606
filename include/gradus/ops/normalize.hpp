// SPDX-License-Identifier: MIT
// layer_norm rms_norm: each sample over some of its own axes. Weight and bias, where they are wanted, are a
// product and a sum: layer_norm(x) * weight + bias.
//   layer_norm   y = (x − m) / √(mean((x − m)²) + ε), m = mean(x)      (Ba, Kiros, Hinton, 2016)
//   rms_norm     y = x / √(mean(x²) + ε)                               (Zhang, Sennrich, NeurIPS 2019)
#pragma once

#include <gradus/ops/reduce.hpp>

namespace gradus {

/// Of mean 0 and variance 1 over `axes`; ε is PyTorch's and ONNX's.
template <Operand X> auto layer_norm(const X& x, const Axes& axes = -1, double epsilon = 1e-5) {
  const auto centred = x - mean(x, axes, true);
  return centred * rsqrt(mean(square(centred), axes, true) + epsilon);
}
/// Of mean square 1 over `axes`; ε is ONNX's (PyTorch's is the type's 2⁻²³ or 2⁻⁵²).
template <Operand X> auto rms_norm(const X& x, const Axes& axes = -1, double epsilon = 1e-5) {
  return x * rsqrt(mean(square(x), axes, true) + epsilon);
}

}  // namespace gradus
