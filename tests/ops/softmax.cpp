// SPDX-License-Identifier: MIT
#include <gradus/ops/softmax.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// f(log Σ exp, x) for each element of each group along `axis`, in long double.
template <class F> Array<double> along(const Array<double>& x, int axis, const F& f) {
  const int at = axis < 0 ? axis + x.rank() : axis;
  const Index outer = x.shape().outer(at), n = x.shape()[at], inner = x.shape().inner(at);
  Array<double> y(x.shape());
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < inner; ++i) {
      const auto place = [&](Index k) { return (o * n + k) * inner + i; };
      Real s = 0;
      for (Index k = 0; k < n; ++k) s += std::exp(Real(x.data()[place(k)]));
      for (Index k = 0; k < n; ++k)
        y.mutable_data()[place(k)] = static_cast<double>(f(std::log(s), Real(x.data()[place(k)])));
    }
  return y;
}

const Samples rows = {{numbers({1, 1}, -3, 3)},  {numbers({7, 1}, -3, 3)},  {numbers({1, 7}, -3, 3)},
                      {numbers({3, 17}, -3, 3)}, {numbers({5, 33}, -3, 3)}, {numbers({2, 3, 5}, -3, 3)},
                      {numbers({0, 3})}};
constexpr double infinity = std::numeric_limits<double>::infinity();
// log Σ exp of a few numbers near 0 may itself be near 0: its rounding is that of 1
constexpr Bounds logs = {.absolute = 16};

const Array<double> z = {{1, 2, 3}, {0.5, -1.5, 4}, {1000, 1000, 999}, {-2, 0.25, 1}};
void check_near(const Array<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == Index(b.size()));
  for (Index i = 0; i < a.size(); ++i)  // the literals are rounded, and so are both sums
    CHECK(std::abs(a.data()[i] - b[std::size_t(i)]) <=
          16 * 0x1p-52 * std::max(1e-2, std::abs(b[std::size_t(i)])));
}

}  // namespace

TEST_CASE("softmax") {
  for (const int axis : {-1, 0, 1})
    expect_op([&](auto x) { return softmax(x, axis); },
              [&](const Array<double>& x) {
                return along(x, axis, [](Real l, Real v) { return std::exp(v - l); });
              },
              rows);
  // scipy.special.softmax(z, 1), SciPy 1.17.1
  check_near(softmax(z).array(),
             {0.09003057317038046, 0.24472847105479764, 0.6652409557748218, 0.029196409207664163,
              0.003951304309611276, 0.9668522864827245, 0.4223187982515182, 0.4223187982515182,
              0.15536240349696362, 0.032708307280834376, 0.31032777913499876, 0.6569639135841668});
}

TEST_CASE("log_softmax") {
  for (const int axis : {-1, 0})
    expect_op([&](auto x) { return log_softmax(x, axis); },
              [&](const Array<double>& x) { return along(x, axis, [](Real l, Real v) { return v - l; }); },
              rows, logs);
  // scipy.special.log_softmax(z, 1), SciPy 1.17.1
  check_near(log_softmax(z).array(),
             {-2.4076059644443806, -1.4076059644443804, -0.4076059644443804, -3.5337095496098874,
              -5.533709549609887, -0.03370954960988755, -0.8619948040582511, -0.8619948040582511,
              -1.8619948040582512, -3.420126188057514, -1.1701261880575138, -0.4201261880575138});
}

TEST_CASE("logsumexp") {
  for (const bool keepdims : {false, true})
    expect_op([&](auto x) { return logsumexp(x, 1, keepdims); },
              [&](const Array<double>& x) {
                const auto all = along(x, 1, [](Real l, Real) { return l; });
                Array<double> y(keepdims ? x.shape().with(1, 1) : x.shape().without(1));
                for (Index o = 0; o < x.shape()[0]; ++o)
                  for (Index i = 0; i < x.shape().inner(1); ++i)
                    y.mutable_data()[o * x.shape().inner(1) + i] = all.data()[o * x.shape().inner(0) + i];
                return y;
              },
              rows, logs);
  // scipy.special.logsumexp(z, 1), SciPy 1.17.1
  check_near(logsumexp(z).array(),
             {3.40760596444438, 4.033709549609887, 1000.8619948040582, 1.4201261880575138});
}

TEST_CASE("softmax and its kin where numbers are huge, infinite or missing") {
  const Array<float> huge = {{1e30f, 1e30f, -1e30f}, {-1e30f, -1e30f, -1e30f}};
  const float third = 1.0f / 3;
  CHECK(softmax(huge).array() == Array<float>{{0.5, 0.5, 0}, {third, third, third}});
  CHECK(logsumexp(huge).array() == Array<float>{1e30f, -1e30f});
  CHECK(logsumexp(Array<double>{-infinity, -infinity}).item() == -infinity);
  CHECK(logsumexp(Array<double>{-infinity, 3}).item() == 3);
  CHECK(logsumexp(Array<double>{infinity, 3}).item() == infinity);
  CHECK(softmax(Array<double>{-infinity, 3}).array() == Array<double>{0, 1});  // a masked score
  CHECK(std::isnan(logsumexp(Array<double>{NAN, infinity}).item()));
  CHECK(std::isnan(softmax(Array<double>{NAN, 1}).array()(1)));
  Tape tape;
  const auto x = tape.variable(Array<double>{-infinity, 3, 3});
  tape.backward(logsumexp(x));
  CHECK(tape.gradient(x)(0) == 0);
  CHECK(std::abs(tape.gradient(x)(1) - 0.5) <= 4 * 0x1p-53);  // e^(x − y) with y = 3 + ln 2 rounded
}

TEST_CASE("softmax of nothing") {
  CHECK(softmax(Array<float>(Shape{3, 0})).shape() == Shape{3, 0});
  CHECK(log_softmax(Array<float>(Shape{0, 3})).shape() == Shape{0, 3});
  CHECK(words<ShapeError>([] {
          logsumexp(Array<float>(Shape{3, 0}));
        }) == "logsumexp: axis 1 of [3, 0] is empty");
}

TEST_CASE("softmax: axes are checked") {
  const Array<float> x(Shape{2, 3}), scalar(Shape{});
  CHECK(words<ShapeError>([&] { softmax(x, 2); }) ==
        "softmax: axis 2 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] { log_softmax(x, -3); }) ==
        "log_softmax: axis -3 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] { logsumexp(scalar); }) ==
        "logsumexp: axis -1 is outside [], whose axes are 0 to -1");
}
