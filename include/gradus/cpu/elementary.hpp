// SPDX-License-Identifier: MIT
// exp, expm1, log, log1p, log1p_exp, tanh, erf, sin, cos and pow of a block, found by math::exp(x) and so on.
//
// Special values are those of <cmath>; results are denormal, zero or infinite where the true ones are. Worst
// errors in ulp, with and without a fused multiply-add (sin, cos, tanh, erf, log1p and softplus over all floats
// with one, sin and cos without one too, the rest by sampling; the tests allow 2):
//
//           exp   expm1  log   log1p  tanh  erf   sin   cos   softplus  rsqrt  pow
//   float   1.1   1.8    1.0   1.7    2.0   1.8   2.0   2.0   2.0       1.5    0.5    pow through double
//   double  1.1   2.0    0.9   0.8    2.0   1.4   1.6   1.6             1.5    libm   pow lane by lane
//
//   erf   small |x|: x + x p(x²)   else 1 - q(x)⁴ for float, 1 - exp(L(x)) for double: polynomials for the
//         fourth root and the logarithm of erfc
#pragma once

#include <cmath>
#include <concepts>

#include <gradus/cpu/exponential.hpp>
#include <gradus/cpu/trigonometric.hpp>
#include <gradus/cpu/wide.hpp>

namespace gradus::cpu {
namespace packet {

template <class T> struct Erf;
template <> struct Erf<float> {
  static constexpr float small = 1.1f, most = 4;  // erf rounds to 1 beyond
  static constexpr float p[] = {0.128379166f,   -0.376126111f,    0.112833641f,   -0.026843518f,
                                0.00516773062f, -0.000782472955f, 7.23601697e-05f};
  static constexpr float root[] = {1.00518763f,   -0.307549804f,  -0.0654921681f, -0.0485977978f,
                                   0.0651144907f, -0.0218964778f, 0.00317997136f, -0.000175604931f};
  template <class P> static P large(const P& t) {
    const P r = polynomial(t, root), square = r * r;
    return fma(-square, square, all<P>(1));
  }
};
template <> struct Erf<double> {
  static constexpr double small = 1, most = 6;
  static constexpr double p[] = {0.12837916709551256,     -0.37612638903183548,   0.11283791670945252,
                                 -0.026866170643276007,   0.0052239776074220826,  -0.00085483259896439331,
                                 0.000120552953192587,    -1.492474464520564e-05, 1.644751751293212e-06,
                                 -1.6209175031560166e-07, 1.3722973871725641e-08, -7.8011866597970873e-10};
  static constexpr double log_erfc[] = {
      -5.0284573551695624e-07, -1.1283740895145062,     -0.63664362791831008,   -0.10270343998063551,
      0.018990179712634603,    0.00041062678058022945,  -0.0019159423122574229, 0.00077064257581939237,
      -0.00013505013355117948, -2.0266684835175811e-05, 2.2822475213286432e-05, -8.6671445865308772e-06,
      2.1356699862451732e-06,  -3.7330095521568139e-07, 4.6422546716420717e-08, -3.9342210454091997e-09,
      2.0449372532303983e-10,  -4.9285482177643675e-12};
  template <class P> static P large(const P& t) { return all<P>(1) - exp(polynomial(t, log_erfc)); }
};

template <class P> inline P erf(const P& x) {
  using C = Erf<Lane<P>>;
  const P a = absolute(x), t = lesser(all<P>(C::most), a);
  const P small = fma(x, polynomial(x * x, C::p), x);
  return a < all<P>(C::small) ? small : with_sign_of(x, C::large(t));
}

/// float's pow: with the signs and special values of pow, and as exact as y log|x| in one double is.
template <class P> inline P pow(const P& x, const P& y) {
  const P a = absolute(x), one = all<P>(1), zero = all<P>(0), infinity = all<P>(HUGE_VAL);
  const P half = y * all<P>(0.5), whole = round_down(y);
  const P magnitude = a == one ? (y == y ? one : y) : exp(y * log(a));
  const P odd = round_down(half) == half ? zero : x;  // given that y is whole
  const P fraction = x < zero ? (a < infinity ? all<P>(NAN) : magnitude) : magnitude;  // given that it is not
  const P r = whole == y ? with_sign_of(odd, magnitude) : fraction;
  return y == zero ? one : (x == one ? one : r);
}

}  // namespace packet

template <class T>
concept Packed = std::same_as<T, float> || std::same_as<T, double>;

#define GRADUS_PACKETWISE(f)                                                                  \
  template <Packed T> inline Wide<T> f(const Wide<T>& x) {                                    \
    Wide<T> y;                                                                                \
    _Pragma("GCC unroll 16") for (int i = 0; i < Wide<T>::K; ++i) y.p[i] = packet::f(x.p[i]); \
    return y;                                                                                 \
  }
GRADUS_PACKETWISE(exp)
GRADUS_PACKETWISE(expm1)
GRADUS_PACKETWISE(log)
GRADUS_PACKETWISE(log1p)
GRADUS_PACKETWISE(tanh)
GRADUS_PACKETWISE(erf)
#undef GRADUS_PACKETWISE

#if defined(__FMA__) || \
    defined(__ARM_FEATURE_FMA)  // without, it would err 2.3 ulp, and math::log1p(exp(x)) 1.8
template <std::same_as<float> T> inline Wide<T> log1p_exp(const Wide<T>& x) {
  Wide<T> y;
  _Pragma("GCC unroll 16") for (int i = 0; i < Wide<T>::K; ++i) y.p[i] = packet::log1p_exp(x.p[i]);
  return y;
}
#endif

namespace detail {

/// Twice eight doubles from sixteen floats, and back.
struct InDouble {
  static constexpr Index half = Wide<double>::size;
  Wide<double> low, high;

