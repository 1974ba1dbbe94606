// SPDX-License-Identifier: MIT
// The vocabulary of formulas. math::exp(x) means the same for a float, a double, a block of numbers, the
// symbol that writes expressions down and a user's own scalar: one formula serves them all.
//
//   exp expm1 log log1p tanh sin cos erf sqrt rsqrt abs floor sign     one argument
//   log1p_exp(x), which is ln(1 + eˣ) for x <= 0
//   pow(x, y)  max(x, y)  min(x, y)  fma(a, b, c)  select(condition, a, b)  is_finite(x)
//   + - * /  and  < <= > >= == !=  are plain operators; conditions combine with & | ! in parentheses:
//     select((x > 0) & !(x > 6), x, 0)
//
// A class type brings its own functions, found in its namespace by argument-dependent lookup when the formula
// is instantiated, so the order of includes does not matter. What it does not bring of fma, rsqrt, sign,
// select, max, min, is_finite and log1p_exp follows from the rest. Mixed numbers (float and int) meet in
// std::common_type.
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

namespace gradus::math {

template <class X>
concept Number = std::is_arithmetic_v<X>;

namespace lookup {  // in here a bare name never means gradus::math's own function, so nothing calls itself

void fma(), max(), min(), rsqrt(), select(), sign(), is_finite(), log1p_exp();

template <class X>
concept has_rsqrt = requires(const X& x) {
  rsqrt(x);
};
template <class X>
concept has_sign = requires(const X& x) {
  sign(x);
};
template <class X>
concept has_is_finite = requires(const X& x) {
  is_finite(x);
};
template <class X>
concept has_log1p_exp = requires(const X& x) {
  log1p_exp(x);
};
template <class A, class B>
concept has_max = requires(const A& a, const B& b) {
  max(a, b);
};
template <class A, class B>
concept has_min = requires(const A& a, const B& b) {
  min(a, b);
};
template <class A, class B, class C>
concept has_fma = requires(const A& a, const B& b, const C& c) {
  fma(a, b, c);
};

template <class X> auto call_rsqrt(const X& x) { return rsqrt(x); }
template <class X> auto call_sign(const X& x) { return sign(x); }
template <class X> auto call_is_finite(const X& x) { return is_finite(x); }
template <class X> auto call_log1p_exp(const X& x) { return log1p_exp(x); }
template <class A, class B> auto call_max(const A& a, const B& b) { return max(a, b); }
template <class A, class B> auto call_min(const A& a, const B& b) { return min(a, b); }
template <class A, class B, class C> auto call_fma(const A& a, const B& b, const C& c) {
  return fma(a, b, c);
}
template <class C, class A, class B> auto call_select(const C& condition, const A& a, const B& b) {
  return select(condition, a, b);
}

}  // namespace lookup

// the standard's functions for numbers, and a class type's own
#define GRADUS_STANDARD_FUNCTION(f)       \
  template <class X> auto f(const X& x) { \
    using std::f;                         \
    return f(x);                          \
  }
GRADUS_STANDARD_FUNCTION(abs)
GRADUS_STANDARD_FUNCTION(exp)
GRADUS_STANDARD_FUNCTION(expm1)
GRADUS_STANDARD_FUNCTION(log)
GRADUS_STANDARD_FUNCTION(log1p)
GRADUS_STANDARD_FUNCTION(tanh)
GRADUS_STANDARD_FUNCTION(sin)
GRADUS_STANDARD_FUNCTION(cos)
GRADUS_STANDARD_FUNCTION(erf)
GRADUS_STANDARD_FUNCTION(sqrt)
GRADUS_STANDARD_FUNCTION(floor)
#undef GRADUS_STANDARD_FUNCTION
template <class X, class Y> auto pow(const X& x, const Y& y) {
  using std::pow;
  return pow(x, y);
}

/// condition ? a : b, lane by lane. Both arms are computed: the one not taken may be NaN, and does no harm.
template <class C, class A, class B> auto select(const C& condition, const A& a, const B& b) {
  if constexpr (Number<C>)  // true & true is an int
    return condition ? static_cast<std::common_type_t<A, B>>(a) : static_cast<std::common_type_t<A, B>>(b);
  else
    return lookup::call_select(condition, a, b);
}

/// The larger one; NaN if either is NaN, as NumPy's maximum. Of +0 and -0, either.
template <class A, class B> auto max(const A& a, const B& b) {
  if constexpr (lookup::has_max<A, B>) {
    return lookup::call_max(a, b);
  } else {
    using X = std::common_type_t<A, B>;
    const X x = static_cast<X>(a), y = static_cast<X>(b);
    return select(x > y, x, select(x != x, x, y));
  }
}

/// The smaller one; NaN if either is NaN, as NumPy's minimum. Of +0 and -0, either.
template <class A, class B> auto min(const A& a, const B& b) {
  if constexpr (lookup::has_min<A, B>) {
    return lookup::call_min(a, b);
  } else {
    using X = std::common_type_t<A, B>;
    const X x = static_cast<X>(a), y = static_cast<X>(b);
    return select(x < y, x, select(x != x, x, y));
  }
}

/// a·b + c, rounded once where the processor can and twice elsewhere: for numbers just as for blocks of them,
/// so results agree within one instruction set and may differ in the last bit between two.
template <class A, class B, class C> auto fma(const A& a, const B& b, const C& c) {
  if constexpr (Number<A> && Number<B> && Number<C>) {
    using X = std::common_type_t<A, B, C>;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return static_cast<X>(std::fma(static_cast<X>(a), static_cast<X>(b), static_cast<X>(c)));
#else
    return static_cast<X>(static_cast<X>(a) * static_cast<X>(b) + static_cast<X>(c));
#endif
  } else if constexpr (lookup::has_fma<A, B, C>) {
    return lookup::call_fma(a, b, c);
  } else {
    return a * b + c;
  }
}

/// 1 / √x
template <class X> auto rsqrt(const X& x) {
  if constexpr (lookup::has_rsqrt<X>)
    return lookup::call_rsqrt(x);
  else
    return 1 / sqrt(x);
}

/// ln(1 + eˣ) for x <= 0, where eˣ is at most 1: a block of floats needs no logarithm for it.
template <class X> auto log1p_exp(const X& x) {
  if constexpr (lookup::has_log1p_exp<X>)
    return lookup::call_log1p_exp(x);
  else
    return log1p(exp(x));
}

/// -1, 0 or 1; NaN for NaN.
template <class X> X sign(const X& x) {
  if constexpr (lookup::has_sign<X>)
    return lookup::call_sign(x);
  else
    return select(x > X(0), X(1), select(x < X(0), X(-1), x));
}

/// Neither NaN nor infinite; a condition, as a comparison is.
template <class X> auto is_finite(const X& x) {
  if constexpr (lookup::has_is_finite<X>)
    return lookup::call_is_finite(x);
  else
    return x - x == X(0);
}

}  // namespace gradus::math
