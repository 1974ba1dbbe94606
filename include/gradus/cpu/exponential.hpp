// SPDX-License-Identifier: MIT
// exp, expm1, tanh, log, log1p and log1p_exp of one packet.
//
//   exp    x = n ln 2 + r, |r| <= ½ ln 2      eˣ = 2ⁿ (1 + r + r² q(r))
//   expm1  the same                           eˣ - 1 = 2ⁿ p + (2ⁿ - 1),  p = r + r² q(r)
//   tanh   |x| = ½ n ln 2 + r, s = 2ⁿ⁻¹       (s - ½ + m) / (s + ½ - m),  m = ½ (1 - e⁻²ʳ) = r + r² q(r)
//   log    x = 2ᵉ (1 + f), √½ <= 1 + f < √2   e ln 2 + log(1 + f)
//   log1p  e from 1 + x rounded               f = x 2⁻ᵉ + (2⁻ᵉ - 1), which is rounded once
//
// A packet whose numbers are all plain takes the short way, any other one a function that does everything and
// gives the plain lanes the same bits: there 2ⁿ is two factors, which reach infinity and the denormal numbers
// with one rounding.
// ln 2 is subtracted in two parts, the first so short that its multiples are exact without a fused
// multiply-add too. The methods are Cody and Waite's, "Software Manual for the Elementary Functions", 1980,
// as in Cephes (float log) and fdlibm (double log); J.-M. Muller, "Elementary Functions", 3rd ed. 2016, ch.
// 11, says why. Coefficients: Remez exchange at 50 digits for the least relative error of the result, then
// rounded.
#pragma once

#include <cstdint>
#include <limits>

#include <gradus/cpu/packet.hpp>

