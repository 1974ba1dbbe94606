// SPDX-License-Identifier: MIT
// sin and cos of one packet.
//
//   double   x = n π/2 + r, |r| <= π/4           sin r = r + r³ p(r²)      cos r = 1 - r²/2 + r⁴ q(r²)
//   float    |x| = n π + r, |r| <= π/2           ± sin r = r + r³ p(r²)    n and a half for cos
//
// π/2 is subtracted in four parts, of 33 bits but for the last: their multiples up to 2²⁰ are exact, so r is
// right to the last bit even where x is next to a multiple of π/2. Likewise π for float, in parts of at most
// 12 bits and up to n = 2¹¹. Larger |x| goes to double, and from there to the standard library, lane by lane.
// Methods: Cody and Waite, "Software Manual for the Elementary Functions", 1980; the parts of
// π/2 are fdlibm's. Coefficients: Remez exchange at 50 digits for the least relative error, then rounded.
#pragma once

#include <cmath>

#include <gradus/cpu/packet.hpp>

namespace gradus::cpu::packet {

struct Turn {
  static constexpr double most = 1e6;                 // |n| < 2²⁰
  static constexpr double round = 6755399441055744.;  // 1.5 · 2⁵²: x + round has x, rounded, in its last bits
  static constexpr double two_over_pi = 0.63661977236758134;
  static constexpr double half_pi[] = {1.57079632673412561417e+00, 6.07710050630396597660e-11,
                                       2.02226624871116645580e-21, 8.47842766036889956997e-32};
  static constexpr double sin[] = {-0.16666666666666632,   0.0083333333333224027,   -0.00019841269829798676,
                                   2.7557313688608891e-06, -2.5050757576693616e-08, 1.5896763325378746e-10};
  static constexpr double cos[] = {0.041666666666666602,    -0.001388888888887411,  2.4801587289472481e-05,
                                   -2.7557314349401322e-07, 2.0875722858493468e-09, -1.1359625539176216e-11};
};

/// sin(x + quarters π/2) for |x| <= Turn::most.
template <class P> P sine(const P& x, Word<P> quarters) {
  const P t = fma(x, all<P>(Turn::two_over_pi), all<P>(Turn::round));
  const P n = t - all<P>(Turn::round);
  const P a = fma(n, all<P>(-Turn::half_pi[0]), x), w = n * all<P>(Turn::half_pi[1]);
  const P b = a - w, rest = (a - b) - w;  // the first two differences are exact; rest is what b lost
  const P r = fma(n, all<P>(-Turn::half_pi[3]), b + fma(n, all<P>(-Turn::half_pi[2]), rest));
  const P z = r * r;
  const P s = fma(r * z, polynomial(z, Turn::sin), r);
  const P c = fma(z * z, polynomial(z, Turn::cos), fma(z, all<P>(-0.5), all<P>(1)));
  const Bits<P> q = bits(t) + quarters;
  const Bits<P> odd = Word<P>(0) - (q & 1);  // all ones where cos r takes the place of sin r
  return from_bits<P>(((bits(c) & odd) | (bits(s) & ~odd)) ^ ((q >> 1) << 63));
}

template <class P> P sin(const P& x) {
  const P y = sine(x, 0);
  return x == all<P>(0) ? x : y;  // keeps -0
}
template <class P> P cos(const P& x) { return sine(x, 1); }

struct HalfTurn {
  static constexpr float most = 6400;         // n < 2¹¹
  static constexpr float round = 12582912.f;  // 1.5 · 2²³
  static constexpr float one_over_pi = 0.318309886f;
  static constexpr float pi[] = {3.140625f, 9.67741013e-4f, -8.74279067e-08f, 5.12668814e-12f};
  static constexpr float sin[] = {-0.166666582f, 0.00833303109f, -0.000198071037f, 2.60052525e-06f};
};

/// sin(a - n π) where that is at most a quarter turn. n or n + ½ is whole.
template <class P> inline P sine_of_rest(const P& a, const P& n) {
  using C = HalfTurn;
  const P b = fma(n, all<P>(-C::pi[1]), fma(n, all<P>(-C::pi[0]), a));  // exact where a >= 1
  const P r = fma(n, all<P>(-C::pi[2]), b), z = r * r;
  // Horner's rule and the last part of π at the end: rounding r twice, or p's two halves, would pass 2 ulp
  const P p =
      fma(fma(fma(all<P>(C::sin[3]), z, all<P>(C::sin[2])), z, all<P>(C::sin[1])), z, all<P>(C::sin[0]));
  return r + fma(r * z, p, n * all<P>(-C::pi[3]));
}
/// For |x| <= HalfTurn::most.
template <class P> inline P sin_near(const P& x) {
  const P a = absolute(x), t = fma(a, all<P>(HalfTurn::one_over_pi), all<P>(HalfTurn::round));
  const P y = sine_of_rest(a, t - all<P>(HalfTurn::round));
  return from_bits<P>(bits(y) ^ (bits(t) << 31) ^ (bits(x) & sign_bit<P>));  // keeps -0
}
template <class P> inline P cos_near(const P& x) {
  const P a = absolute(x), half = all<P>(0.5f);
  const P t = fma(a, all<P>(HalfTurn::one_over_pi), half) + all<P>(HalfTurn::round);
  const P y = sine_of_rest(a, (t - all<P>(HalfTurn::round)) - half);
  return from_bits<P>(bits(y) ^ (bits(t) << 31));
}

}  // namespace gradus::cpu::packet
