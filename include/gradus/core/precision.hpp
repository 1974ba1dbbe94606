// SPDX-License-Identifier: MIT
// How a device multiplies matrices of float32.
#pragma once

#include <utility>

namespace gradus {

/// strict  float32 throughout, each multiply-add rounded once: the default, and all that the CPU does
/// tf32    factors rounded to 10 bits (TensorFloat-32), sums in float32
/// bf16    factors rounded to 7 bits (bfloat16), sums in float32. Dense layers in a row keep what passes between
///         them so, too; weights, gradients of weights and all else stay float32
/// Products too small for a GPU's tensor cores, and those of float64, stay strict.
enum class Precision : unsigned char { strict, tf32, bf16 };

inline const char* name(Precision p) {
  constexpr const char* names[] = {"strict float32", "tf32", "bf16"};
  return names[int(p)];
}

/// Products that this thread asks for while one of these lives are computed so.
class PrecisionScope {
 public:
  explicit PrecisionScope(Precision p) : before_(std::exchange(current_, p)) {}
  PrecisionScope(const PrecisionScope&) = delete;
  ~PrecisionScope() { current_ = before_; }
  static Precision current() { return current_; }

 private:
  static inline constinit thread_local Precision current_ = Precision::strict;
  Precision before_;
};

}  // namespace gradus
