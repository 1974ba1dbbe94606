// SPDX-License-Identifier: MIT
// The heart of every product: a tile of R rows by V packets of C stays in registers while k runs.
//
// One order of operations everywhere: an element of C is a chain of fused multiply-adds over k, in order and
// from zero, cut into panels of panel_depth(K) terms whose sums are added in order (and to C, when adding).
// It depends on K alone. Hence an element's bits depend neither on its place in C, nor on M and N (a sample's
// prediction is the same in any batch), nor on the number of threads.
#pragma once

#include <algorithm>
#include <type_traits>

#include <gradus/cpu/packet.hpp>
#include <gradus/fwd.hpp>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as a template argument
#endif

namespace gradus::cpu {

/// A read-only operand: element (i, j) is data[i row_stride + j column_stride].
template <class T> struct Matrix {
  const T* data;
  Index row_stride, column_stride;

  const T& operator()(Index i, Index j) const { return data[i * row_stride + j * column_stride]; }
  Matrix from(Index i, Index j) const {
    return {data + i * row_stride + j * column_stride, row_stride, column_stride};
  }
  Matrix transposed() const { return {data, column_stride, row_stride}; }
};

namespace detail {

template <class T> inline constexpr Index packet_size = packet::lanes<packet::Packet<T>>;
template <class T> inline constexpr bool has_packets =
    std::is_floating_point_v<T>&& bool{Eigen::internal::packet_traits<T>::Vectorizable};

/// Rows of the largest tile, two packets wide: as many sums as there are registers to hold them.
template <class T> inline constexpr int tile_rows =
    EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS<32 ? 6 : packet_size<T>> 4 ? 14 : 12;

/// Terms that are added up before C is touched: equal panels of at most 4 KiB.
template <class T> Index panel_depth(Index K) {
  constexpr Index most = 4096 / sizeof(T);
  const Index panels = (K + most - 1) / most;
  return panels < 2 ? K : ((K + panels - 1) / panels + 7) / 8 * 8;
}

/// C[R, columns] (+)= A[R, K]·B[K, V packets], C's rows c_row apart, B's columns adjacent. All V packets of B
/// are read, columns of C written: (V - 1) packets < columns <= V packets. A tile of more than 8 rows reads
/// packed A only (row_stride 1): the strides of 14 rows find no registers.
template <int R, int V, class T> [[gnu::always_inline]] inline void tile(T* c, Index c_row, Index columns,
                                                                         bool add, const Matrix<T>& a,
                                                                         const Matrix<T>& b, Index K) {
  namespace ei = Eigen::internal;
  using P = packet::Packet<T>;
  constexpr Index W = packet_size<T>;
  const Index row = R > 8 ? 1 : a.row_stride, a_step = a.column_stride, b_step = b.row_stride;
  if constexpr (R > 8) {  // a tall tile is long at work: C is on its way meanwhile
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      __builtin_prefetch(c + i * c_row, 1);
      __builtin_prefetch(c + i * c_row + columns - 1, 1);
    }
  }
  P sum[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[i][v] = ei::pset1<P>(T(0));
  const T *pa = a.data, *pb = b.data;
  for (Index k = 0; k < K; ++k, pa += a_step, pb += b_step) {
    P terms[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) terms[v] = ei::ploadu<P>(pb + v * W);
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      const P factor = ei::pset1<P>(pa[i * row]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[i][v] = ei::pmadd(factor, terms[v], sum[i][v]);
    }
  }
  const Index rest = columns - (V - 1) * W;  // lanes of the last packet
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i, c += c_row)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      T* const to = c + v * W;
      if (v + 1 < V || rest == W)
        ei::pstoreu(to, add ? ei::padd(ei::ploadu<P>(to), sum[i][v]) : sum[i][v]);
      else
        packet::store_first<P>(to, add ? ei::padd(packet::load_first<P>(to, rest), sum[i][v]) : sum[i][v],
                               rest);
    }
}

/// The same for any number of rows M.
template <int V, class T> [[gnu::noinline]] void tiles(T* c, Index c_row, Index M, Index columns, bool add,
                                                       const Matrix<T>& first, const Matrix<T>& b, Index K) {
  constexpr int R = std::min(tile_rows<T>, 8);
  Matrix<T> a = first;
  const auto next = [&](Index rows) { M -= rows, c += rows * c_row, a.data += rows * a.row_stride; };
  while (M >= R) tile<R, V>(c, c_row, columns, add, a, b, K), next(R);
  if (M >= 4) tile<4, V>(c, c_row, columns, add, a, b, K), next(4);
  if (M >= 2) tile<2, V>(c, c_row, columns, add, a, b, K), next(2);
  if (M >= 1) tile<1, V>(c, c_row, columns, add, a, b, K);
}

/// The same for any number of columns up to two packets. B holds whole packets.
template <class T> void strip(T* c, Index c_row, Index M, Index columns, bool add, const Matrix<T>& a,
                              const Matrix<T>& b, Index K) {
  if (columns > packet_size<T>)
    tiles<2>(c, c_row, M, columns, add, a, b, K);
  else
    tiles<1>(c, c_row, M, columns, add, a, b, K);
}

/// One whole tile.
template <int R, int V, class T> [[gnu::noinline]] void whole_tile(T* c, Index c_row, bool add,
                                                                   const Matrix<T>& a, const Matrix<T>& b,
                                                                   Index K) {
  tile<R, V>(c, c_row, V * packet_size<T>, add, a, b, K);
}

}  // namespace detail
}  // namespace gradus::cpu

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
