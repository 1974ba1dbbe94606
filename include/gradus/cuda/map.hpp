// SPDX-License-Identifier: MIT
// y = F(x₁, x₂, …): one pass over memory, its text generated from the formula.
#pragma once

#include <gradus/cuda/gpu.hpp>
#include <gradus/cuda/text/map.hpp>

namespace gradus::cuda {

using detail::Broadcast;
using detail::message;

/// A formula's operands as a kernel's parameters: of y's size (by 1), or one number (by 0); else they
/// broadcast.
struct Signature {
  Write write;
  Dtype compute, result;
  const Operand* x;
  int operands;
  Index n;                // elements of y
  Write slope = nullptr;  // a second formula

  int scalar_count() const { return std::max(scalars_of(write), slope ? scalars_of(slope) : 0); }
  bool is_flat() const {
    for (int k = 0; k < operands; ++k)
      if (x[k].shape.size() != n && x[k].shape.size() != 1) return false;
    return true;
  }
  bool moves(int k) const { return x[k].shape.size() != 1; }

  Bits bits() const {
    Bits b;
    b.add(4, unsigned(compute)).add(4, unsigned(result)).add(3, unsigned(operands));
    for (int k = 0; k < operands; ++k) b.add(4, unsigned(x[k].type)).add(1, moves(k));
    return b;
  }

  /// Types and the formula.
  std::string text() const {
    std::string s = number_text(compute) + type_text("Y", result);
    for (int k = 0; k < operands; ++k) s += type_text(message("U", k).c_str(), x[k].type);
    if (slope) s += function_text("slope", slope, compute, operands, scalar_count());
    return s + function_text("formula", write, compute, operands, scalar_count());
  }
  /// ", const U0* x0, …, T s0": the last parameters of every kernel with a formula.
  std::string parameters() const {
    std::string s;
    for (int k = 0; k < operands; ++k) s += message(", const U", k, "* x", k);
    for (int k = 0, n_scalars = scalar_count(); k < n_scalars; ++k) s += message(", T s", k);
    return s;
  }
  /// formula(v, …), or slope(v, …), with operand k as read(k) says.
  template <class Read> std::string call(const Read& read, bool of_slope = false) const {
    std::string s = of_slope ? "slope(v" : "formula(v";
    for (int k = 0; k < operands; ++k) s += ", (T)" + read(k);
    for (int k = 0, n_scalars = scalar_count(); k < n_scalars; ++k) s += message(", s", k);
    return s + ")";
  }
  /// Element i of operands that are flat.
  std::string call_at(const char* i, bool of_slope = false) const {
    return call([&](int k) { return message("x", k, "[", moves(k) ? i : "0", "]"); }, of_slope);
  }

  void pass(Arguments& to, Kernel& kernel, const void* scalars) const {
    if (kernel.extra < 0) kernel.extra = scalar_count();
    for (int k = 0; k < operands; ++k) to << x[k].data;
    for (int k = 0; k < kernel.extra; ++k)
      to.put(static_cast<const char*>(scalars) + std::size_t(k) * size_of(compute), size_of(compute));
  }
};

/// Four elements at a time where every address allows it.
inline std::string flat_text(const Signature& f) {
  std::string loads;
  for (int k = 0; k < f.operands; ++k)
    if (f.moves(k))
      loads += message("    const Four<U", k, "> f", k, " = ((const Four<U", k, ">*)x", k, ")[i];\n");
  const std::string four =
      f.call([&](int k) { return f.moves(k) ? message("f", k, ".e[k]") : message("x", k, "[0]"); });
  return message("GRADUS_KERNEL gradus_map(Y* y, bool add, Index n, bool by_four", f.parameters(),
                 text::map_flat_begin, loads, text::map_flat_four, four, text::map_flat_rest, f.call_at("i"),
                 text::map_flat_end);
}
inline std::string broadcast_text(const Signature& f) {
  std::string places, steps;
  for (int k = 0; k < f.operands; ++k) {
    places += message("    I at", k, " = 0;\n");
    steps += message("      at", k, " += place * (I)loops.stride[", k, "][d];\n");
  }
  return message(text::map_loops, "GRADUS_KERNEL gradus_map(Y* y, bool add, Index n, Loops loops",
                 f.parameters(), text::map_broadcast_begin, places, text::map_broadcast_loops, steps,
                 text::map_broadcast_rest, f.call([](int k) { return message("x", k, "[at", k, "]"); }),
                 text::map_broadcast_end);
}

inline void map_flat(Gpu& gpu, const Signature& f, const Target& y, const void* scalars) {
  Kernel& kernel = gpu.modules.get({reinterpret_cast<const void*>(f.write), f.bits().add(2, 0).value},
                                   "gradus_map", [&] { return f.text() + flat_text(f); });
  const auto aligned = [](const void* p, Dtype type) {
    return reinterpret_cast<std::uintptr_t>(p) % (4 * size_of(type)) == 0;
  };
  bool by_four = f.n >= 4 && aligned(y.data, y.type);
  for (int k = 0; k < f.operands; ++k)
    by_four = by_four && (!f.moves(k) || aligned(f.x[k].data, f.x[k].type));
  Arguments a;
  a << y.data << y.add << f.n << by_four;
  f.pass(a, kernel, scalars);
  a.launch(gpu, kernel, gpu.grid(by_four ? (f.n + 3) / 4 : f.n));
}

/// As the text has it.
struct Loops {
  Index size[Shape::max_rank], stride[Broadcast::most][Shape::max_rank];
};

inline void map_broadcast(Gpu& gpu, const Signature& f, const Target& y, const void* scalars) {
  const Shape* shapes[Broadcast::most];
  for (int k = 0; k < f.operands; ++k) shapes[k] = &f.x[k].shape;
  const Broadcast b(y.shape, shapes, f.operands);
  const bool small = f.n < Index(1) << 31;  // 32-bit divisions are several times quicker
  Kernel& kernel = gpu.modules.get({reinterpret_cast<const void*>(f.write),
                                    f.bits().add(1, small).add(3, unsigned(b.rank)).add(2, 1).value},
                                   "gradus_map", [&] {
                                     return f.text() + define_text("RANK", b.rank) +
                                            (small ? "typedef unsigned I;\n" : "typedef Index I;\n") +
                                            broadcast_text(f);
                                   });
  Loops loops;
  std::memcpy(loops.size, b.size, sizeof loops.size);
  std::memcpy(loops.stride, b.stride, sizeof loops.stride);
  Arguments a;
  a << y.data << y.add << f.n << loops;
  f.pass(a, kernel, scalars);
  a.launch(gpu, kernel, gpu.grid(f.n));
}

/// y = F(x…, scalars…); operands broadcast to y's shape, and are read as `compute`.
inline void map(Gpu& gpu, Write write, const Target& y, Dtype compute, const void* scalars, const Operand* x,
                int operands) {
  const Signature f{write, compute, y.type, x, operands, y.shape.size()};
  if (f.is_flat())
    map_flat(gpu, f, y, scalars);
  else
    map_broadcast(gpu, f, y, scalars);
}

}  // namespace gradus::cuda
