// SPDX-License-Identifier: MIT
// Products of which A fits L2: A is read in place, and B too, but for columns that are not adjacent or do not
// fill a packet. Few columns (a layer with one output) are computed as Cᵀ = Bᵀ·Aᵀ: then packets run along M.
#pragma once

#include <algorithm>

#include <gradus/cpu/gemm_pack.hpp>
#include <gradus/cpu/gemm_tile.hpp>

namespace gradus::cpu::detail {

/// n numbers that are a stride apart; zeros in the other lanes.
template <class P, class T> P gather_first(const T* from, Index stride, Index n) {
  if (stride == 1) return packet::load_first<P>(from, n);
  alignas(64) T numbers[packet_size<T>] = {};
  for (Index i = 0; i < n; ++i) numbers[i] = from[i * stride];
  return Eigen::internal::pload<P>(numbers);
}

/// Whether gemm_small is the faster way. A is read once for every panel of B, so it has to stay in L2; and
/// where each term of a row is on another line, a tile's part of A has to stay in L1, of which lines that are a
/// multiple of 4 KiB apart share little.
template <class T> bool is_small(const Matrix<T>& a, Index M, Index N, Index K) {
  if (M <= 8 || N <= 8) return true;
  const Index terms = panel_depth<T>(K), bytes = M * terms * Index{sizeof(T)};
  const bool spread = a.column_stride * Index{sizeof(T)} % 4096 != 0;
  return bytes <= 1024 * 1024 && (a.column_stride == 1 || M <= 64 || (terms <= 256 && spread));
}

/// C (+)= A·B of K terms, one or two: too few to keep a tile at work. A packet of each of B's rows stays in
/// registers, and C is written in strips as wide: for few rows, or one strip.
template <int K, class T> [[gnu::noinline]] void thin(T* c, Index c_row, bool add, const Matrix<T>& a,
                                                      const Matrix<T>& b, Index M, Index N) {
  namespace ei = Eigen::internal;
  using P = packet::Packet<T>;
  constexpr Index W = packet_size<T>;
  for (Index n = 0; n < N; n += W, c += W) {
    const Index columns = std::min(N - n, W);
    P row[K];
    if (columns == W && b.row_stride == 1 && b.column_stride == K) {  // the compiler makes it a shuffle
      alignas(64) T numbers[K][W];
      const T* const from = &b(0, n);
      for (Index i = 0; i < W; ++i)
        for (int k = 0; k < K; ++k) numbers[k][i] = from[i * K + k];
      for (int k = 0; k < K; ++k) row[k] = ei::pload<P>(numbers[k]);
    } else {
      for (int k = 0; k < K; ++k)
        row[k] = columns == W && b.column_stride == 1 ? ei::ploadu<P>(&b(k, n))
                                                      : gather_first<P>(&b(k, n), b.column_stride, columns);
    }
    const T* factor = a.data;
    T* to = c;
    for (Index m = 0; m < M; ++m, factor += a.row_stride, to += c_row) {
      P sum = ei::pset1<P>(T(0));
#pragma GCC unroll 2
      for (int k = 0; k < K; ++k) sum = ei::pmadd(ei::pset1<P>(factor[k * a.column_stride]), row[k], sum);
      if (columns == W)
        ei::pstoreu(to, add ? ei::padd(ei::ploadu<P>(to), sum) : sum);
      else
        packet::store_first<P>(to, add ? ei::padd(packet::load_first<P>(to, columns), sum) : sum, columns);
    }
  }
}

/// c[n] (+)= Σ a(0, k) b(k, n), where b's columns are contiguous. Four packets of sums take turns: while one
/// waits for its multiply-adds, each of which needs the one before, the next loads.
template <class T>
[[gnu::noinline]] void dots(T* c, bool add, const Matrix<T>& a, const Matrix<T>& b, Index N, Index K) {
  namespace ei = Eigen::internal;
  using P = packet::Packet<T>;
  constexpr Index W = packet_size<T>;
  for (Index n = 0; n < N; n += 4 * W) {
    const Index end = std::min(N, n + 4 * W);
    P sums[4] = {ei::pset1<P>(T(0)), ei::pset1<P>(T(0)), ei::pset1<P>(T(0)), ei::pset1<P>(T(0))};
    for (Index k = 0; k < K; k += W) {
      P* sum = sums;
      for (Index l = n; l < end; l += W, ++sum) {
        const Turned<T> turned(b.from(k, l), end - l, K - k);
        const T* factor = &a(0, k);
        P s = *sum;
#pragma GCC unroll 16
        for (Index i = 0; i < W; ++i, factor += a.column_stride)
          if (k + i < K) s = ei::pmadd(ei::pset1<P>(*factor), turned.row[i], s);
        *sum = s;
      }
    }
    P* sum = sums;
    for (Index l = n; l < end; l += W, ++sum) {
      const Index L = std::min(end - l, W);
      packet::store_first<P>(c + l, add ? ei::padd(packet::load_first<P>(c + l, L), *sum) : *sum, L);
    }
  }
}

/// strip for a C that is stored as its transpose, rows c_row apart; M <= 4. Apart, to keep gemm_small_panel
/// short.
template <class T> [[gnu::noinline]] void transposed_strip(T* c, Index c_row, Index M, Index columns,
                                                           bool add, const Matrix<T>& a, const Matrix<T>& b,
                                                           Index K) {
  constexpr Index width = 2 * packet_size<T>;
  alignas(64) T block[4 * width];
  strip(block, width, M, columns, false, a, b, K);
  M = std::min<Index>(M, 4);  // as it is: g++ would warn of more
  for (Index n = 0; n < columns; ++n, c += c_row)
    for (Index m = 0; m < M; ++m) c[m] = add ? c[m] + block[m * width + n] : block[m * width + n];
}

/// C (+)= A·B of one panel of K. `turned`: C is stored as its transpose, column n at c + n c_row.
template <class T> [[gnu::always_inline]] inline void gemm_small_panel(T* c, Index c_row, bool turned,
                                                                       bool add, const Matrix<T>& a,
                                                                       const Matrix<T>& b, Index M, Index N,
                                                                       Index K) {
  constexpr Index W = packet_size<T>;
  if (M == 1 && !turned && b.row_stride == 1 && b.column_stride != 1) return dots(c, add, a, b, N, K);
  // rows of B a multiple of 4 KiB apart share few lines of L1
  const bool in_place = b.column_stride == 1 && (M <= 32 || b.row_stride * Index{sizeof(T)} % 4096 != 0);
  Index n = 0;
  if (M == 1 && !turned && b.column_stride == 1)  // two packets would be too few sums to add at once
    for (; N - n >= 4 * W; n += 4 * W) whole_tile<1, 4>(c + n, c_row, add, a, b.from(0, n), K);
  for (; n < N; n += 2 * W) {
    const Index columns = std::min(2 * W, N - n), width = (columns + W - 1) / W * W;
    Matrix<T> panel = b.from(0, n);
    if (!in_place || columns < width) {
      T* const packed = work<T>(0, K * width);
      pack(packed, width, panel, columns, K);
      panel = {packed, width, 1};
    }
    if (turned)
      transposed_strip(c + n * c_row, c_row, M, columns, add, a, panel, K);
    else
      strip(c + n, c_row, M, columns, add, a, panel, K);
  }
}

template <class T> void gemm_small_panels(T* c, Index c_row, bool turned, bool add, const Matrix<T>& a,
                                          const Matrix<T>& b, Index M, Index N, Index K) {
  const Index depth = panel_depth<T>(K);
  for (Index k = 0; k < K; k += depth)
    gemm_small_panel(c, c_row, turned, add || k > 0, a.from(0, k), b.from(k, 0), M, N,
                     std::min(depth, K - k));
}

/// C (+)= A·B for C [M, N], its rows c_row apart.
template <class T> void gemm_small(T* c, Index c_row, bool add, const Matrix<T>& a, const Matrix<T>& b,
                                   Index M, Index N, Index K) {
  if (K <= 2 && N == 1 && c_row == 1 && a.row_stride == 1 && M > 1)  // a column is a row of its transpose
    return gemm_small(c, M, add, b.transposed(), a.transposed(), 1, M, K);
  if (K <= 2 && (M <= 32 || N <= packet_size<T>))
    return K == 1 ? thin<1>(c, c_row, add, a, b, M, N) : thin<2>(c, c_row, add, a, b, M, N);
  const bool few = N < M && (N == 1 || (N <= 4 && 4 * N <= packet_size<T>));
  if (few)  // turned, unless C is but one column: in memory that is a row
    gemm_small_panels(c, c_row, N > 1 || c_row > 1, add, b.transposed(), a.transposed(), N, M, K);
  else
    gemm_small_panels(c, c_row, false, add, a, b, M, N, K);
}

}  // namespace gradus::cpu::detail
