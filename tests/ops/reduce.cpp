// SPDX-License-Identifier: MIT
#include <gradus/ops/reduce.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// f over the numbers of each group of elements that differ only along `axes`, kept as size 1 or removed.
template <class F>
Array<double> by_groups(const Array<double>& x, std::vector<int> axes, bool keepdims, const F& f) {
  if (axes.empty())
    for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  std::vector<Index> kept, sizes;
  for (int i = 0; i < x.rank(); ++i) {
    bool gone = false;
    for (const int a : axes) gone |= i == (a < 0 ? a + x.rank() : a);
    kept.push_back(gone ? 1 : x.shape()[i]);
    if (!gone || keepdims) sizes.push_back(kept.back());
  }
  Array<double> y{Shape(std::span<const Index>(sizes))};
  std::vector<std::vector<double>> groups(std::size_t(y.size()));
  for (Index at = 0; at < x.size(); ++at) {
    Index to = 0, stride = 1, rest = at;
    for (int i = x.rank() - 1; i >= 0; --i) {
      const Index k = rest % x.shape()[i];
      rest /= x.shape()[i];
      to += kept[std::size_t(i)] == 1 ? 0 : k * stride;
      stride *= kept[std::size_t(i)];
    }
    groups[std::size_t(to)].push_back(x.data()[at]);
  }
  for (Index i = 0; i < y.size(); ++i) y.mutable_data()[i] = f(groups[std::size_t(i)]);
  return y;
}
double plain_sum(const std::vector<double>& v) {
  Real s = 0;
  for (const double x : v) s += x;
  return static_cast<double>(s);
}
double plain_mean(const std::vector<double>& v) { return plain_sum(v) / double(v.size()); }
double plain_variance(const std::vector<double>& v) {
  const Real m = plain_mean(v);
  Real s = 0;
  for (const double x : v) s += (x - m) * (x - m);
  return static_cast<double>(s / Real(v.size()));
}
double largest_of(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }
double smallest_of(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }

const std::pair<Axes, std::vector<int>> choices[] = {
    {{}, {}},         {0, {0}},         {1, {1}},
    {-1, {-1}},       {{0, 1}, {0, 1}}, {{1, 2}, {1, 2}},
    {{0, 2}, {0, 2}}, {{2, 0}, {2, 0}}, {{0, 1, 2}, {0, 1, 2}}};
const Samples cubes = {
    {numbers({3, 5, 7})}, {numbers({1, 17, 2})}, {numbers({33, 1, 1})}, {numbers({2, 3, 40})}};
/// Numbers 0.01 apart: where two are nearer than a difference's step, the larger one changes.
Samples spread(std::initializer_list<Shape> shapes) {
  Samples s;
  for (const Shape& shape : shapes) {
    Array<double> x(shape);
    for (Index i = 0; i < x.size(); ++i)
      x.mutable_data()[i] = as_float(0.01 * double(97 * i % 251));  // 251 is prime
    s.push_back({x});
  }
  return s;
}
const Samples far_apart = spread({{3, 5, 7}, {1, 17, 2}, {33, 1, 1}, {2, 3, 40}}),
              far_lists = spread({{}, {1}, {7}, {33}});
const Samples lists = {{numbers({})}, {numbers({1})}, {numbers({7})}, {numbers({17})}, {numbers({33})}};
// sums of up to 240 terms of size 1: their rounding does not shrink where the sum is near 0
constexpr Bounds sums = {.absolute = 256};

}  // namespace

TEST_CASE("sum") {
  for (const bool keepdims : {false, true})
    for (const auto& choice : choices)
      expect_op([&](auto x) { return sum(x, choice.first, keepdims); },
                [&](const Array<double>& x) { return by_groups(x, choice.second, keepdims, plain_sum); },
                cubes, sums);
  expect_op([](auto x) { return sum(x); },
            [](const Array<double>& x) { return by_groups(x, {}, false, plain_sum); }, lists, sums);
}

TEST_CASE("the sum of nothing is 0") {
  CHECK(sum(Array<float>(Shape{0})).item() == 0);
  CHECK(sum(Array<float>(Shape{0, 3}), 0).array() == Array<float>{0, 0, 0});
  CHECK(sum(Array<float>(Shape{0, 3}), 1).shape() == Shape{0});
  CHECK(sum(Array<float>(Shape{0, 2, 3}), {0, 2}).array() == Array<float>{0, 0});
  CHECK(sum(Array<float>(Shape{2, 0, 3}), {0, 2}).shape() == Shape{0});
  Tape tape;
  const auto x = tape.variable(Array<double>(Shape{3, 0}));
  tape.backward(sum(x));
  CHECK(tape.gradient(x).shape() == Shape{3, 0});
}

TEST_CASE("mean") {
  for (const auto& choice : choices)
    expect_op([&](auto x) { return mean(x, choice.first, true); },
              [&](const Array<double>& x) { return by_groups(x, choice.second, true, plain_mean); }, cubes,
              sums);
  expect_op([](auto x) { return mean(x); },
            [](const Array<double>& x) { return by_groups(x, {}, false, plain_mean); }, lists, sums);
  CHECK(words<ShapeError>([] {
          mean(Array<float>(Shape{0, 3}), 0);
        }) == "mean: no element of [0, 3] to take it of");
}

