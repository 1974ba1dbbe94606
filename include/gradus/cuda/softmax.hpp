// SPDX-License-Identifier: MIT
// Softmax and its relatives along one axis, x as [outer, n, inner].
#pragma once

#include <gradus/cuda/reduce.hpp>
#include <gradus/cuda/text/softmax.hpp>

namespace gradus::cuda {

inline void logsumexp(Gpu& gpu, const Target& y, const Operand& x, Groups g) {
  each_group(gpu, text::softmax, "gradus_logsumexp", true, y, {&x}, g);
}
inline void softmax(Gpu& gpu, const Target& y, const Operand& x, Groups g, bool logarithm) {
  each_group(gpu, text::softmax, "gradus_softmax", true, y, {&x}, g, logarithm);
}
inline void softmax_slope(Gpu& gpu, const Target& dx, const Operand& y, const Operand& dy, Groups g,
                          bool logarithm) {
  each_group(gpu, text::softmax, "gradus_softmax_slope", true, dx, {&y, &dy}, g, logarithm);
}

inline Kernel& cross_entropy_kernel(Gpu& gpu, const char* name, Dtype type, int lanes) {
  return gpu.modules.get({name, Bits().add(4, unsigned(type)).add(9, unsigned(lanes)).value}, name, [&] {
    return number_text(type) + define_text("LANES", lanes) + define_text("LARGEST", 1) + text::lanes +
           text::last_block + text::softmax + text::complain + text::softmax_cross_entropy;
  });
}

/// A label outside the classes is reported at the next download.
inline void softmax_cross_entropy(Gpu& gpu, const Target& y, const Target& kept, const Operand& z,
                                  const Operand& t, double smoothing) {
  const Index B = z.shape[0], C = z.shape[1];
  const int lanes = lanes_for({B, C, 1});
  Kernel& kernel = cross_entropy_kernel(gpu, "gradus_softmax_cross_entropy", z.type, lanes);
  const Real e(smoothing, z.type);
  void* const complaint = gpu.memory.complaint(By::softmax_cross_entropy);
  Arguments a;
  a << y.data << y.add << kept.data << z.data << t.data << B << C << e << complaint;
  a.launch(gpu, kernel, group_grid(gpu, B, lanes));
}
inline void softmax_cross_entropy_slope(Gpu& gpu, const Target& dz, const Operand& z, const Operand& kept,
                                        const Operand& t, const Operand& dy, double smoothing) {
  const Index B = z.shape[0], C = z.shape[1];
  Kernel& kernel = cross_entropy_kernel(gpu, "gradus_softmax_cross_entropy_slope", z.type, 32);
  const Real e(smoothing, z.type);
  Arguments a;
  a << dz.data << dz.add << z.data << kept.data << t.data << dy.data << B << C << e;
  a.launch(gpu, kernel, gpu.grid(B * C));
}
/// l = scale · Σ y, and dz its slope, unless dz has no memory: in one launch.
inline void softmax_cross_entropy_sum(Gpu& gpu, const Target& l, const Target& dz, const Operand& z,
                                      const Operand& t, double smoothing, double scale) {
  const Index B = z.shape[0], C = z.shape[1];
  const int lanes = lanes_for({B, C, 1});
  Kernel& kernel = cross_entropy_kernel(gpu, "gradus_softmax_cross_entropy_sum", z.type, lanes);
  const Index part = 256 / lanes, parts = (B + part - 1) / part;  // the sum's shape is that of any GPU
  const Real e(smoothing, z.type), by(scale, z.type);
  const std::lock_guard turn(gpu.context.turn());  // the parts are in a workspace
  void* const partial = gpu.memory.workspace(0, std::size_t(parts) * size_of(z.type));
  void* const counter = gpu.memory.counter();
  void* const complaint = gpu.memory.complaint(By::softmax_cross_entropy);
  Arguments a;
  a << l.data << l.add << dz.data << partial << counter << z.data << t.data << B << C << part << e << by
    << complaint;
  a.launch(gpu, kernel, {static_cast<unsigned>(parts)});
}

}  // namespace gradus::cuda
