// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <gradus/data/synthetic.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

namespace {
double mean(const auto& a) { return std::accumulate(a.begin(), a.end(), 0.0) / double(a.size()); }
}  // namespace

TEST_CASE("two moons are two half circles") {
  const auto d = data::two_moons<double>(201);
  CHECK(d.inputs[0].shape() == Shape{201, 2});
  CHECK(d.targets.shape() == Shape{201, 1});
  CHECK(std::count(d.targets.begin(), d.targets.end(), 1.0) == 101);
  CHECK_FALSE(std::is_sorted(d.targets.begin(), d.targets.end()));
  for (Index i = 0; i < d.size(); ++i) {
    const bool lower = d.targets(i, 0) == 1;
    const double x = d.inputs[0](i, 0) - (lower ? 1 : 0), y = d.inputs[0](i, 1) - (lower ? 0.5 : 0);
    CHECK(std::hypot(x, y) == Approx(1));
    CHECK((lower ? -y : y) > -1e-12);
  }
  CHECK(data::two_moons(1).size() == 1);
}

TEST_CASE("noise has its deviation, and a seed is a data set") {
  const auto clean = data::two_moons<double>(5000, {.seed = 7}),
             noisy = data::two_moons<double>(5000, {.noise = 0.2, .seed = 7});
  double squares = 0;
  for (Index i = 0; i < clean.inputs[0].size(); ++i)
    squares += std::pow(noisy.inputs[0].data()[i] - clean.inputs[0].data()[i], 2);
  CHECK(std::sqrt(squares / 10000) == Approx(0.2).epsilon(0.03));
  CHECK(noisy.inputs[0] == data::two_moons<double>(5000, {.noise = 0.2, .seed = 7}).inputs[0]);
  CHECK_FALSE(noisy.inputs[0] == data::two_moons<double>(5000, {.noise = 0.2, .seed = 8}).inputs[0]);
}

TEST_CASE("circles lie in each other") {
  const auto d = data::circles<double>(100, {.factor = 0.5});
  for (Index i = 0; i < d.size(); ++i)
    CHECK(std::hypot(d.inputs[0](i, 0), d.inputs[0](i, 1)) == Approx(d.targets(i, 0) == 1 ? 0.5 : 1));
  CHECK(mean(d.inputs[0]) == Approx(0).margin(1e-12));
}

TEST_CASE("exclusive or is its truth table") {
  const auto d = data::exclusive_or(8);
  for (Index i = 0; i < 8; ++i) CHECK(d.targets(i, 0) == float(d.inputs[0](i, 0) != d.inputs[0](i, 1)));
  CHECK(mean(d.targets) == 0.5);
  CHECK(mean(d.inputs[0]) == 0.5);
}

TEST_CASE("blobs are clouds around centres") {
  const auto d = data::blobs<double>(3001, {.features = 3, .centers = 4, .deviation = 0.5, .seed = 1});
  CHECK(d.inputs[0].shape() == Shape{3001, 3});
  CHECK(std::count(d.labels.begin(), d.labels.end(), 0) == 751);
  CHECK(std::count(d.labels.begin(), d.labels.end(), 3) == 750);
  for (int k = 0; k < 4; ++k) {
    double sum = 0, squares = 0;
    for (Index i = 0; i < d.size(); ++i)
      if (d.labels(i) == k) sum += d.inputs[0](i, 1), squares += std::pow(d.inputs[0](i, 1), 2);
    CHECK(std::abs(sum / 750) < 10.5);
    CHECK(std::sqrt(squares / 750 - std::pow(sum / 750, 2)) == Approx(0.5).epsilon(0.15));
  }
}

TEST_CASE("regression data follow their formulas") {
  const auto line = data::linear_regression<double>(50, {.weights = {2, -3}, .bias = 1});
  for (Index i = 0; i < 50; ++i)
    CHECK(line.targets(i, 0) == Approx(2 * line.inputs[0](i, 0) - 3 * line.inputs[0](i, 1) + 1));
  CHECK(data::linear_regression(10, {.features = 4}).inputs[0].shape() == Shape{10, 4});

  const auto f = data::friedman<double>(50, {.features = 6});
  for (Index i = 0; i < 50; ++i) {
    const auto x = [&](Index k) { return f.inputs[0](i, k); };
    CHECK(f.targets(i, 0) == Approx(10 * std::sin(std::numbers::pi * x(0) * x(1)) +
                                    20 * std::pow(x(2) - 0.5, 2) + 10 * x(3) + 5 * x(4)));
  }
  const auto noisy = data::friedman<double>(2000, {.noise = 2}), clean = data::friedman<double>(2000);
  double squares = 0;
  for (Index i = 0; i < 2000; ++i) squares += std::pow(noisy.targets(i, 0) - clean.targets(i, 0), 2);
  CHECK(std::sqrt(squares / 2000) == Approx(2).epsilon(0.06));
}

TEST_CASE("options outside their domain are refused in words") {
  CHECK_THROWS_AS(data::two_moons(0), ValueError);
  CHECK_THROWS_WITH(data::two_moons(0), "two_moons: n is 0; it should be at least 1");
  CHECK_THROWS_WITH(data::two_moons(9, {.noise = -1}),
                    "two_moons: noise is -1; it should be a standard deviation, 0 or more");
  CHECK_THROWS_WITH(data::circles(9, {.factor = 1}),
                    "circles: factor is 1; it should be at least 0 and below 1");
  CHECK_THROWS_WITH(data::blobs(9, {.centers = 0}),
                    "blobs: 2 features and 0 centers; both should be at least 1");
  CHECK_THROWS_WITH(data::friedman(9, {.features = 4}), "friedman: features is 4; it should be at least 5");
  CHECK_THROWS_WITH(data::linear_regression(9, {.features = 0}),
                    "linear_regression: features is 0; it should be at least 1");
}
