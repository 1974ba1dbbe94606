// SPDX-License-Identifier: MIT
// Wide<T>: 64 bytes of numbers as one value, the X of formulas on the CPU: 16 floats or 8 doubles in 1, 2 or
// 4 registers (AVX-512, AVX, SSE or NEON). Any other scalar type is a block of one, so that every kernel
// serves it too. The functions of math:: that need a series (exp, log, tanh ...) are in cpu/elementary.hpp.
#pragma once

#include <concepts>
#include <type_traits>

#include <gradus/core/math.hpp>
#include <gradus/cpu/packet.hpp>
#include <gradus/fwd.hpp>

// every loop over packets is unrolled: left alone, g++ -O2 keeps the block in memory and is 3 times slower
#define GRADUS_EACH_PACKET _Pragma("GCC unroll 16") for (int i = 0; i < K; ++i)

// a friend that computes `expression` for each packet i
#define GRADUS_WIDE(result, signature, expression) \
  friend result signature {                        \
    result r;                                      \
    GRADUS_EACH_PACKET r.p[i] = expression;        \
    return r;                                      \
  }

namespace gradus::cpu {

/// A scalar type without packets: one number, all operations its own.
template <class T> struct Wide {
  static constexpr Index size = 1;

  struct Mask {
    bool v;
    Mask operator&(Mask b) const { return {v && b.v}; }
    Mask operator|(Mask b) const { return {v || b.v}; }
    Mask operator!() const { return {!v}; }
    bool any() const { return v; }
  };

  T v;

  Wide() = default;
  Wide(const T& value) : v(value) {}
  template <class S>
    requires(std::is_arithmetic_v<S> && !std::same_as<S, T>)
  Wide(S number) : v(static_cast<T>(number)) {}

  static Wide load(const T* from) { return *from; }
  static Wide load_partial(const T* from, Index n, const Wide& rest = T(0)) { return n > 0 ? *from : rest.v; }
  Wide first(Index n) const { return n > 0 ? v : T(0); }
  void store(T* to) const { *to = v; }
  void store_partial(T* to, Index n) const {
    if (n > 0) *to = v;
  }
  T operator[](Index) const { return v; }

  T sum() const { return v; }
  T max() const { return v; }
  T min() const { return v; }

  // static_cast: the sum of two shorts is an int
  friend Wide operator+(const Wide& a, const Wide& b) { return static_cast<T>(a.v + b.v); }
  friend Wide operator-(const Wide& a, const Wide& b) { return static_cast<T>(a.v - b.v); }
  friend Wide operator*(const Wide& a, const Wide& b) { return static_cast<T>(a.v * b.v); }
  friend Wide operator/(const Wide& a, const Wide& b) { return static_cast<T>(a.v / b.v); }
  Wide operator-() const { return static_cast<T>(-v); }
  Wide& operator+=(const Wide& b) { return *this = *this + b; }
  Wide& operator-=(const Wide& b) { return *this = *this - b; }
  Wide& operator*=(const Wide& b) { return *this = *this * b; }
  Wide& operator/=(const Wide& b) { return *this = *this / b; }

  friend Mask operator<(const Wide& a, const Wide& b) { return {a.v < b.v}; }
  friend Mask operator<=(const Wide& a, const Wide& b) { return {a.v <= b.v}; }
  friend Mask operator>(const Wide& a, const Wide& b) { return {a.v > b.v}; }
  friend Mask operator>=(const Wide& a, const Wide& b) { return {a.v >= b.v}; }
  friend Mask operator==(const Wide& a, const Wide& b) { return {a.v == b.v}; }
  friend Mask operator!=(const Wide& a, const Wide& b) { return {a.v != b.v}; }

  friend Wide select(const Mask& m, const Wide& a, const Wide& b) { return m.v ? a : b; }
  friend Wide fma(const Wide& a, const Wide& b, const Wide& c) {
    return static_cast<T>(math::fma(a.v, b.v, c.v));
  }
  friend Wide max(const Wide& a, const Wide& b) { return static_cast<T>(math::max(a.v, b.v)); }
  friend Wide min(const Wide& a, const Wide& b) { return static_cast<T>(math::min(a.v, b.v)); }
  friend Wide abs(const Wide& x) { return static_cast<T>(math::abs(x.v)); }
  friend Wide floor(const Wide& x) { return static_cast<T>(math::floor(x.v)); }
  friend Wide sqrt(const Wide& x) { return static_cast<T>(math::sqrt(x.v)); }
  friend Wide rsqrt(const Wide& x) { return static_cast<T>(math::rsqrt(x.v)); }
  friend Wide exp(const Wide& x) { return static_cast<T>(math::exp(x.v)); }
  friend Wide expm1(const Wide& x) { return static_cast<T>(math::expm1(x.v)); }
  friend Wide log(const Wide& x) { return static_cast<T>(math::log(x.v)); }
  friend Wide log1p(const Wide& x) { return static_cast<T>(math::log1p(x.v)); }
  friend Wide tanh(const Wide& x) { return static_cast<T>(math::tanh(x.v)); }
  friend Wide sin(const Wide& x) { return static_cast<T>(math::sin(x.v)); }
  friend Wide cos(const Wide& x) { return static_cast<T>(math::cos(x.v)); }
  friend Wide erf(const Wide& x) { return static_cast<T>(math::erf(x.v)); }
  friend Wide pow(const Wide& x, const Wide& y) { return static_cast<T>(math::pow(x.v, y.v)); }
};

/// 64 bytes of floats or doubles.
template <class T>
  requires(std::same_as<T, float> || std::same_as<T, double>)
struct Wide<T> {
  using P = packet::Packet<T>;
  static constexpr Index size = 64 / sizeof(T);
  static constexpr int K = 64 / sizeof(P), L = packet::lanes<P>;  // K packets of L numbers

