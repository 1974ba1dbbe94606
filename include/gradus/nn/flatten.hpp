// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/nn/module.hpp>
#include <gradus/ops/shape.hpp>

namespace gradus::nn {

/// [B, …] → [B, the rest]
template <class T = float> struct Flatten final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return flatten(x); }
  std::string describe() const override { return "Flatten"; }
};

}  // namespace gradus::nn
