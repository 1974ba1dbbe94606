// SPDX-License-Identifier: MIT
// Random numbers: Philox4x32-10 as core/random.hpp has it, so that every device draws the same.
#pragma once

#include <gradus/cuda/fill.hpp>
#include <gradus/cuda/text/random.hpp>

namespace gradus::cuda {

/// y = x / (1 − p) where the stream's draw says so, else 0.
inline void dropout(Gpu& gpu, const Target& y, const Operand& x, double p, const random::Stream& stream,
                    const random::Draw& draw) {
  Kernel& kernel = typed_kernel(gpu, text::dropout, "gradus_dropout", x.type);
  const auto threshold = static_cast<unsigned>(p * 4294967295.0);
  const unsigned long long seed = stream.seed, id = stream.id, number = draw.number;
  const Real scale(1 / (1 - p), x.type);
  const Index n = y.shape.size();
  Arguments a;
  a << y.data << y.add << x.data << n << threshold << scale << seed << id << number << draw.added;
  a.launch(gpu, kernel, gpu.grid((n + 3) / 4));
}

}  // namespace gradus::cuda
