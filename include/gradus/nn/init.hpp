// SPDX-License-Identifier: MIT
// Initial values. fan_in and fan_out are a weight's columns and rows: [out, in].
//   glorot: variance 2 / (fan_in + fan_out)   (Glorot, Bengio, AISTATS 2010)
//   he:     variance 2 / fan_in               (He et al., ICCV 2015)
//   lecun:  variance 1 / fan_in               (LeCun et al., 1998)
// uniform in ±√(3·variance), or normal (not truncated, where Keras truncates at two deviations).
#pragma once

#include <cmath>

#include <gradus/core/array.hpp>
#include <gradus/core/random.hpp>

namespace gradus::nn {

/// A rule for initial values: a value that layers are made with.
struct Initializer {
  enum class Kind { zeros, constant, uniform, normal, orthogonal } kind = Kind::zeros;
  double value = 0;               ///< of constant; the gain of orthogonal
  double in = 0, out = 0, c = 0;  ///< variance = c / (in·fan_in + out·fan_out)
};

namespace init {

using Kind = Initializer::Kind;
inline constexpr Initializer zeros{Kind::zeros};
inline constexpr Initializer ones{Kind::constant, 1};
inline constexpr Initializer constant(double value) { return {Kind::constant, value}; }
inline constexpr Initializer glorot_uniform{Kind::uniform, 0, 1, 1, 2},
    glorot_normal{Kind::normal, 0, 1, 1, 2};
inline constexpr Initializer he_uniform{Kind::uniform, 0, 1, 0, 2}, he_normal{Kind::normal, 0, 1, 0, 2};
inline constexpr Initializer lecun_uniform{Kind::uniform, 0, 1, 0, 1}, lecun_normal{Kind::normal, 0, 1, 0, 1};
/// Rows or columns, whichever are fewer, are orthonormal, times the gain (Saxe et al., ICLR 2014).
inline constexpr Initializer orthogonal{Kind::orthogonal, 1};

namespace detail {

/// The rows of a [rows, columns] matrix, rows ≤ columns, made orthonormal: Gram and Schmidt, twice, as once
/// loses digits.
inline void orthonormalize(double* a, Index rows, Index columns) {
  for (Index i = 0; i < rows; ++i) {
    double* row = a + i * columns;
    for (int pass = 0; pass < 2; ++pass)
      for (Index j = 0; j < i; ++j) {
        double dot = 0;
        for (Index k = 0; k < columns; ++k) dot = std::fma(row[k], a[j * columns + k], dot);
        for (Index k = 0; k < columns; ++k) row[k] = std::fma(-dot, a[j * columns + k], row[k]);
      }
    double square = 0;
    for (Index k = 0; k < columns; ++k) square = std::fma(row[k], row[k], square);
    for (Index k = 0; k < columns; ++k) row[k] /= std::sqrt(square);
  }
}
template <class T>
void orthogonal(T* to, Index rows, Index columns, double gain, const random::Stream& stream) {
  const Index few = std::min(rows, columns), many = std::max(rows, columns);
  std::vector<double> a(std::size_t(few * many));
  random::fill_normal(a.data(), few * many, stream);
  orthonormalize(a.data(), few, many);
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c)
      to[r * columns + c] = T(gain * a[std::size_t(rows <= columns ? r * many + c : c * many + r)]);
}

}  // namespace detail
}  // namespace init

/// Draws by the rule from the stream. A vector [n] has fan_in n and fan_out n.
template <class T> Array<T> draw(const Initializer& rule, const Shape& shape, const random::Stream& stream) {
  auto a = Array<T>(shape);
  T* to = a.mutable_data();
  const Index n = a.size();
  const double fan_out = shape.rank() ? double(shape[0]) : 1,
               fan_in = shape.rank() > 1 ? double(n) / fan_out : fan_out;
  const double variance = rule.c > 0 ? rule.c / (rule.in * fan_in + rule.out * fan_out) : 0;
  using Kind = Initializer::Kind;
  if (rule.kind == Kind::constant)
    std::fill_n(to, n, T(rule.value));
  else if (rule.kind == Kind::orthogonal && n > 0)
    init::detail::orthogonal(to, shape.rank() ? shape[0] : 1, Index(fan_in), rule.value, stream);
  else if (rule.kind == Kind::uniform || rule.kind == Kind::normal) {
    std::vector<double> x(
        static_cast<std::size_t>(n));  // drawn in double: float nets begin at the same numbers, rounded
    const double limit = std::sqrt(3 * variance);
    if (rule.kind == Kind::uniform)
      random::fill_uniform(x.data(), n, stream, -limit, limit);
    else
      random::fill_normal(x.data(), n, stream, 0.0, std::sqrt(variance));
    for (Index i = 0; i < n; ++i) to[i] = T(x[std::size_t(i)]);
  }
  return a;
}

}  // namespace gradus::nn
