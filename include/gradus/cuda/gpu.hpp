// SPDX-License-Identifier: MIT
// What every kernel here is launched with.
#pragma once

#include <gradus/core/broadcast.hpp>
#include <gradus/cuda/cublaslt.hpp>
#include <gradus/cuda/expression.hpp>
#include <gradus/cuda/memory.hpp>
#include <gradus/cuda/module.hpp>
#include <gradus/kernels/table.hpp>

namespace gradus::cuda {

using symbolic::Write;

struct Gpu {
  explicit Gpu(int index) : context(index), memory(context), modules(context), products(context, memory) {}
  Context context;
  Memory memory;
  Modules modules;
  Products products;

  /// Enough threads for `work` of them, no more than keep the GPU busy: kernels go on in steps of the grid.
  Grid grid(Index work, Index threads = block_threads) const {
    const Index blocks = (work + threads - 1) / threads, most = Index(context.multiprocessors()) * 16;
    return {static_cast<unsigned>(blocks < most ? blocks : most)};
  }
};

/// A kernel's variant as bits: add(width, value) for each thing that makes its text another one.
struct Bits {
  std::uint64_t value = 0;
  Bits& add(int width, std::uint64_t x) { return value = value << width | x, *this; }
};

/// "typedef float T;"
inline std::string type_text(const char* name, Dtype type) {
  return detail::message("typedef ", type_name(type), " ", name, ";\n");
}
inline std::string define_text(const char* name, Index value) {
  return detail::message("#define ", name, " ", value, "\n");
}
/// T, what a kernel computes in, and how many blocks share a multiprocessor at least: a thread has up to 64
/// registers for floats, and all that it wants for doubles, so that nothing is spilled.
inline std::string number_text(Dtype type) {
  return type_text("T", type) + define_text("BLOCKS", type == Dtype::f64 ? 1 : 4);
}

/// A launch's arguments, one after the other. What is given by reference must live until launch().
class Arguments {
 public:
  template <class A> Arguments& operator<<(const A& a) { return put(&a, sizeof a); }
  Arguments& operator<<(const Real& r) { return put(r.data(), r.size()); }
  Arguments& put(const void* data, std::size_t size) {
    detail::require<DeviceError>(count_ < most, "cuda: a formula takes more than the ", most,
                                 " operands and numbers that a kernel can be given");
    pointers_[count_] = const_cast<void*>(data);
    sizes_[count_++] = size;
    return *this;
  }
  void launch(Gpu& gpu, Kernel& k, Grid grid, unsigned threads = block_threads, unsigned shared = 0) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    if (!k.checked) gpu.modules.compare(k, sizes_, count_);
    gpu.modules.launch(k, grid, threads, shared, pointers_);
  }

 private:
  static constexpr std::size_t most = 24;
  void* pointers_[most];
  std::size_t sizes_[most];
  std::size_t count_ = 0;
};

}  // namespace gradus::cuda
