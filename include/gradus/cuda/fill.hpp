// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cuda/gpu.hpp>
#include <gradus/cuda/text/move.hpp>

namespace gradus::cuda {

/// A kernel of text that only its types tell apart.
inline Kernel& typed_kernel(Gpu& gpu, const char* text, const char* name, Dtype type) {
  return gpu.modules.get({name, unsigned(type)}, name, [&] { return number_text(type) + text; });
}

/// y = value everywhere
inline void fill(Gpu& gpu, const Target& y, double value) {
  Kernel& kernel = typed_kernel(gpu, text::fill, "gradus_fill", y.type);
  const Index n = y.shape.size();
  Arguments a;
  a << y.data << y.add << n << value;
  a.launch(gpu, kernel, gpu.grid(n));
}

}  // namespace gradus::cuda
