// SPDX-License-Identifier: MIT
#include <gradus/nn/init.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;
using nn::draw;
using random::Stream;

namespace {

/// Mean, variance and largest size of what a rule draws for [out, in] = [300, 200].
struct Moments {
  double mean = 0, variance = 0, limit = 0;
  explicit Moments(const nn::Initializer& rule) {
    const auto a = draw<double>(rule, {300, 200}, Stream(3, "w"));
    for (const double x : a.values()) mean += x / double(a.size()), limit = std::max(limit, std::abs(x));
    for (const double x : a.values()) variance += (x - mean) * (x - mean) / double(a.size());
  }
};

void expect_uniform(const nn::Initializer& rule, double variance) {
  const Moments m(rule);
  CHECK(std::abs(m.mean) < 0.01 * std::sqrt(variance));
  CHECK(m.variance == Approx(variance).epsilon(0.02));
  CHECK(m.limit <= std::sqrt(3 * variance));
  CHECK(m.limit > 0.999 * std::sqrt(3 * variance));
}
void expect_normal(const nn::Initializer& rule, double variance) {
  const Moments m(rule);
  CHECK(std::abs(m.mean) < 0.01 * std::sqrt(variance));
  CHECK(m.variance == Approx(variance).epsilon(0.02));
  CHECK(m.limit > 3.5 * std::sqrt(variance));  // not cut off
}

}  // namespace

TEST_CASE("the variance is what the papers say") {
  expect_uniform(nn::init::glorot_uniform, 2.0 / (200 + 300));
  expect_normal(nn::init::glorot_normal, 2.0 / (200 + 300));
  expect_uniform(nn::init::he_uniform, 2.0 / 200);
  expect_normal(nn::init::he_normal, 2.0 / 200);
  expect_uniform(nn::init::lecun_uniform, 1.0 / 200);
  expect_normal(nn::init::lecun_normal, 1.0 / 200);
}

TEST_CASE("zeros, ones and constants") {
  const Stream s(0, "w");
  CHECK(draw<float>(nn::init::zeros, {2, 3}, s) == Array<float>(Shape{2, 3}));
  CHECK(draw<float>(nn::init::ones, {2}, s) == Array<float>{1, 1});
  CHECK(draw<double>(nn::init::constant(-0.25), {1, 2}, s) == Array<double>{{-0.25, -0.25}});
  CHECK(draw<double>(nn::init::constant(7), {}, s).item() == 7);
}

TEST_CASE("numbers are those of the stream, in order, drawn in double for every type") {
  const Stream s(11, "layer/weight");
  const auto a = draw<double>(nn::init::glorot_uniform, {2, 3}, s);
  const double limit = std::sqrt(6.0 / 5);
  for (Index i = 0; i < 6; ++i) CHECK(a.data()[i] == Approx(s.uniform(i, -limit, limit)).epsilon(1e-15));
  CHECK(same_bits(draw<float>(nn::init::glorot_uniform, {2, 3}, s), a.to<float>()));
  CHECK(same_bits(draw<double>(nn::init::glorot_uniform, {2, 3}, s), a));
  CHECK_FALSE(draw<double>(nn::init::glorot_uniform, {2, 3}, Stream(12, "layer/weight")) == a);
  CHECK_FALSE(draw<double>(nn::init::glorot_uniform, {2, 3}, Stream(11, "layer/bias")) == a);
}

TEST_CASE("orthogonal: rows or columns, whichever are fewer, are orthonormal") {
  for (const Shape& shape : {Shape{5, 5}, Shape{3, 7}, Shape{7, 3}, Shape{1, 4}, Shape{40, 33}}) {
    const auto w = draw<double>(nn::init::orthogonal, shape, Stream(1, "w"));
    const Index rows = shape[0], columns = shape[1], few = std::min(rows, columns);
    for (Index i = 0; i < few; ++i)
      for (Index j = 0; j < few; ++j) {
        double dot = 0;
        for (Index k = 0; k < std::max(rows, columns); ++k)
          dot += rows <= columns ? w(i, k) * w(j, k) : w(k, i) * w(k, j);
        CHECK(std::abs(dot - (i == j)) < 1e-14);
      }
  }
}

TEST_CASE("shapes of rank 0 and 1, and empty ones") {
  const Stream s(1, "w");
  CHECK(draw<double>(nn::init::glorot_uniform, {}, s).shape() == Shape{});
  CHECK(draw<double>(nn::init::he_normal, {0, 3}, s).size() == 0);
  CHECK(draw<double>(nn::init::orthogonal, {0, 3}, s).size() == 0);
  CHECK(draw<double>(nn::init::orthogonal, {3, 0}, s).size() == 0);
  const auto v = draw<double>(nn::init::glorot_uniform, {600}, s);  // fans of 600 and 600
  CHECK(largest(v) <= std::sqrt(3 * 2.0 / 1200));
}
