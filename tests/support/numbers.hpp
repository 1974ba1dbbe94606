// SPDX-License-Identifier: MIT
// Operands for tests: grids of values in every size that matters, repeatable numbers, comparisons.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/core/random.hpp>

namespace gradus::test {

using Real = long double;                                 // of references
using Samples = std::vector<std::vector<Array<double>>>;  // cases, each with its operands

/// Every number of a test is a float, so that float and double begin from the same one.
inline double as_float(double x) { return static_cast<double>(static_cast<float>(x)); }

/// Numbers in [low, high] that look random and are the same on every machine.
inline Array<double> numbers(const Shape& shape, double low = -1, double high = 1, std::uint64_t seed = 1) {
  Array<double> a(shape);
  const random::Stream stream(seed, "numbers");
  for (Index i = 0; i < a.size(); ++i) a.mutable_data()[i] = as_float(stream.uniform(i, low, high));
  return a;
}
/// The weights of a test's loss Σ weight · y: not all equal, or mistakes in sums cancel.
template <class T> Array<T> weights(const Shape& shape, Device device) {
  return numbers(shape, 0.5, 1.5, 99).to<T>().to(device);
}

/// shape filled with values[(i / slow) % n]: with a different `slow` for each operand all pairs meet.
inline Array<double> cycled(const Shape& shape, const std::vector<double>& values, std::size_t slow) {
  Array<double> a(shape);
  for (Index i = 0; i < a.size(); ++i)
    a.mutable_data()[i] = as_float(values[std::size_t(i) / slow % values.size()]);
  return a;
}

/// The values as one operand: no axes, nothing, one, odd sizes that are less and more than a block, three
/// axes.
inline Samples grid(const std::vector<double>& values) {
  Samples s;
  for (const Shape& shape :
       {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{17}, Shape{33}, Shape{2, 3, 5}, Shape{3, 0}})
    s.push_back({cycled(shape, values, 1)});
  return s;
}
/// Pairs of the values in every kind of broadcast.
inline Samples grid(const std::vector<double>& a, const std::vector<double>& b) {
  const std::pair<Shape, Shape> pairs[] = {
      {{}, {}},   {{0}, {0}},          {{1}, {1}},    {{7}, {7}},       {{33}, {33}},
      {{17}, {}}, {{}, {5}},           {{3, 5}, {5}}, {{3, 1}, {1, 5}}, {{4, 1, 3}, {2, 1}},
      {{0}, {1}}, {{2, 3}, {1, 1, 3}}, {{1}, {7}},    {{2, 0}, {2, 1}}, {{2, 1, 3}, {2, 4, 1}}};
  Samples s;
  for (const auto& [sa, sb] : pairs) s.push_back({cycled(sa, a, 1), cycled(sb, b, a.size())});
  return s;
}

/// y = f(x…) element by element, broadcast by plain index arithmetic.
template <class F> Array<double> elementwise(const std::vector<Array<double>>& x, const F& f) {
  std::vector<Index> sizes;
  for (const auto& a : x) {
    if (a.rank() > int(sizes.size())) sizes.insert(sizes.begin(), std::size_t(a.rank()) - sizes.size(), 1);
    for (int i = 0; i < a.rank(); ++i) {
      Index& n = sizes[sizes.size() - std::size_t(a.rank() - i)];
      n = n == 1 ? a.shape()[i] : n;
    }
  }
  Array<double> y{Shape(std::span<const Index>(sizes))};
  std::vector<Real> e(x.size());
  for (Index at = 0; at < y.size(); ++at) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      Index rest = at, stride = 1, offset = 0;
      for (int back = 1; back <= y.rank(); ++back) {
        const Index i = rest % y.shape()[y.rank() - back];
        rest /= y.shape()[y.rank() - back];
        const Index n = back <= x[k].rank() ? x[k].shape()[x[k].rank() - back] : 1;
        offset += (n == 1 ? 0 : i) * stride;
        stride *= n;
      }
      e[k] = x[k].data()[offset];
    }
    y.mutable_data()[at] = static_cast<double>(f(e.data()));
  }
  return y;
}

template <class T> bool same_bits(const Array<T>& a, const Array<T>& b) {
  return a.shape() == b.shape() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}
inline double largest(const Array<double>& a) {
  double m = 0;
  for (const double x : a.values()) m = std::max(m, std::abs(x));
  return m;
}
inline Array<double> combine(const Array<double>& a, const Array<double>& b) {
  Array<double> c(a.shape());
  for (Index i = 0; i < a.size(); ++i) c.mutable_data()[i] = a.data()[i] + b.data()[i];
  return c;
}

}  // namespace gradus::test