namespace gradus::cpu::packet {

template <class T> struct Exp;
template <> struct Exp<float> {
  static constexpr int digits = 23;           // of the fraction
  static constexpr float round = 12582912.f;  // 1.5 · 2²³: x + round has x, rounded, in its last bits
  static constexpr float log2_e = 1.44269504f;
  static constexpr float ln2[] = {0.693359375f, -2.12194440e-4f};
  static constexpr float plain = 87.f;                 // eˣ is a normal number within
  static constexpr float least = -104.f, most = 89.f;  // and 0 or infinite beyond
  static constexpr float minus_one = -20.f;            // eˣ - 1 is -1 below
  static constexpr float q[] = {0.49999997f, 0.166665435f, 0.0416672006f, 0.00836654752f, 0.0013882512f};
};
template <> struct Exp<double> {
  static constexpr int digits = 52;
  static constexpr double round = 6755399441055744.;  // 1.5 · 2⁵²
  static constexpr double log2_e = 1.4426950408889634;
  static constexpr double ln2[] = {6.93147180369123816490e-01, 1.90821492927058770002e-10};
  static constexpr double plain = 708.;
  static constexpr double least = -746., most = 710.;
  static constexpr double minus_one = -40.;
  static constexpr double q[] = {0.5,
                                 0.16666666666666677,
                                 0.041666666666666505,
                                 0.0083333333333216551,
                                 0.001388888888896262,
                                 0.0001984126988607304,
                                 2.4801587172207617e-05,
                                 2.7557244254495142e-06,
                                 2.7557402787835408e-07,
                                 2.5109024383803285e-08,
                                 2.0875327062783775e-09};
};

/// x = n ln 2 + r, |r| <= ½ ln 2: n is in the last bits of t.
template <class P> struct Exponent { P t, r; };
template <class P> inline Exponent<P> exponent_of(const P& x) {
  using C = Exp<Lane<P>>;
  const P t = fma(x, all<P>(C::log2_e), all<P>(C::round)), n = t - all<P>(C::round);
  return {t, fma(n, all<P>(-C::ln2[1]), fma(n, all<P>(-C::ln2[0]), x))};
}
/// eʳ - 1
template <class P> inline P expm1_of_rest(const P& r) {
  return fma(r * r, polynomial(r, Exp<Lane<P>>::q), r);
}

/// eˣ where it may be denormal, 0, infinite or NaN. The other lanes are, to the bit, as below.
template <class P> [[gnu::noinline, gnu::cold]] P exp_anywhere(P x) {
  using C = Exp<Lane<P>>;
  const Exponent<P> e =
      exponent_of(greater(all<P>(C::least), lesser(all<P>(C::most), x)));  // in this order NaN stays
  // 2ⁿ as two factors, both of them normal: only the last multiplication rounds
  const Bits<P> half = bits(e.t) >> 1, one = bits(all<P>(1));
  return (expm1_of_rest(e.r) + all<P>(1)) * from_bits<P>((half << C::digits) + one) *
         from_bits<P>(((bits(e.t) - half) << C::digits) + one);
}

template <class P> inline P exp(const P& x) {
  using C = Exp<Lane<P>>;
  if (any_beyond(x, C::plain)) return exp_anywhere(x);
  const Exponent<P> e = exponent_of(x);
  return from_bits<P>(bits(expm1_of_rest(e.r) + all<P>(1)) + (bits(e.t) << C::digits));
}

/// (eˣ - 1) / 2 for x from Exp::minus_one to Exp::most. Half, because 2ⁿ overflows before eˣ does.
template <class P> inline P half_expm1(const P& x) {
  using C = Exp<Lane<P>>;
  const Exponent<P> e = exponent_of(x);
  const P half = all<P>(Lane<P>(0.5)), scale = from_bits<P>((bits(e.t) << C::digits) + bits(half));  // 2ⁿ⁻¹
  return fma(scale, expm1_of_rest(e.r), scale - half);
}

template <class P> inline P expm1(const P& x) {
  using C = Exp<Lane<P>>;
  const P h = half_expm1(greater(all<P>(C::minus_one), lesser(all<P>(C::most), x)));
  // halving and doubling would cost a denormal number its last bit
  return absolute(x) < all<P>(std::numeric_limits<Lane<P>>::epsilon() / 4) ? x : h + h;
}

template <class T> struct Tanh;
template <> struct Tanh<float> {
  static constexpr float most = 10;  // tanh rounds to 1 beyond
  static constexpr float q[] = {-0.999999642f, 0.666660547f, -0.333366811f, 0.13391161f, -0.0437932275f};
};
template <> struct Tanh<double> {
  static constexpr double most = 20;
  static constexpr double q[] = {-1.0,
                                 0.6666666666666718,
                                 -0.3333333333334105,
                                 0.13333333333194575,
                                 -0.04444444442587569,
                                 0.012698412828950461,
                                 -0.0031746047078166444,
                                 0.000705461884108161,
                                 -0.00014104071100111976,
                                 2.5756014926372677e-05,
                                 -4.926479677780451e-06};
};

template <class P> inline P tanh(const P& x) {
  using C = Tanh<Lane<P>>;
  using E = Exp<Lane<P>>;
  const P half = all<P>(Lane<P>(0.5)), a = lesser(all<P>(C::most), absolute(x));
  const P t = fma(a, all<P>(2 * E::log2_e), all<P>(E::round)), n = t - all<P>(E::round);
  const P high = fma(n, all<P>(-E::ln2[0] / 2), a), r = fma(n, all<P>(-E::ln2[1] / 2), high);
  const P square = r * r, q = polynomial(r, C::q);
  P m;
  if constexpr (sizeof(Lane<P>) == 4) {
    m = fma(square, q, r);
  } else {  // what rounding r cost is made good: it decides between 1.9 and 2.1 ulp
    m = high + fma(square, q, n * all<P>(-E::ln2[1] / 2));
  }
  const P scale = from_bits<P>((bits(t) << E::digits) + bits(half));  // 2ⁿ⁻¹
  return with_sign_of(x, (m + (scale - half)) / ((scale + half) - m));
}

template <class T> struct Log;
template <> struct Log<float> {
  static constexpr std::uint32_t root_half = 0x3f3504f3;  // the bits of √½
  static constexpr float denormal = 16777216.f;  // 2²⁴ lifts every denormal number to a normal one
  static constexpr float unit = 1.f / 8388608;   // of an exponent e: it is counted in 2⁻²³
  static constexpr float lift = 24 / unit;
  static constexpr float large = 1e18f;  // 1 + x is x
  static constexpr float q[] = {-0.5f,        0.333333313f,  -0.250008196f, 0.200012267f, -0.166233569f,
                                0.142017528f, -0.131601825f, 0.127616122f,  -0.076345399f};
  /// A multiple of 2²³ as a number.
  template <class P> static P exponent(const Bits<P>& e) {
    const auto whole = std::bit_cast<typename BitsOf<P>::whole>(e);
    return std::bit_cast<P>(__builtin_convertvector(whole, typename BitsOf<P>::number));
  }
  // f + f² q(f)
  template <class P> static P log(const P& f, const P& e) {
    const P y = fma(f * f, polynomial(f, q), e * all<P>(unit * Exp<float>::ln2[1]));
    return fma(e, all<P>(unit * Exp<float>::ln2[0]), f + y);
  }
};
template <> struct Log<double> {
  static constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd;
  static constexpr double denormal = 18014398509481984.;  // 2⁵⁴
  static constexpr double unit = 1, lift = 54;
  static constexpr double large = 1e18;
  static constexpr double q[] = {0.6666666666666734,  0.39999999999414326, 0.28571428742473998,
                                 0.22222198563565679, 0.18183564862795298, 0.1531403592975302,
                                 0.14796104530812559};
  /// A multiple of 2⁵², in 2⁵²: what no processor before AVX-512 has an instruction for.
  template <class P> static P exponent(const Bits<P>& e) {
    const Bits<P> biased = (e + bits(all<P>(1))) >> 52;  // becomes the last bits of 2⁵²
    return from_bits<P>(biased | bits(all<P>(4503599627370496.))) - all<P>(4503599627370496. + 1023);
  }
  // with s = f / (2 + f):  2 artanh s = 2 s + s³ q(s²) = f - (f²/2 - s (f²/2 + s² q(s²)))
  template <class P> static P log(const P& f, const P& e) {
    const P s = f / (all<P>(2) + f), z = s * s, h = all<P>(0.5) * f * f;
    const P y = fma(s, fma(z, polynomial(z, q), h), e * all<P>(Exp<double>::ln2[1]));
    return fma(e, all<P>(Exp<double>::ln2[0]), f - (h - y));
  }
};

/// x = 2ᵉ m with √½ <= m < √2, for a positive normal x.
template <class P> struct Parts {
  Bits<P> shifted;  // e, where the exponent of x is
  P m, e;           // e in Log::unit
  explicit Parts(const P& x) {
    using C = Log<Lane<P>>;
    shifted = (bits(x) - C::root_half) & ~((Word<P>(1) << Exp<Lane<P>>::digits) - 1);
    m = from_bits<P>(bits(x) - shifted);
    e = C::template exponent<P>(shifted);
  }
};

/// log x where it may be denormal, zero, negative, infinite or NaN.
template <class P> [[gnu::noinline, gnu::cold]] P log_anywhere(P x) {
  using C = Log<Lane<P>>;
  using Limits = std::numeric_limits<Lane<P>>;
  const P zero = all<P>(0), infinity = all<P>(Limits::infinity());
  const auto denormal = x < all<P>(Limits::min());
  const Parts<P> parts(denormal ? x * all<P>(C::denormal) : x);
  const P y = C::log(parts.m - all<P>(1), parts.e - (denormal ? all<P>(C::lift) : zero));
  const P outside = x < zero ? all<P>(Limits::quiet_NaN()) : (x == zero ? -infinity : x);
  return ((x > zero) & (x < infinity)) ? y : outside;
}

template <class P> inline P log(const P& x) {
  using Limits = std::numeric_limits<Lane<P>>;
  if (any_outside(x, Limits::min(), Limits::max())) return log_anywhere(x);
  const Parts<P> parts(x);
  return Log<Lane<P>>::log(parts.m - all<P>(1), parts.e);
}

/// log(1 + x) where u, 1 + x rounded, is normal and not so large that 2⁻ᵉ is denormal. It gives e alone;
/// f = x 2⁻ᵉ + (2⁻ᵉ - 1) is rounded once, as long as f matters.
template <class P> inline P log1p_plain(const P& x, const P& u) {
  const P one = all<P>(1);
  const Parts<P> parts(u);
  const P scale = from_bits<P>(bits(one) - parts.shifted);                         // 2⁻ᵉ
  return with_sign_of(x, Log<Lane<P>>::log(fma(x, scale, scale - one), parts.e));  // keeps -0
}

/// log(1 + x) everywhere: where x is large nothing is lost that matters.
template <class P> [[gnu::noinline, gnu::cold]] P log1p_anywhere(P x) {
  const P u = all<P>(1) + x;
  return ((u > all<P>(0)) & (u < all<P>(Log<Lane<P>>::large))) ? log1p_plain(x, u) : log_anywhere(u);
}

template <class P> inline P log1p(const P& x) {
  const P u = all<P>(1) + x;
  return any_outside(u, std::numeric_limits<Lane<P>>::min(), Log<Lane<P>>::large) ? log1p_anywhere(x)
                                                                                  : log1p_plain(x, u);
}

/// log(1 + eˣ) for x <= 0: log(1 + t) is t + t² q(t) for all t = eˣ <= 1. float alone: its time is one exp and
/// a few operations, where log1p(exp(x)) waits for one long chain.
inline constexpr float log1p_of_1[] = {-0.499999315f,  0.333304644f,  -0.24958016f,
                                       0.196920678f,   -0.153448626f, 0.106615938f,
                                       -0.0574705973f, 0.0200999565f, -0.00329534151f};
template <class P> inline P log1p_exp(const P& x) {
  const P t = exp(x);
  return fma(t * t, polynomial(t, log1p_of_1), t);
}

}  // namespace gradus::cpu::packet
