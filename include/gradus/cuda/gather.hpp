// SPDX-License-Identifier: MIT
// Moving numbers without computing: looked-up rows, slices, permuted axes.
#pragma once

#include <gradus/cuda/fill.hpp>

namespace gradus::cuda {

inline Kernel& index_kernel(Gpu& gpu, const char* name, Dtype type) {
  return gpu.modules.get({name, unsigned(type)}, name,
                         [&] { return number_text(type) + text::complain + text::gather; });
}

/// As the text has it: loop 0 is the innermost.
struct StridedLoops {
  Index size[Shape::max_rank], y[Shape::max_rank], x[Shape::max_rank];
};
inline void strided(Gpu& gpu, const Target& y, Index y_first, const Operand& x, Index x_first,
                    const StridedLoops& loops, int rank) {
  Kernel& kernel = typed_kernel(gpu, text::strided, "gradus_strided", y.type);
  Index n = 1;
  for (int d = 0; d < rank; ++d) n *= loops.size[d];
  char* const to = static_cast<char*>(y.data) + y_first * Index(size_of(y.type));
  const char* const from = static_cast<const char*>(x.data) + x_first * Index(size_of(x.type));
  Arguments a;
  a << to << y.add << from << n << rank << loops;
  a.launch(gpu, kernel, gpu.grid(n));
}

/// y[o, k, i] = x[o, rows[k], i]. An index outside 0 to n − 1 is reported at the next download.
inline void gather(Gpu& gpu, const Target& y, const Operand& x, Groups g, const Operand& rows) {
  Kernel& kernel = index_kernel(gpu, "gradus_gather", x.type);
  const Index m = rows.shape.size();
  void* const complaint = gpu.memory.complaint(By::take);
  Arguments a;
  a << y.data << y.add << x.data << g.outer << g.n << g.inner << rows.data << m << complaint;
  a.launch(gpu, kernel, gpu.grid(y.shape.size()));
}
/// to[k] = from[rows[k]] for each of n arrays, in one launch.
inline void gather_rows(Gpu& gpu, const RowLookup* arrays, int n, const Operand& rows) {
  struct Arrays {  // as the text has it
    RowLookup array[RowLookup::most];
  } all{};
  Kernel& kernel = index_kernel(gpu, "gradus_gather_rows", Dtype::f32);
  const Index m = rows.shape.size();
  Index most = 0;  // bytes of an array's rows
  for (int k = 0; k < n; ++k) all.array[k] = arrays[k], most = std::max(most, m * arrays[k].bytes);
  Arguments a;
  a << all << rows.data << m;
  a.launch(gpu, kernel, {gpu.grid((most + 3) / 4).x, static_cast<unsigned>(n)});
}
/// dx[o, rows[k], i] += dy[o, k, i], repeated rows in their order.
inline void scatter_add(Gpu& gpu, const Target& dx, const Operand& dy, Groups g, const Operand& rows) {
  Kernel& kernel = index_kernel(gpu, "gradus_scatter_add", dy.type);
  const Index m = rows.shape.size();
  void* const complaint = gpu.memory.complaint(By::take);
  Arguments a;
  a << dx.data << dy.data << g.outer << g.n << g.inner << rows.data << m << complaint;
  a.launch(gpu, kernel, gpu.grid(g.outer * g.inner));
}
/// y[o, k, i] = x[o, first + k·step, i] for k < m; g is x's.
inline void slice(Gpu& gpu, const Target& y, const Operand& x, Groups g, Index m, Index first, Index step) {
  const StridedLoops loops{
      {g.inner, m, g.outer}, {1, g.inner, m * g.inner}, {1, step * g.inner, g.n * g.inner}};
  strided(gpu, y, 0, x, first * g.inner, loops, 3);
}
/// y[o, first + k·step, i] = x[o, k, i] for k < m; g is y's.
inline void place(Gpu& gpu, const Target& y, const Operand& x, Groups g, Index m, Index first, Index step) {
  const StridedLoops loops{
      {g.inner, m, g.outer}, {1, step * g.inner, g.n * g.inner}, {1, g.inner, m * g.inner}};
  strided(gpu, y, first * g.inner, x, 0, loops, 3);
}
/// Axis i of y is axis order[i] of x.
inline void permute(Gpu& gpu, const Target& y, const Operand& x,
                    const std::array<int, Shape::max_rank>& order) {
  StridedLoops loops{};
  const int rank = y.shape.rank();
  for (int i = 0; i < rank; ++i) {
    const int d = rank - 1 - i;
    loops.size[d] = y.shape[i], loops.y[d] = y.shape.inner(i);
    loops.x[d] = x.shape.inner(order[std::size_t(i)]);
  }
  strided(gpu, y, 0, x, 0, loops, rank);
}
/// y[…, c] = [c = label]
inline void one_hot(Gpu& gpu, const Target& y, const Operand& labels) {
  Kernel& kernel = index_kernel(gpu, "gradus_one_hot", y.type);
  const Index rows = labels.shape.size(), classes = y.shape.columns();
  void* const complaint = gpu.memory.complaint(By::one_hot);
  Arguments a;
  a << y.data << y.add << labels.data << rows << classes << complaint;
  a.launch(gpu, kernel, gpu.grid(y.shape.size()));
}

}  // namespace gradus::cuda
