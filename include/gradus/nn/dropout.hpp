// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/nn/module.hpp>
#include <gradus/ops/dropout.hpp>

namespace gradus::nn {

/// Zeroes with probability p on a tape that trains, and scales the rest by 1 / (1 − p); elsewhere the
/// identity.
template <class T = float> struct Dropout final : Layer<T> {
  double p;
  std::uint64_t seed;

  /// Throws ValueError unless 0 ≤ p < 1.
  explicit Dropout(double probability, std::uint64_t s = 0) : p(probability), seed(s) {
    detail::require<ValueError>(p >= 0 && p < 1, "Dropout: p is ", p,
                                "; it must be at least 0 and less than 1");
  }
  Tensor<T> operator()(const Tensor<T>& x) const override { return x.step() ? dropout(x, p, seed) : x; }
  std::string describe() const override { return detail::message("Dropout(", p, ")"); }
};
Dropout(double)->Dropout<float>;
Dropout(double, std::uint64_t)->Dropout<float>;

}  // namespace gradus::nn
