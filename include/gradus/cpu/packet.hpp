// SPDX-License-Identifier: MIT
// One SIMD register of numbers. Eigen's packets say how wide it is on this instruction set, load, store,
// multiply-add and sum it; + - * / comparisons and ?: are the compiler's own operators on vectors, which g++
// and clang optimise where Eigen's calls are opaque to them. Here is the little that neither has.
#pragma once

#ifndef EIGEN_NO_CUDA
#define EIGEN_NO_CUDA
#endif
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <Eigen/Core>

#include <gradus/fwd.hpp>

#ifdef __NVCC_DIAG_PRAGMA_SUPPORT__
#pragma nv_diag_suppress 1675  // "unrecognized GCC pragma": loops here say unroll, which nvcc hands on to g++
#endif

namespace gradus::cpu::packet {

namespace ei = Eigen::internal;

/// The widest register of T; T itself where nothing is vectorised.
template <class T> using Packet = typename ei::packet_traits<T>::type;
/// float or double
template <class P> using Lane = typename ei::unpacket_traits<P>::type;
template <class P> using Half = typename ei::unpacket_traits<P>::half;
template <class P> inline constexpr int lanes = static_cast<int>(sizeof(P) / sizeof(Lane<P>));

/// A packet's bits, as unsigned integers of the same width, with + - & | ^ << >>.
template <class P> struct BitsOf {
  using U = std::conditional_t<sizeof(Lane<P>) == 4, std::uint32_t, std::uint64_t>;
  typedef U type __attribute__((vector_size(sizeof(P))));
  typedef std::make_signed_t<U> whole __attribute__((vector_size(sizeof(P))));
  typedef Lane<P> number __attribute__((vector_size(sizeof(P))));  // P, or a vector of one
};
template <class P> using Bits = typename BitsOf<P>::type;
template <class P> using Word = typename BitsOf<P>::U;

template <class P> Bits<P> bits(const P& p) { return std::bit_cast<Bits<P>>(p); }
template <class P> P from_bits(const Bits<P>& b) { return std::bit_cast<P>(b); }
template <class P> inline constexpr Word<P> sign_bit = Word<P>(1) << (8 * sizeof(Word<P>) - 1);

template <class P> P all(Lane<P> number) { return ei::pset1<P>(number); }
template <class P> P fma(const P& a, const P& b, const P& c) { return ei::pmadd(a, b, c); }
template <class P> P absolute(const P& p) { return from_bits<P>(bits(p) & ~sign_bit<P>); }
/// magnitude, which must not be negative, with the sign of x; keeps -0.
template <class P> P with_sign_of(const P& x, const P& magnitude) {
  return from_bits<P>(bits(magnitude) | (bits(x) & sign_bit<P>));
}
/// c[0] + c[1] x + c[2] x² + ...: neighbours in pairs, long ones in fours (Estrin), and these by Horner's rule.
/// As many operations as Horner's rule for x but for x² and x⁴, and a third of the time that a lane waits for
/// its own result: which is what a long formula's time depends on.
template <class P, std::size_t N> inline P polynomial(const P& x, const Lane<P> (&c)[N]) {
  const P z = x * x;
  std::size_t n = (N + 1) / 2;
  P part[(N + 1) / 2], step = z;
#pragma GCC unroll 16
  for (std::size_t k = 0; k < n; ++k)
    part[k] = 2 * k + 1 < N ? fma(all<P>(c[2 * k + 1]), x, all<P>(c[2 * k])) : all<P>(c[2 * k]);
  if constexpr (N > 8) {
    step = z * z;
#pragma GCC unroll 16
    for (std::size_t k = 0; k < (n + 1) / 2; ++k)
      part[k] = 2 * k + 1 < n ? fma(part[2 * k + 1], z, part[2 * k]) : part[2 * k];
    n = (n + 1) / 2;
  }
  P sum = part[n - 1];
#pragma GCC unroll 16
  for (std::size_t k = n - 1; k > 0; --k) sum = fma(sum, step, part[k - 1]);
  return sum;
}

/// Is the condition, the result of comparing two packets, met in some lane?
template <class M> bool any(const M& m) {
  if constexpr (std::is_same_v<M, bool>) {
    return m;
#ifdef EIGEN_VECTORIZE_AVX512
  } else if constexpr (sizeof(M) == 64) {
    return _mm512_test_epi32_mask(std::bit_cast<__m512i>(m), std::bit_cast<__m512i>(m)) != 0;
#endif
#ifdef EIGEN_VECTORIZE_AVX
  } else if constexpr (sizeof(M) == 32) {
    return _mm256_movemask_ps(std::bit_cast<__m256>(m)) != 0;
#endif
#ifdef EIGEN_VECTORIZE_SSE
  } else if constexpr (sizeof(M) == 16) {
    return _mm_movemask_ps(std::bit_cast<__m128>(m)) != 0;
#endif
  } else {
    bool found = false;
    for (unsigned i = 0; i < sizeof(M) / sizeof(m[0]); ++i) found |= m[i] != 0;
    return found;
  }
}

/// Is some lane of b, as a signed integer, above `most`?
template <class P> bool any_above(const Bits<P>& b, Word<P> most) {
  using Signed = typename BitsOf<P>::whole;
  const Signed number = std::bit_cast<Signed>(b), limit = std::bit_cast<Signed>(Bits<P>{} + most);
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (lanes<P> == 16)
    return _mm512_cmpgt_epi32_mask(std::bit_cast<__m512i>(number), std::bit_cast<__m512i>(limit)) != 0;
  else if constexpr (sizeof(P) == 64)
    return _mm512_cmpgt_epi64_mask(std::bit_cast<__m512i>(number), std::bit_cast<__m512i>(limit)) != 0;
  else
#endif
    return any(number > limit);
}
/// Is |x| above `most`, or NaN, in some lane?
template <class P> bool any_beyond(const P& x, Lane<P> most) {
  return any_above<P>(bits(absolute(x)), std::bit_cast<Word<P>>(most));
}
/// Is some lane below `least`, above `most` or NaN? 0 < least < most.
template <class P> bool any_outside(const P& x, Lane<P> least, Lane<P> most) {
  constexpr Word<P> sign = sign_bit<P>;  // bits of least become the lowest signed integer
  const Word<P> low = std::bit_cast<Word<P>>(least);
  return any_above<P>(bits(x) + (sign - low), std::bit_cast<Word<P>>(most) - low + sign);
}

/// a > b ? a : b, so b where either is NaN.
template <class P> P greater(const P& a, const P& b) { return a > b ? a : b; }
/// a < b ? a : b, so b where either is NaN.
template <class P> P lesser(const P& a, const P& b) { return a < b ? a : b; }
/// √p, correctly rounded.
template <class P> P square_root(const P& p) { return ei::psqrt(p); }
/// The largest integer that is not above p.
template <class P> P round_down(const P& p) { return ei::pfloor(p); }

// x86 has each of these as one instruction. g++ does not find max and min where one side is a constant, and
// Eigen 3.4's psqrt is an estimate and a Newton step (unless EIGEN_FAST_MATH is 0). The _maskz_ forms with a
// full mask are the plain instructions; of the plain forms' headers g++ 12 warns.
#ifdef EIGEN_VECTORIZE_SSE
inline __m128 greater(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
inline __m128 lesser(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
inline __m128 square_root(__m128 p) { return _mm_sqrt_ps(p); }
inline __m128d greater(__m128d a, __m128d b) { return _mm_max_pd(a, b); }
inline __m128d lesser(__m128d a, __m128d b) { return _mm_min_pd(a, b); }
#endif
#ifdef EIGEN_VECTORIZE_AVX
inline __m256 greater(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
inline __m256 lesser(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
inline __m256 square_root(__m256 p) { return _mm256_sqrt_ps(p); }
inline __m256d greater(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
inline __m256d lesser(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
#endif
#ifdef EIGEN_VECTORIZE_AVX512
inline __m512 greater(__m512 a, __m512 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
inline __m512 lesser(__m512 a, __m512 b) { return _mm512_maskz_min_ps(0xffff, a, b); }
inline __m512 square_root(__m512 p) { return _mm512_maskz_sqrt_ps(0xffff, p); }
inline __m512 round_down(__m512 p) { return _mm512_maskz_roundscale_ps(0xffff, p, _MM_FROUND_TO_NEG_INF); }
inline __m512d greater(__m512d a, __m512d b) { return _mm512_maskz_max_pd(0xff, a, b); }
inline __m512d lesser(__m512d a, __m512d b) { return _mm512_maskz_min_pd(0xff, a, b); }
inline __m512d square_root(__m512d p) { return _mm512_maskz_sqrt_pd(0xff, p); }
inline __m512d round_down(__m512d p) { return _mm512_maskz_roundscale_pd(0xff, p, _MM_FROUND_TO_NEG_INF); }
#endif

/// The sum of the lanes, each step adding the upper half onto the lower half.
template <class P> Lane<P> sum_lanes(const P& p) {
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (sizeof(P) == 64) {
    const __m512d q = std::bit_cast<__m512d>(p);
    const auto low = std::bit_cast<Half<P>>(__builtin_shufflevector(q, q, 0, 1, 2, 3));
    const auto high = std::bit_cast<Half<P>>(__builtin_shufflevector(q, q, 4, 5, 6, 7));
    return ei::predux(low + high);
  } else
#endif
    return ei::predux(p);
}

#ifdef EIGEN_VECTORIZE_AVX2
/// All ones in the first n lanes.
template <class P> __m256i first_lanes(Index n) {
  if constexpr (lanes<P> == 8)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
#endif

/// The first n numbers at `from`, and zeros after them; nothing is read beyond n. 0 <= n <= lanes.
template <class P> P load_first(const Lane<P>* from, Index n) {
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (lanes<P> == 16)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from);
  else if constexpr (sizeof(P) == 64)
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), from);
  else
#endif
#ifdef EIGEN_VECTORIZE_AVX2
      if constexpr (lanes<P> == 8)
    return _mm256_maskload_ps(from, first_lanes<P>(n));
  else if constexpr (sizeof(P) == 32)
    return _mm256_maskload_pd(from, first_lanes<P>(n));
  else
#endif
  {
    alignas(64) Lane<P> buffer[lanes<P>] = {};
    for (Index i = 0; i < n; ++i) buffer[i] = from[i];
    return ei::pload<P>(buffer);
  }
}

/// The same, with those of `rest` after them.
template <class P> P load_first(const Lane<P>* from, Index n, const P& rest) {
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (lanes<P> == 16)
    return _mm512_mask_loadu_ps(rest, static_cast<__mmask16>((1u << n) - 1u), from);
  else if constexpr (sizeof(P) == 64)
    return _mm512_mask_loadu_pd(rest, static_cast<__mmask8>((1u << n) - 1u), from);
  else
#endif
  {
    alignas(64) Lane<P> buffer[lanes<P>];
    ei::pstore(buffer, rest);
    for (Index i = 0; i < n; ++i) buffer[i] = from[i];
    return ei::pload<P>(buffer);
  }
}

/// p in the first n lanes, zeros after them.
template <class P> P keep_first(const P& p, Index n) {
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (lanes<P> == 16)
    return _mm512_maskz_mov_ps(static_cast<__mmask16>((1u << n) - 1u), p);
  else if constexpr (sizeof(P) == 64)
    return _mm512_maskz_mov_pd(static_cast<__mmask8>((1u << n) - 1u), p);
  else
#endif
  {
    alignas(64) Lane<P> buffer[lanes<P>];
    ei::pstore(buffer, p);
    for (Index i = n; i < lanes<P>; ++i) buffer[i] = 0;
    return ei::pload<P>(buffer);
  }
}

/// Writes the first n numbers, and nothing beyond them. 0 <= n <= lanes.
template <class P> void store_first(Lane<P>* to, const P& p, Index n) {
#ifdef EIGEN_VECTORIZE_AVX512
  if constexpr (lanes<P> == 16)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), p);
  else if constexpr (sizeof(P) == 64)
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1u), p);
  else
#endif
#ifdef EIGEN_VECTORIZE_AVX2
      if constexpr (lanes<P> == 8)
    _mm256_maskstore_ps(to, first_lanes<P>(n), p);
  else if constexpr (sizeof(P) == 32)
    _mm256_maskstore_pd(to, first_lanes<P>(n), p);
  else
#endif
  {
    alignas(64) Lane<P> buffer[lanes<P>];
    ei::pstore(buffer, p);
    for (Index i = 0; i < n; ++i) to[i] = buffer[i];
  }
}

}  // namespace gradus::cpu::packet