TEST_CASE("variance") {
  for (const auto& choice : choices)
    expect_op([&](auto x) { return variance(x, choice.first); },
              [&](const Array<double>& x) { return by_groups(x, choice.second, false, plain_variance); },
              {{numbers({3, 5, 7})}, {numbers({2, 17, 2})}}, sums);
  const Array<double> x = {1.5, 2, -3, 4.25, 0};
  // numpy.var(x) and numpy.var(x, ddof=1), NumPy 2.4.6
  CHECK(variance(x).item() == Approx(5.76).epsilon(1e-15));  // a few roundings
  CHECK(variance(x, {}, false, true).item() == Approx(7.2).epsilon(1e-15));
  // one pass over squares would leave no digit of ¼ in float
  CHECK(variance(Array<float>{1e6f, 1e6f + 1}).item() == 0.25f);
  CHECK(words<ShapeError>([] { variance(Array<float>{1}, {}, false, true); }) ==
        "variance: 1 elements of [1] are too few");
  CHECK(words<ShapeError>([] { variance(Array<float>(Shape{0})); }) ==
        "variance: 0 elements of [0] are too few");
}

TEST_CASE("max and min") {
  for (const bool keepdims : {false, true})
    for (const auto& choice : choices) {
      expect_op([&](auto x) { return max(x, choice.first, keepdims); },
                [&](const Array<double>& x) { return by_groups(x, choice.second, keepdims, largest_of); },
                far_apart);
      expect_op([&](auto x) { return min(x, choice.first, keepdims); },
                [&](const Array<double>& x) { return by_groups(x, choice.second, keepdims, smallest_of); },
                far_apart);
    }
  expect_op([](auto x) { return max(x); },
            [](const Array<double>& x) { return by_groups(x, {}, false, largest_of); }, far_lists);
}

TEST_CASE("max: equal ones share the gradient evenly, along one axis or several") {
  const auto slope = [](const Array<double>& a, const Axes& axes) {
    Tape tape;
    const auto x = tape.variable(a);
    tape.backward(sum(max(x, axes)));
    return tape.gradient(x);
  };
  const Array<double> a = {{1, 1, 0}, {1, 1, -1}};
  CHECK(slope(a, 1) == Array<double>{{0.5, 0.5, 0}, {0.5, 0.5, 0}});
  CHECK(slope(a, {}) == Array<double>{{0.25, 0.25, 0}, {0.25, 0.25, 0}});
  CHECK(slope(Array<double>{{2, 2}, {2, 1}}, {0, 1})(0, 0) == 1.0 / 3);
  CHECK(slope(Array<double>{{{2, 2}}, {{2, 1}}}, {0, 2}) ==
        Array<double>{{{1.0 / 3, 1.0 / 3}}, {{1.0 / 3, 0}}});
}

TEST_CASE("max and min: NaN wins, infinities count") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const Index at : {0, 1, 16}) {
    auto x = numbers({17});
    x.ref(at) = NAN;
    CHECK(std::isnan(max(x).item()));
    CHECK(std::isnan(min(x).item()));
    CHECK(argmax(x).item() == at);
    CHECK(argmin(x).item() == at);
  }
  CHECK(max(Array<double>{-infinity, -infinity}).item() == -infinity);
  CHECK(min(Array<double>{-infinity, 3}).item() == -infinity);
}

TEST_CASE("max of nothing is an error") {
  CHECK(words<ShapeError>([] {
          max(Array<float>(Shape{2, 0}), 1);
        }) == "max: no element of [2, 0] to take it of");
  CHECK(words<ShapeError>([] { min(Array<float>(Shape{0})); }) == "min: no element of [0] to take it of");
  CHECK(max(Array<float>(Shape{0, 2}), 1).shape() == Shape{0});
  CHECK(words<ShapeError>([] { argmax(Array<float>(Shape{2, 0})); }) == "argmax: axis 1 of [2, 0] is empty");
}

TEST_CASE("argmax and argmin") {
  const Array<float> x = {{3, 1, 3}, {-1, -1, -2}};
  CHECK(argmax(x).array() == Array<std::int32_t>{0, 0});  // the first of equals
  CHECK(argmin(x).array() == Array<std::int32_t>{1, 2});
  CHECK(argmax(x, 0).array() == Array<std::int32_t>{0, 0, 0});
  CHECK(argmin(x, 0).array() == Array<std::int32_t>{1, 1, 1});
  Tape tape;
  CHECK_FALSE(argmax(tape.variable(x)).wants_gradient());
}

TEST_CASE("axes are checked") {
  const Array<float> x(Shape{2, 3});
  CHECK(words<ShapeError>([&] { sum(x, 2); }) == "sum: axis 2 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] { mean(x, -3); }) == "mean: axis -3 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] { max(x, {0, -2}); }) == "max: axis -2 is named twice");
  CHECK(words<ShapeError>([&] { argmax(x, 5); }) ==
        "argmax: axis 5 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] {
          sum(x, {0, 1, 2, 3, 4, 5, 6});
        }) == "axes: 7 of them; a shape has at most 6");
}
