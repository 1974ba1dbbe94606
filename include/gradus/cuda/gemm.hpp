// SPDX-License-Identifier: MIT
// C (+)= op(A) · op(B) for each matrix of a batch, with bias and activation.
#pragma once

#include <gradus/cuda/reduce.hpp>
#include <gradus/cuda/text/gemm.hpp>

namespace gradus::cuda {

inline std::string gemm_text(Dtype result, Dtype factor, const kernels::Multiplication& p, int tile,
                             bool sums) {
  const Dtype type = computed_in(result);
  std::string text = type_text("T", type) + type_text("Result", result) + type_text("Factor", factor) +
                     define_text("BLOCKS", type == Dtype::f64 ? 1 : 2) + define_text("TILE", tile) +
                     define_text("TRANSPOSE_A", p.transpose_a) + define_text("TRANSPOSE_B", p.transpose_b) +
                     define_text("SUMS", sums);
  std::string finish = p.bias ? "v += (T)bias[n]; " : "";
  if (p.slope) {
    text += function_text("slope", p.slope, type, 2, 0);
    finish += "const T z = v; slope(v, (T)slope_at[m * N + n], z)";
  } else if (p.activation) {
    text += function_text("activation", p.activation, type, 1, 0);
    finish += "const T z = v; activation(v, z)";
  }
  return text + "#define FINISH " + finish + "\n" + text::gemm;
}

/// The product by a kernel of our own; `sums`: of op(A)'s rows, or nullptr.
inline void gemm_tiles(Gpu& gpu, const Target& c, const Operand& a, const Operand& b,
                       const kernels::Multiplication& p, const Target* sums) {
  const int tile = p.M >= 64 && p.N >= 64 ? 64 : 16;
  Bits bits;
  bits.add(4, unsigned(c.type))
      .add(4, unsigned(a.type))
      .add(7, unsigned(tile))
      .add(1, p.transpose_a)
      .add(1, p.transpose_b);
  bits.add(1, p.bias != nullptr).add(1, sums != nullptr).add(2, 3);
  const Write formula = p.slope ? p.slope : p.activation;
  const void* const who = formula ? reinterpret_cast<const void*>(formula) : text::gemm;
  Kernel& kernel = gpu.modules.get({who, bits.value}, "gradus_gemm",
                                   [&] { return gemm_text(c.type, a.type, p, tile, sums != nullptr); });
  const Index step_a = p.one_a ? 0 : p.M * p.K, step_b = p.one_b ? 0 : p.K * p.N;
  const Index tiles = ((p.M + tile - 1) / tile) * ((p.N + tile - 1) / tile);
  void* const to_sums = sums ? sums->data : nullptr;
  const bool add_sums = sums && sums->add;
  constexpr Index most = 65535;  // of a grid's z
  for (Index first = 0; first < p.batch; first += most) {
    const char* const from_a = static_cast<const char*>(a.data) + first * step_a * Index(size_of(a.type));
    const char* const from_b = static_cast<const char*>(b.data) + first * step_b * Index(size_of(b.type));
    char* const to = static_cast<char*>(c.data) + first * p.M * p.N * Index(size_of(c.type));
    Arguments arguments;
    arguments << to << c.add << from_a << from_b << p.M << p.N << p.K << step_a << step_b << p.bias
              << p.slope_at << to_sums << add_sums;
    arguments.launch(
        gpu, kernel,
        {static_cast<unsigned>(tiles), 1, static_cast<unsigned>(std::min(most, p.batch - first))});
  }
}

/// C (+)= op(A) · op(B), and F(C + bias) or C · F′(y): by cublasLt where it is large enough.
inline void gemm(Gpu& gpu, const Target& c, const Operand& a, const Operand& b,
                 const kernels::Multiplication& p) {
  const Context::On branch(gpu.context, p.apart ? Context::Branch::main : Context::Branch::both);
  const Done done = gpu.products.run(c, a, b, p, nullptr);
  if (done == Done::nothing) gemm_tiles(gpu, c, a, b, p, nullptr);
  if (done != Done::product) return;
  const Operand z(c.data, c.shape, c.type), y_and_z[] = {{p.slope_at, c.shape, c.type}, z};
  const Target to{c.data, false, c.shape, c.type};
  if (p.slope)
    map(gpu, p.slope, to, computed_in(c.type), nullptr, y_and_z, 2);
  else
    map(gpu, p.activation, to, computed_in(c.type), nullptr, &z, 1);
}
/// C (+)= Aᵀ · B, and s (+)= the sums over A's columns.
inline void gemm_sums(Gpu& gpu, const Target& c, const Target& s, const Operand& a, const Operand& b,
                      const kernels::Multiplication& p) {
  const Context::On branch(gpu.context, p.apart ? Context::Branch::side : Context::Branch::both);
  const Done done = gpu.products.run(c, a, b, p, s.add ? nullptr : s.data);
  if (done == Done::nothing) gemm_tiles(gpu, c, a, b, p, &s);
  if (done == Done::product || (done == Done::all && s.add)) sum(gpu, s, a, {1, p.K, p.M}, 1);
}
/// to[i] = from[i], rounded to bfloat16, for each of n arrays, in one launch.
inline void shorten(Gpu& gpu, const kernels::Shortening* arrays, int n) {
  struct Arrays {  // as the text has it
    kernels::Shortening array[kernels::Shortening::most];
  } all{};
  Kernel& kernel = typed_kernel(gpu, text::shorten, "gradus_shorten", Dtype::f32);
  Index most = 0;
  for (int k = 0; k < n; ++k) all.array[k] = arrays[k], most = std::max(most, arrays[k].n);
  Arguments arguments;
  arguments << all;
  arguments.launch(gpu, kernel, {gpu.grid((most + 3) / 4).x, static_cast<unsigned>(n)});
}

}  // namespace gradus::cuda
