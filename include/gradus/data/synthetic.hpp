// SPDX-License-Identifier: MIT
// Made-up data, as scikit-learn's make_moons, make_circles, make_blobs, make_regression and make_friedman1
// define it (with other random numbers): the same samples for a seed on every machine, in random order.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/random.hpp>
#include <gradus/data/dataset.hpp>

namespace gradus::data {

namespace detail {

inline void expect_samples(Index n, double noise, const char* who) {
  if (n < 1) fail<ValueError>(who, ": n is ", n, "; it should be at least 1");
  if (!(noise >= 0 && std::isfinite(noise)))
    fail<ValueError>(who, ": noise is ", noise, "; it should be a standard deviation, 0 or more");
}

/// Samples of `width` features and one target: make(i, x) writes features of sample i and returns its target.
/// They are stored in random order; normal(0, noise) is added to the features.
template <class T, class F>
Dataset<T> make(Index n, Index width, double noise, std::uint64_t seed, std::string_view who, F&& sample) {
  auto order = Array<std::int32_t>::uninitialized(Shape{n});
  random::Stream(seed, who).child(0).permutation(order.mutable_data(), n);
  const random::Stream normals = random::Stream(seed, who).child(1);
  auto x = Array<T>::uninitialized({n, width}), y = Array<T>::uninitialized({n, 1});
  T *const to_x = x.mutable_data(), *const to_y = y.mutable_data();
  std::vector<double> features(static_cast<std::size_t>(width));
  for (Index i = 0; i < n; ++i) {
    const Index row = order.data()[i];
    to_y[row] = static_cast<T>(sample(i, features.data()));
    for (Index k = 0; k < width; ++k) {
      const double z = noise > 0 ? noise * normals.normal(i * width + k) : 0;
      to_x[row * width + k] = static_cast<T>(features[std::size_t(k)] + z);
    }
  }
  return {std::move(x), std::move(y)};
}

}  // namespace detail

struct TwoMoons {
  double noise = 0;  ///< standard deviation of what is added to each feature
  std::uint64_t seed = 0;
};
/// Two interleaved half circles: 0 the upper, 1 the lower one. [n, 2] and [n, 1]. Throws ValueError.
template <class T = float> Dataset<T> two_moons(Index n, TwoMoons options = {}) {
  detail::expect_samples(n, options.noise, "two_moons");
  const Index upper = n / 2;
  return detail::make<T>(n, 2, options.noise, options.seed, "two_moons", [&](Index i, double* x) {
    const bool lower = i >= upper;
    const Index k = lower ? i - upper : i, steps = (lower ? n - upper : upper) - 1;
    const double angle = steps > 0 ? std::numbers::pi * double(k) / double(steps) : 0;
    x[0] = lower ? 1 - std::cos(angle) : std::cos(angle);
    x[1] = lower ? 0.5 - std::sin(angle) : std::sin(angle);
    return lower;
  });
}

struct Circles {
  double noise = 0;
  double factor = 0.8;  ///< the inner radius; the outer is 1
  std::uint64_t seed = 0;
};
/// A circle in a circle: 0 the outer, 1 the inner one. [n, 2] and [n, 1]. Throws ValueError.
template <class T = float> Dataset<T> circles(Index n, Circles options = {}) {
  detail::expect_samples(n, options.noise, "circles");
  if (!(options.factor >= 0 && options.factor < 1))
    detail::fail<ValueError>("circles: factor is ", options.factor, "; it should be at least 0 and below 1");
  const Index outer = n / 2;
  return detail::make<T>(n, 2, options.noise, options.seed, "circles", [&](Index i, double* x) {
    const bool inner = i >= outer;
    const Index k = inner ? i - outer : i, steps = inner ? n - outer : outer;
    const double angle = 2 * std::numbers::pi * double(k) / double(steps),
                 radius = inner ? options.factor : 1;
    x[0] = radius * std::cos(angle);
    x[1] = radius * std::sin(angle);
    return inner;
  });
}

struct ExclusiveOr {
  double noise = 0;
  std::uint64_t seed = 0;
};
/// The truth table of exclusive or, over and over: (0,0) and (1,1) are 0, (0,1) and (1,0) are 1. [n, 2] and
/// [n, 1].
template <class T = float> Dataset<T> exclusive_or(Index n = 4, ExclusiveOr options = {}) {
  detail::expect_samples(n, options.noise, "exclusive_or");
  return detail::make<T>(n, 2, options.noise, options.seed, "exclusive_or", [](Index i, double* x) {
    x[0] = double(i & 1), x[1] = double(i >> 1 & 1);
    return x[0] != x[1];
  });
}

struct Blobs {
  Index features = 2, centers = 3;
  double deviation = 1;                   ///< of every feature around its centre
  std::array<double, 2> box = {-10, 10};  ///< where the centres are drawn from
  std::uint64_t seed = 0;
};
/// Normal clouds around random centres, as equal in number as can be. [n, features] and labels [n]. Throws
/// ValueError.
template <class T = float> Dataset<T> blobs(Index n, Blobs options = {}) {
  detail::expect_samples(n, options.deviation, "blobs");
  const auto [width, centers] = std::pair(options.features, options.centers);
  if (width < 1 || centers < 1)
    detail::fail<ValueError>("blobs: ", width, " features and ", centers,
                             " centers; both should be at least 1");
  std::vector<double> center(static_cast<std::size_t>(width * centers));
  random::fill_uniform(center.data(), width * centers, random::Stream(options.seed, "blobs/centers"),
                       options.box[0], options.box[1]);
  const Dataset<T> d =
      detail::make<T>(n, width, options.deviation, options.seed, "blobs", [&](Index i, double* x) {
        const Index c = i % options.centers;
        std::copy_n(center.data() + c * options.features, options.features, x);
        return c;
      });
  return {d.inputs[0], d.targets.reshape({-1}).template to<std::int32_t>()};
}

struct LinearRegression {
  std::vector<double> weights = {};  ///< of as many features as there are weights; none: drawn from [0, 100)
  Index features = 1;                ///< where there are no weights
  double bias = 0;
  double noise = 0;  ///< standard deviation of what is added to the target
  std::uint64_t seed = 0;
};
/// y = w·x + bias + noise with standard normal features. [n, features] and [n, 1]. Throws ValueError.
template <class T = float> Dataset<T> linear_regression(Index n, LinearRegression options = {}) {
  detail::expect_samples(n, options.noise, "linear_regression");
  if (options.features < 1)
    detail::fail<ValueError>("linear_regression: features is ", options.features,
                             "; it should be at least 1");
  const random::Stream stream(options.seed, "linear_regression/numbers");
  auto& w = options.weights;
  if (w.empty()) {
    w.resize(static_cast<std::size_t>(options.features));
    random::fill_uniform(w.data(), options.features, stream.child(0), 0., 100.);
  }
  const Index width = Index(w.size());
  return detail::make<T>(n, width, 0, options.seed, "linear_regression", [&](Index i, double* x) {
    random::fill_normal(x, width, stream.child(1), 0., 1., i * width);
    double y = options.bias + options.noise * stream.child(2).normal(i);
    for (Index k = 0; k < width; ++k) y += w[std::size_t(k)] * x[k];
    return y;
  });
}

struct Friedman {
  Index features = 10;  ///< at least 5; more than 5 mean nothing
  double noise = 0;     ///< standard deviation of what is added to the target
  std::uint64_t seed = 0;
};
/// y = 10 sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄ + noise with features in [0, 1). [n, features] and [n,
/// 1].
template <class T = float> Dataset<T> friedman(Index n, Friedman options = {}) {
  detail::expect_samples(n, options.noise, "friedman");
  const Index width = options.features;
  if (width < 5) detail::fail<ValueError>("friedman: features is ", width, "; it should be at least 5");
  const random::Stream stream(options.seed, "friedman/numbers");
  return detail::make<T>(n, width, 0, options.seed, "friedman", [&](Index i, double* x) {
    random::fill_uniform(x, width, stream.child(0), 0., 1., i * width);
    const double c = x[2] - 0.5;
    return 10 * std::sin(std::numbers::pi * x[0] * x[1]) + 20 * c * c + 10 * x[3] + 5 * x[4] +
           options.noise * stream.child(1).normal(i);
  });
}

}  // namespace gradus::data
