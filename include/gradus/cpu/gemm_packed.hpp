// SPDX-License-Identifier: MIT
// Large products: B is copied in panels of two packets of columns, A in panels of a tile's rows, so that a
// tile reads both in order: A's block from L2, B's panels from L3, where all threads share them.
#pragma once

#include <algorithm>

#include <gradus/core/parallel.hpp>
#include <gradus/cpu/gemm_pack.hpp>
#include <gradus/cpu/gemm_tile.hpp>

namespace gradus::cpu {

/// What happens to finished rows of C while they are hot: a bias, an activation. run(context, c, row, rows)
/// gets whole rows [row, row + rows), c at the first, after all of K; each row once, in any order, on any
/// thread.
template <class T> struct Finish {
  void (*run)(const void* context, T* c, Index row, Index rows) = nullptr;
  const void* context = nullptr;
};

namespace detail {

/// C (+)= A·B for C [M, N], its rows c_row apart; every K-panel of A is packed once for each 32 panels of B.
template <class T> void gemm_packed(T* c, Index c_row, bool add, Matrix<T> a, Matrix<T> b, Index M, Index N,
                                    Index K, Finish<T> finish) {
  constexpr Index W = packet_size<T>, R = tile_rows<T>, C = 2 * W, step = (R + W - 1) / W * W;
  constexpr Index columns_max = 32 * C, rows_max = 6 * R;
  const Index depth = panel_depth<T>(K);
  for (Index j = 0; j < N; j += columns_max)
    for (Index k = 0; k < K; k += depth) {
      const Index columns = std::min(columns_max, N - j), terms = std::min(depth, K - k);
      const Index panels = (columns + C - 1) / C;
      const bool more = add || k > 0, last = j + columns == N && k + terms == K;
      T* const packed_b = work<T>(0, terms * panels * C);
      parallel_for(panels, 4, [&](Index begin, Index end) {
        pack_panels(packed_b + begin * C * terms, C, C, b.from(k, j + begin * C),
                    std::min(end * C, columns) - begin * C, terms);
      });
      parallel_for((M + R - 1) / R, 2, [&](Index begin, Index end) {
        for (Index m = begin * R; m < std::min(end * R, M); m += rows_max) {
          const Index rows = std::min({rows_max, end * R - m, M - m});
          T* const packed_a = work<T>(1, terms * ((rows + R - 1) / R * step));
          pack_panels(packed_a, R, step, a.from(m, k).transposed(), rows, terms);
          for (Index n = 0; n < columns; n += C)
            for (Index i = 0; i < rows; i += R) {
              T* const to = c + (m + i) * c_row + j + n;
              const Matrix<T> ai{packed_a + i / R * step * terms, 1, step}, bn{packed_b + n * terms, C, 1};
              if (rows - i >= R && columns - n >= C)
                whole_tile<tile_rows<T>, 2>(to, c_row, more, ai, bn, terms);
              else
                strip(to, c_row, std::min(R, rows - i), std::min(C, columns - n), more, ai, bn, terms);
            }
          if (finish.run && last) finish.run(finish.context, c + m * c_row, m, rows);
        }
      });
    }
}

}  // namespace detail
}  // namespace gradus::cpu