  InDouble() = default;
  explicit InDouble(const Wide<float>& x) {
    alignas(64) float from[2 * half];
    alignas(64) double to[2 * half];
    x.store(from);
    for (Index i = 0; i < 2 * half; ++i) to[i] = static_cast<double>(from[i]);
    low = Wide<double>::load(to);
    high = Wide<double>::load(to + half);
  }
  Wide<float> rounded() const {
    alignas(64) double from[2 * half];
    alignas(64) float to[2 * half];
    low.store(from);
    high.store(from + half);
    for (Index i = 0; i < 2 * half; ++i) to[i] = static_cast<float>(from[i]);
    return Wide<float>::load(to);
  }
};

/// y, but standard(x) in the lanes where |x| is too large for `sine` (or x is no number).
template <class F> Wide<double> mend_far(const Wide<double>& x, const Wide<double>& y, F standard) {
  if (!(!(abs(x) <= packet::Turn::most)).any()) return y;
  double from[Wide<double>::size], to[Wide<double>::size];
  x.store(from);
  y.store(to);
  for (Index i = 0; i < Wide<double>::size; ++i)
    if (!(std::fabs(from[i]) <= packet::Turn::most)) to[i] = standard(from[i]);
  return Wide<double>::load(to);
}

/// y, but what f gives in doubles in the lanes where |x| is too large for y's way (or x is no number).
template <class F>
[[gnu::noinline, gnu::cold]] Wide<float> mend_far(const Wide<float>& x, const Wide<float>& y, F f) {
  InDouble d(x);
  d.low = f(d.low);
  d.high = f(d.high);
  return select(abs(x) <= Wide<float>(packet::HalfTurn::most), y, d.rounded());
}

}  // namespace detail

inline Wide<double> sin(const Wide<double>& x) {
  Wide<double> y;
  for (int i = 0; i < Wide<double>::K; ++i) y.p[i] = packet::sin(x.p[i]);
  return detail::mend_far(x, y, [](double far) { return std::sin(far); });
}
inline Wide<double> cos(const Wide<double>& x) {
  Wide<double> y;
  for (int i = 0; i < Wide<double>::K; ++i) y.p[i] = packet::cos(x.p[i]);
  return detail::mend_far(x, y, [](double far) { return std::cos(far); });
}
inline Wide<float> sin(const Wide<float>& x) {
  Wide<float> y;
  bool far = false;
  _Pragma("GCC unroll 16") for (int i = 0; i < Wide<float>::K; ++i) {
    y.p[i] = packet::sin_near(x.p[i]);
    far |= packet::any_beyond(x.p[i], packet::HalfTurn::most);
  }
  return far ? detail::mend_far(x, y, [](const Wide<double>& d) { return sin(d); }) : y;
}
inline Wide<float> cos(const Wide<float>& x) {
  Wide<float> y;
  bool far = false;
  _Pragma("GCC unroll 16") for (int i = 0; i < Wide<float>::K; ++i) {
    y.p[i] = packet::cos_near(x.p[i]);
    far |= packet::any_beyond(x.p[i], packet::HalfTurn::most);
  }
  return far ? detail::mend_far(x, y, [](const Wide<double>& d) { return cos(d); }) : y;
}

inline Wide<double> pow(const Wide<double>& x, const Wide<double>& y) {
  double a[Wide<double>::size], b[Wide<double>::size];
  x.store(a);
  y.store(b);
  for (Index i = 0; i < Wide<double>::size; ++i) a[i] = std::pow(a[i], b[i]);
  return Wide<double>::load(a);
}
inline Wide<float> pow(const Wide<float>& x, const Wide<float>& y) {
  detail::InDouble a(x);
  const detail::InDouble b(y);
  for (int i = 0; i < Wide<double>::K; ++i) {
    a.low.p[i] = packet::pow(a.low.p[i], b.low.p[i]);
    a.high.p[i] = packet::pow(a.high.p[i], b.high.p[i]);
  }
  return a.rounded();
}

}  // namespace gradus::cpu
