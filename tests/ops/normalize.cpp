// SPDX-License-Identifier: MIT
#include <gradus/ops/normalize.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// (x − m) / √(mean((x − m)²) + ε) over the last n numbers of each run of n; m = 0 unless `centred`.
Array<double> reference(const Array<double>& x, Index n, Real epsilon, bool centred) {
  Array<double> y = x.copy();
  for (Index first = 0; first < x.size(); first += n) {
    Real m = 0, v = 0;
    for (Index i = first; centred && i < first + n; ++i) m += Real(x.data()[i]) / Real(n);
    for (Index i = first; i < first + n; ++i) v += (x.data()[i] - m) * (x.data()[i] - m) / Real(n);
    for (Index i = first; i < first + n; ++i)
      y.mutable_data()[i] = double((x.data()[i] - m) / std::sqrt(v + epsilon));
  }
  return y;
}
const Shape shapes[] = {{2}, {7}, {33}, {3, 5}, {2, 3, 4}, {0, 3}};
const Bounds bounds{.absolute =
                        64};  // x − m is right to the roundings of x, which is at most 1, and is divided by ½

}  // namespace

TEST_CASE("layer_norm") {
  for (const Shape& s : shapes)
    expect_op([](auto x) { return layer_norm(x); },
              [](const Array<double>& x) { return reference(x, x.shape().columns(), 1e-5L, true); },
              {{numbers(s)}}, bounds);
  expect_op(
      [](auto x) {
        return layer_norm(x, {1, 2}, 0.125);
      },
      [](const Array<double>& x) { return reference(x, 12, 0.125L, true); }, {{numbers({2, 3, 4})}}, bounds);
  // torch.nn.functional.layer_norm(x, (4,)), its formula by hand: m = 2.5, v = 1.25
  const auto y = layer_norm(Array<double>{{1, 2, 3, 4}}).array();
  CHECK(y(0, 0) == Approx(-1.5 / std::sqrt(1.25001)).epsilon(1e-15));
  CHECK(y(0, 3) == Approx(1.5 / std::sqrt(1.25001)).epsilon(1e-15));
}

TEST_CASE("rms_norm") {
  for (const Shape& s : shapes)
    expect_op([](auto x) { return rms_norm(x); },
              [](const Array<double>& x) { return reference(x, x.shape().columns(), 1e-5L, false); },
              {{numbers(s)}}, bounds);
  expect_op(
      [](auto x) {
        return rms_norm(x, {1, 2}, 0.125);
      },
      [](const Array<double>& x) { return reference(x, 12, 0.125L, false); }, {{numbers({2, 3, 4})}}, bounds);
}

TEST_CASE("normalized equal numbers are 0 and have a finite gradient; nothing to average is an error") {
  Tape tape;
  const auto x = tape.variable(Array<float>{3, 3, 3}), zero = tape.variable(Array<float>{0, 0});
  const auto y = layer_norm(x), z = rms_norm(zero);
  CHECK(y.array() == Array<float>{0, 0, 0});
  CHECK(z.array() == Array<float>{0, 0});
  tape.backward(sum(y * Array<float>{1, 2, 3}) + sum(z));
  for (const float d : tape.gradient(x).values()) CHECK(std::isfinite(d));
  for (const float d : tape.gradient(zero).values()) CHECK(d == Approx(1 / std::sqrt(1e-5f)));
  CHECK(words<ShapeError>([] {
          layer_norm(Array<float>(Shape{2, 0}));
        }) == "mean: no element of [2, 0] to take it of");
}
