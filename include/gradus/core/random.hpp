// SPDX-License-Identifier: MIT
// Random numbers without a state: number i of a stream is a function of (seed, id, i), so any thread and any
// device can draw any of them, in any order.
//
//   Philox4x32-10: a bijection of 128-bit counters under a 64-bit key, 4 words of 32 bits a block
//     key = seed          counter = block index + 2^64 id
//   word i of a stream is word i mod 4 of block i / 4; 64-bit draw i is words 2i (low) and 2i + 1.
//
// Every result is made of + - * / sqrt and std::fma alone, with each multiply-add spelled as fma: the bits
// are the same on every machine, compiler and optimisation level (but -ffast-math).
//
// Sources: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC'11. M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
// Statistics 37(3), 1988. D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <gradus/core/error.hpp>
#include <gradus/fwd.hpp>

namespace gradus::random {

using Block = std::array<std::uint32_t, 4>;

/// The block of Philox4x32-10 at a counter; words in the paper's order, lowest first.
constexpr Block philox(Block counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;  // the golden ratio
    key[1] += 0xBB67AE85;  // √3 - 1
  }
  return counter;
}

namespace detail {

using gradus::detail::fail;

/// FNV-1a (Fowler, Noll, Vo), 64 bits; goes on from `hash`.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// The high half of a 64 × 64 bit product.
constexpr std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const std::uint64_t other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/// c[0] + c[1] x + c[2] x² ...
template <std::size_t N> double polynomial(double x, const double (&c)[N]) {
  double sum = c[N - 1];
  for (std::size_t k = N - 1; k-- > 0;) sum = std::fma(sum, x, c[k]);
  return sum;
}

/// The natural logarithm of a normal number x > 0, within 1 ulp.
/// x = 2^k (1 + f), s = f / (2 + f):  log(1 + f) = 2 atanh s = f - s (f - R),  R = 2s²/3 + 2s⁴/5 + 2s⁶/7 ...
inline double log(double x) {
  constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;  // k ln2_high is exact
  constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd;                          // √½ <= 1 + f < √2
  const std::uint64_t above = std::bit_cast<std::uint64_t>(x) - root_half;
  const auto k = static_cast<double>(static_cast<std::int64_t>(above) >> 52);
  const double f = std::bit_cast<double>((above & 0xfffffffffffff) + root_half) - 1;
  const double s = f / (2 + f), t = s * s;
  const double series = polynomial(t, {2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17,  //
                                       2. / 19, 2. / 21});
  const double low = std::fma(-s, std::fma(-t, series, f), k * ln2_low);
  return std::fma(k, ln2_high, f + low);
}

/// Φ⁻¹ at the middle of one of 2^53 equal parts of (0, 1): u = (bits + ½) 2^-53 for 53 bits. AS241's PPND16,
/// within 4 ulp. u and 1 - u are exact here and never 0: the result is odd in u - ½, no larger
/// than Φ⁻¹(1 - 2^-54) = 8.29.
inline double normal_quantile(std::uint64_t bits) {
  const bool upper = bits >> 52 != 0;
  const std::uint64_t k = (upper ? ~bits : bits) & 0xfffffffffffff;
  const double tail = static_cast<double>(2 * k + 1) * 0x1p-54;  // min(u, 1 - u), odd multiples of 2^-54
  const double q = 0.5 - tail;                                   // |u - ½|
  double z;
  // clang-format off
  if (q <= 0.425) {
    const double r = std::fma(-q, q, 0.180625);
    z = q * polynomial(r, {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
                           4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3})
          / polynomial(r, {1.0,                     4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
                           2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3});
  } else if (const double r = std::sqrt(-log(tail)); r <= 5) {
    z = polynomial(r - 1.6, {1.42343711074968357734e0,  4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
                             1.27045825245236838258e0,  2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4})
      / polynomial(r - 1.6, {1.0,                       2.05319162663775882187e0,  1.67638483018380384940e0,  6.89767334985100004550e-1,
                             1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9});
  } else {
    z = polynomial(r - 5, {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
                           2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7})
      / polynomial(r - 5, {1.0,                       5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
                           7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15});
  }
  // clang-format on
  return upper ? z : -z;
}

/// How many 32-bit words a T takes, and the number made of them.
template <std::floating_point T> constexpr int words = sizeof(T) == 4 ? 1 : 2;
template <std::floating_point T> constexpr T unit(std::uint64_t bits) {
  if constexpr (words<T> == 1)
    return static_cast<T>(bits >> 8) * T{0x1p-24};
  else
    return static_cast<T>(bits >> 11) * T{0x1p-53};
}

/// Draw i % (4 / Words) of a block: one word, or two with the low one first.
template <int Words> constexpr std::uint64_t draw(const Block& block, Index i) {
  if constexpr (Words == 1) return block[static_cast<std::size_t>(i & 3)];
  const auto low = static_cast<std::size_t>(2 * (i & 1));
  return block[low] | std::uint64_t{block[low + 1]} << 32;
}

/// out[k] = make(draw first + k of the stream), a block at a time.
template <int Words, class T, class Make>
void fill(T* out, Index n, const auto& stream, Index first, const Make& make) {
  constexpr Index per_block = 4 / Words;
  for (Index i = first, end = first + n; i < end;) {
    const Block block = stream.block(i / per_block);
    do *out++ = make(draw<Words>(block, i));
    while (++i % per_block != 0 && i < end);
  }
}

}  // namespace detail