  /// What a comparison gives: yes or no for each number.
  struct Mask {
    using C = decltype(P() < P());  // lanes of all ones or all zeros; bool where nothing is vectorised
    C p[K];

    GRADUS_WIDE(Mask, operator&(const Mask& a, const Mask& b), a.p[i] & b.p[i])
    GRADUS_WIDE(Mask, operator|(const Mask& a, const Mask& b), a.p[i] | b.p[i])
    GRADUS_WIDE(Mask, operator!(const Mask& a), a.p[i] == 0)
    bool any() const {
      C m = p[0];
      GRADUS_EACH_PACKET m = m | p[i];
      return packet::any(m);
    }
  };

  P p[K];

  Wide() = default;  // as uninitialised as a T
  /// The same number everywhere; numbers of other types are converted, so that x * 0.5 stays float.
  template <math::Number S> Wide(S number) {
    GRADUS_EACH_PACKET p[i] = packet::all<P>(static_cast<T>(number));
  }

  /// `from` need not be aligned.
  static Wide load(const T* from) {
    Wide r;
    GRADUS_EACH_PACKET r.p[i] = Eigen::internal::ploadu<P>(from + i * L);
    return r;
  }
  /// The first n numbers, zeros in the other lanes; nothing is read beyond n. 0 <= n <= size.
  static Wide load_partial(const T* from, Index n) {
    Wide r;
    GRADUS_EACH_PACKET r.p[i] = packet::load_first<P>(from + i * L, part(n, i));
    return r;
  }
  /// The same, with those of `rest` in the other lanes.
  static Wide load_partial(const T* from, Index n, const Wide& rest) {
    Wide r;
    GRADUS_EACH_PACKET r.p[i] = packet::load_first<P>(from + i * L, part(n, i), rest.p[i]);
    return r;
  }
  /// These in the first n lanes, zeros in the others.
  Wide first(Index n) const {
    Wide r;
    GRADUS_EACH_PACKET r.p[i] = packet::keep_first(p[i], part(n, i));
    return r;
  }
  void store(T* to) const { GRADUS_EACH_PACKET Eigen::internal::pstoreu(to + i * L, p[i]); }
  void store_partial(T* to, Index n) const {
    GRADUS_EACH_PACKET packet::store_first<P>(to + i * L, p[i], part(n, i));
  }
  /// One number of it, slowly.
  T operator[](Index k) const {
    alignas(64) T numbers[size];
    store(numbers);
    return numbers[k];
  }

