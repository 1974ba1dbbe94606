// SPDX-License-Identifier: MIT
// Copies of operands in the order in which tiles read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <gradus/cpu/gemm_tile.hpp>
#include <gradus/cpu/work.hpp>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as a template argument
#endif

namespace gradus::cpu::detail {

/// The even (odd = 0) or odd units of x and y, x's first: a unit is `unit` numbers, and each `group` of
/// numbers keeps to itself.
template <int unit, int group, int odd, int W> constexpr int dealt_from(int k) {
  const int in_half = k % (group / 2), from_y = k % group >= group / 2 ? W : 0;
  return from_y + k / group * group + (2 * (in_half / unit) + odd) * unit + in_half % unit;
}
template <int unit, int group, int odd, class P, std::size_t... i>
P every_other(const P& x, const P& y, std::index_sequence<i...>) {
#ifdef __CUDACC__  // nvcc hands the builtin on without its places
  constexpr auto W = sizeof...(i);
  using T = std::remove_cvref_t<decltype(x[0])>;
  T all[2 * W], dealt[W];
  std::memcpy(all, &x, sizeof x), std::memcpy(all + W, &y, sizeof y);
  ((dealt[i] = all[dealt_from<unit, group, odd, W>(int(i))]), ...);
  P to;
  std::memcpy(&to, dealt, sizeof to);
  return to;
#else
  return __builtin_shufflevector(x, y, (dealt_from<unit, group, odd, sizeof...(i)>(i))...);
#endif
}
template <int unit, int group, class P, std::size_t W> [[gnu::always_inline]] inline void deal(P (&x)[W]) {
  P dealt[W];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < W; i += 2) {
    dealt[i / 2] = every_other<unit, group, 0>(x[i], x[i + 1], std::make_index_sequence<W>());
    dealt[(W + i) / 2] = every_other<unit, group, 1>(x[i], x[i + 1], std::make_index_sequence<W>());
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < W; ++i) x[i] = dealt[i];
}
/// A W by W matrix in W registers becomes its transpose: log2 W times, even columns are dealt to the first
/// half of the registers and odd ones to the second; first within 16 bytes, then by 16 bytes, as instructions
/// do.
template <class P, std::size_t W> [[gnu::always_inline]] inline void transpose(P (&x)[W]) {
  constexpr int w = W, L = 16 * w / int{sizeof(P)};
  deal<1, L>(x);
  if constexpr (L == 4) deal<1, L>(x);
  if constexpr (w / L >= 2) deal<L, w>(x);
  if constexpr (w / L >= 4) deal<L, w>(x);
}

/// A packet's worth of columns, turned in registers: row[k] is from(k, 0 ... L - 1) for k < K. Lanes beyond L
/// repeat a column, so that they cost no more than the others. from's rows are adjacent in memory.
template <class T> struct Turned {
  packet::Packet<T> row[packet_size<T>];

  [[gnu::always_inline]] Turned(const Matrix<T>& from, Index L, Index K) {
    using P = packet::Packet<T>;
    const T* p = from.data;
#pragma GCC unroll 16
    for (Index l = 0; l < packet_size<T>; ++l) {
      row[l] = K >= packet_size<T> ? Eigen::internal::ploadu<P>(p) : packet::load_first<P>(p, K);
      p += l + 1 < L ? from.column_stride : 0;
    }
    transpose(row);
  }
};

/// to[k step + l] = from(k, l) for k < K, l < L, in whole packets: `step` has room for them.
template <class T> [[gnu::noinline]] void pack(T* to, Index step, const Matrix<T>& from, Index L, Index K) {
  namespace ei = Eigen::internal;
  using P = packet::Packet<T>;
  constexpr Index W = packet_size<T>;
  for (Index l = 0; l < L; l += W, to += W) {
    const Matrix<T> x = from.from(0, l);
    const Index n = std::min(L - l, W);
    if (x.column_stride == 1 && n == W) {
      for (Index k = 0; k < K; ++k) ei::pstoreu(to + k * step, ei::ploadu<P>(&x(k, 0)));
    } else if (x.column_stride == 1) {
      for (Index k = 0; k < K; ++k) ei::pstoreu(to + k * step, packet::load_first<P>(&x(k, 0), n));
    } else if (x.row_stride == 1) {
      for (Index k = 0; k < K; k += W) {
        const Turned<T> turned(x.from(k, 0), n, K - k);
#pragma GCC unroll 16
        for (Index i = 0; i < W; ++i)
          if (k + i < K) ei::pstoreu(to + (k + i) * step, turned.row[i]);
      }
    } else {
      for (Index k = 0; k < K; ++k)
        for (Index i = 0; i < W; ++i) to[k * step + i] = x(k, std::min(i, n - 1));
    }
  }
}

/// Packs from [K, L] in panels of `width` columns, one after the other, each K by `step` numbers.
template <class T> void pack_panels(T* to, Index width, Index step, Matrix<T> from, Index L, Index K) {
  // rows of memory a few at a time through all panels: else each number is on another page than the last
  const Index some = from.column_stride == 1 ? 32 : K;
  for (Index k = 0; k < K; k += some)
    for (Index l = 0; l < L; l += width)
      pack(to + (l / width * K + k) * step, step, from.from(k, l), std::min(width, L - l),
           std::min(some, K - k));
}

}  // namespace gradus::cpu::detail

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