/// An endless sequence of random words, and the numbers made of them: pure functions of the position i >= 0.
/// Streams with different (seed, id) share no block. A value of 16 bytes; each number costs one Philox block,
/// some 10 ns (fill_uniform and fill_normal use all of a block).
///
/// Numbers of different kinds at one position are made of the same bits: give each purpose a stream of its
/// own. T is float or double.
struct Stream {
  std::uint64_t seed = 0, id = 0;

  constexpr explicit Stream(std::uint64_t seed_ = 0, std::uint64_t id_ = 0) : seed(seed_), id(id_) {}
  /// id = FNV-1a 64 of the path: Stream(7, "layers/0/weight").
  constexpr Stream(std::uint64_t seed_, std::string_view path) : seed(seed_), id(detail::fnv1a(path)) {}

  /// The stream for part n of this one's purpose (an epoch, a step): another id for every n, by SplitMix64's
  /// finaliser (G. Steele, D. Lea, C. Flood, OOPSLA'14).
  constexpr Stream child(std::uint64_t n) const {
    std::uint64_t z = id + (n + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return Stream(seed, z ^ z >> 31);
  }

  /// Block `index` of the stream: words 4·index to 4·index + 3.
  constexpr Block block(Index index) const {
    const auto at = static_cast<std::uint64_t>(index);
    return philox({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at >> 32),
                   static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32)},
                  {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  }
  constexpr std::uint32_t bits(Index i) const {
    return static_cast<std::uint32_t>(detail::draw<1>(block(i / 4), i));
  }
  constexpr std::uint64_t bits64(Index i) const { return detail::draw<2>(block(i / 2), i); }

  /// In [0, 1): float is the upper 24 bits of bits(i) times 2^-24, double the upper 53 of bits64(i) times
  /// 2^-53.
  template <std::floating_point T> constexpr T uniform01(Index i) const {
    return detail::unit<T>(detail::words<T> == 1 ? bits(i) : bits64(i));
  }
  /// fma(uniform01(i), high - low, low). In [low, high], as rounding may reach high; high - low must be
  /// finite.
  template <std::floating_point T> T uniform(Index i, T low, T high) const {
    return std::fma(uniform01<T>(i), high - low, low);
  }
  /// Standard normal: Φ⁻¹((k + ½) 2^-53), k the upper 53 bits of bits64(i); a float is the double rounded.
  template <std::floating_point T = double> T normal(Index i) const {
    return static_cast<T>(detail::normal_quantile(bits64(i) >> 11));
  }
  /// fma(deviation, normal(i), mean).
  template <std::floating_point T> T normal(Index i, T mean, T deviation) const {
    return std::fma(deviation, normal<T>(i), mean);
  }
  /// True with probability p, to 2^-32: bits(i) < 2^32 p. Never for p = 0, always for p = 1.
  constexpr bool bernoulli(Index i, double p) const { return bits(i) < p * 0x1p32; }

  /// A whole number in [0, n): the high half of bits64(i) · n (Lemire's, without rejection). No number's
  /// probability is off by more than 2^-64. Throws ValueError for n < 1.
  constexpr Index below(Index i, Index n) const {
    if (n < 1) detail::fail<ValueError>("random: below(i, n) has n = ", n, "; it should be at least 1");
    return static_cast<Index>(detail::high_product(bits64(i), static_cast<std::uint64_t>(n)));
  }

  /// out[0..n) = a random order of 0 .. n-1, by Fisher-Yates with below(i, i + 1) for i = n-1 .. 1.
  /// O(n), some 10 ns each. Throws ValueError if I cannot count to n - 1.
  template <std::integral I> void permutation(I* out, Index n) const {
    if (n > 0 && !std::in_range<I>(n - 1))
      detail::fail<ValueError>("random: a permutation of ", n, " does not fit integers up to ",
                               std::numeric_limits<I>::max());
    for (Index i = 0; i < n; ++i) out[i] = static_cast<I>(i);
    for (Index i = n - 1; i > 0; --i) std::swap(out[i], out[below(i, i + 1)]);
  }

  friend constexpr bool operator==(const Stream&, const Stream&) = default;
};

/// The number of a random draw. Where a device repeats a step by itself, what is added changes from step to step
/// and lies in the device's memory.
struct Draw {
  std::uint64_t number = 0;
  const std::uint64_t* added = nullptr;
};

/// out[k] = stream.uniform(first + k, low, high) for 0 <= k < n: the same at any split of a range.
template <std::floating_point T>
void fill_uniform(T* out, Index n, const Stream& stream, T low = 0, T high = 1, Index first = 0) {
  const T span = high - low;
  detail::fill<detail::words<T>>(
      out, n, stream, first, [=](std::uint64_t bits) { return std::fma(detail::unit<T>(bits), span, low); });
}

/// out[k] = stream.normal(first + k, mean, deviation) for 0 <= k < n: the same at any split of a range.
template <std::floating_point T>
void fill_normal(T* out, Index n, const Stream& stream, T mean = 0, T deviation = 1, Index first = 0) {
  detail::fill<2>(out, n, stream, first, [=](std::uint64_t bits) {
    return std::fma(deviation, static_cast<T>(detail::normal_quantile(bits >> 11)), mean);
  });
}

}  // namespace gradus::random