  /// The sum as a tree: each step adds the upper half of the numbers onto the lower half, so that the order
  /// depends neither on the data nor on the number of registers.
  T sum() const {
    Wide r = *this;
    for (int h = K / 2; h > 0; h /= 2) {
      _Pragma("GCC unroll 8") for (int i = 0; i < h; ++i) r.p[i] = r.p[i] + r.p[i + h];
    }
    return packet::sum_lanes(r.p[0]);
  }
  /// The largest number; NaN if there is one.
  T max() const { return fold<true>(); }
  /// The smallest number; NaN if there is one.
  T min() const { return fold<false>(); }

  GRADUS_WIDE(Wide, operator+(const Wide& a, const Wide& b), a.p[i] + b.p[i])
  GRADUS_WIDE(Wide, operator-(const Wide& a, const Wide& b), a.p[i] - b.p[i])
  GRADUS_WIDE(Wide, operator*(const Wide& a, const Wide& b), a.p[i] * b.p[i])
  GRADUS_WIDE(Wide, operator/(const Wide& a, const Wide& b), a.p[i] / b.p[i])
  GRADUS_WIDE(Wide, operator-(const Wide& a), -a.p[i])
  Wide& operator+=(const Wide& b) { return *this = *this + b; }
  Wide& operator-=(const Wide& b) { return *this = *this - b; }
  Wide& operator*=(const Wide& b) { return *this = *this * b; }
  Wide& operator/=(const Wide& b) { return *this = *this / b; }

  GRADUS_WIDE(Mask, operator<(const Wide& a, const Wide& b), a.p[i] < b.p[i])
  GRADUS_WIDE(Mask, operator<=(const Wide& a, const Wide& b), a.p[i] <= b.p[i])
  GRADUS_WIDE(Mask, operator>(const Wide& a, const Wide& b), a.p[i] > b.p[i])
  GRADUS_WIDE(Mask, operator>=(const Wide& a, const Wide& b), a.p[i] >= b.p[i])
  GRADUS_WIDE(Mask, operator==(const Wide& a, const Wide& b), a.p[i] == b.p[i])
  GRADUS_WIDE(Mask, operator!=(const Wide& a, const Wide& b), a.p[i] != b.p[i])

  GRADUS_WIDE(Wide, select(const Mask& m, const Wide& a, const Wide& b), m.p[i] ? a.p[i] : b.p[i])
  GRADUS_WIDE(Wide, fma(const Wide& a, const Wide& b, const Wide& c), packet::fma(a.p[i], b.p[i], c.p[i]))
  // greater gives b where either is NaN: right but for a NaN in a
  GRADUS_WIDE(Wide, max(const Wide& a, const Wide& b),
              a.p[i] == a.p[i] ? packet::greater(a.p[i], b.p[i]) : a.p[i])
  GRADUS_WIDE(Wide, min(const Wide& a, const Wide& b),
              a.p[i] == a.p[i] ? packet::lesser(a.p[i], b.p[i]) : a.p[i])
  GRADUS_WIDE(Wide, abs(const Wide& x), packet::absolute(x.p[i]))
  GRADUS_WIDE(Wide, floor(const Wide& x), packet::round_down(x.p[i]))
  GRADUS_WIDE(Wide, sqrt(const Wide& x), packet::square_root(x.p[i]))

 private:
  // how many of n numbers fall to packet i
  static Index part(Index n, int i) {
    const Index left = n - i * L;
    return left < 0 ? 0 : left > L ? L : left;
  }
  template <bool largest> T fold() const {
    if ((*this != *this).any()) return sum();  // NaN
    P best = p[0];
    for (int i = 1; i < K; ++i) best = largest ? packet::greater(best, p[i]) : packet::lesser(best, p[i]);
    return largest ? Eigen::internal::predux_max(best) : Eigen::internal::predux_min(best);
  }
};

}  // namespace gradus::cpu

#undef GRADUS_WIDE
#undef GRADUS_EACH_PACKET
