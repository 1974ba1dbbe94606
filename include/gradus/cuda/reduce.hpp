// SPDX-License-Identifier: MIT
// Sums, extremes and their places along one axis: x is [outer, n, inner], the result [outer, inner].
#pragma once

#include <gradus/cuda/fill.hpp>
#include <gradus/cuda/map.hpp>
#include <gradus/cuda/text/reduce.hpp>

namespace gradus::cuda {

/// How many threads have a group together: neighbouring groups lie side by side where inner > 1.
inline int lanes_for(const Groups& g) { return g.inner > 1 ? 1 : g.n <= 512 ? 32 : 256; }

/// A kernel over the groups of an axis, in text of its own. Numbers of `type` lie in memory.
inline Kernel& group_kernel(Gpu& gpu, const char* text, const char* name, Dtype type, int lanes,
                            bool largest = true) {
  const std::uint64_t variant = Bits().add(4, unsigned(type)).add(9, unsigned(lanes)).add(1, largest).value;
  return gpu.modules.get({name, variant}, name, [&] {
    return number_text(computed_in(type)) + type_text("Given", type) + define_text("LANES", lanes) +
           define_text("LARGEST", largest) + text::lanes + text;
  });
}
inline Grid group_grid(Gpu& gpu, Index groups, int lanes) { return gpu.grid(groups * lanes); }
/// Calls kernel `name` for all groups of an axis: (to, operands…, outer, n, inner, more…).
template <class... More> void each_group(Gpu& gpu, const char* text, const char* name, bool largest,
                                         const Target& to, std::initializer_list<const Operand*> x,
                                         const Groups& g, const More&... more) {
  const int lanes = lanes_for(g);
  Kernel& kernel = group_kernel(gpu, text, name, (*x.begin())->type, lanes, largest);
  Arguments a;
  a << to.data << to.add;
  for (const Operand* operand : x) a << operand->data;
  a << g.outer << g.n << g.inner;
  (void(a << more), ...);
  a.launch(gpu, kernel, group_grid(gpu, g.outer * g.inner, lanes));
}

/// y[o, i] = scale · Σₖ x[o, k, i]. Long sums in parts: a thread adds at most 128 numbers, the rest is a
/// tree.
inline void sum(Gpu& gpu, const Target& y, const Operand& x, Groups g, double scale, int level = 0) {
  if (g.n == 0) return fill(gpu, y, 0);
  const Dtype type = computed_in(x.type);
  detail::require<DeviceError>(size_of(type) >= 4, "sum: ", name(x.type),
                               " is not summed on a GPU; convert on the CPU, with array.to<float>()");
  const int lanes = lanes_for(g);
  const Index part = lanes == 1 ? 128 : 8192, parts = (g.n + part - 1) / part;
  Kernel& kernel = group_kernel(gpu, text::sum, "gradus_sum", x.type, lanes);
  std::unique_lock turn(gpu.context.turn(), std::defer_lock);  // the parts are in a workspace
  if (parts > 1) turn.lock();
  const Index groups = g.outer * parts * g.inner;
  void* const partial =
      parts == 1 ? y.data : gpu.memory.workspace(level % 2, std::size_t(groups) * size_of(type));
  const bool add = parts == 1 && y.add;
  const Real by(parts == 1 ? scale : 1, type);
  Arguments a;
  a << partial << add << x.data << g.outer << g.n << g.inner << part << parts << by;
  a.launch(gpu, kernel, group_grid(gpu, groups, lanes));
  if (parts == 1) return;
  const Shape s{groups};
  sum(gpu, y, {partial, s, type}, {g.outer, parts, g.inner}, scale, level + 1);
}

inline std::string sum_all_text(const Signature& f) {
  using detail::message;
  std::string text =
      f.text() + define_text("LANES", 256) + define_text("LARGEST", 1) + text::lanes + text::last_block;
  text += message(
      "GRADUS_KERNEL gradus_sum_all(T* y, bool add, T* dx, T* partial, unsigned* counter, Index n, Index "
      "part, Index parts, T scale",
      f.parameters(), text::sum_all_begin, f.call_at("i"));
  if (f.slope)
    return message(text, text::sum_all_slope, f.call_at("i", true), text::sum_all_store, text::sum_all_end);
  return message(text, "; s += v;\n    }\n", text::sum_all_end);
}

/// l = scale · Σ F(x…, scalars…) over every element, and dx = G(x…, scalars…), unless there is no slope G, or
/// dx has no memory.
inline void loss(Gpu& gpu, Write write, Write slope, const Target& l, const Target& dx, double scale,
                 const void* scalars, const Operand* x, int operands) {
  Index n = 0;
  for (int k = 0; k < operands; ++k) n = std::max(n, x[k].shape.size());
  if (n == 0) return fill(gpu, l, 0);
  const Signature f{write, l.type, l.type, x, operands, n, slope};
  Kernel& kernel = gpu.modules.get(
      {reinterpret_cast<const void*>(write), f.bits().add(1, slope != nullptr).add(2, 2).value},
      "gradus_sum_all", [&] { return sum_all_text(f); });
  const Index part = 8192, parts = (n + part - 1) / part;
  const std::lock_guard turn(gpu.context.turn());  // the parts are in a workspace
  void* const partial = gpu.memory.workspace(0, std::size_t(parts) * size_of(l.type));
  void* const counter = gpu.memory.counter();
  const Real by(scale, l.type);
  Arguments a;
  a << l.data << l.add << dx.data << partial << counter << n << part << parts << by;
  f.pass(a, kernel, scalars);
  a.launch(gpu, kernel, {static_cast<unsigned>(std::min<Index>(parts, 1 << 16))});
}
/// y = scale · Σ F(x…, scalars…) over every element.
inline void sum_all(Gpu& gpu, Write write, const Target& y, double scale, const void* scalars,
                    const Operand* x, int operands) {
  loss(gpu, write, nullptr, y, {nullptr, false, y.shape, y.type}, scale, scalars, x, operands);
}

inline void extreme(Gpu& gpu, const Target& y, const Operand& x, Groups g, bool largest) {
  each_group(gpu, text::extreme, "gradus_extreme_value", largest, y, {&x}, g);
}
inline void extreme_slope(Gpu& gpu, const Target& dx, const Operand& x, const Operand& y, const Operand& dy,
                          Groups g) {
  each_group(gpu, text::extreme, "gradus_extreme_slope", true, dx, {&x, &y, &dy}, g);
}
inline void extreme_place(Gpu& gpu, const Target& y, const Operand& x, Groups g, bool largest) {
  each_group(gpu, text::extreme, "gradus_extreme_place", largest, y, {&x}, g);
}

}  // namespace gradus::cuda
