// SPDX-License-Identifier: MIT
#include <gradus/ops/ops.hpp>
#include <gradus/tape/apply.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Values = Array<double>;

namespace {

struct Halfway {  // an op that fails after its shape was accepted and half its result was written
  static constexpr const char* name = "halfway";
  View<double> x;
  Shape shape() const { return x.shape; }
  void forward(const Sink<double>& y, Step&) {
    y.data[0] = 1;
    throw ValueError("halfway: no further");
  }
  void backward(View<double>, Step&, Sink<double>) const {}
};
Tensor<double> halfway(const Tensor<double>& x) {
  return apply([](const View<double>& v) { return Halfway{v}; }, x);
}

}  // namespace

TEST_CASE("operands of different devices are an error") {
  const Values here = {1, 2}, there = here.to("fake:0"), elsewhere = here.to("fake:1");
  CHECK(words<DeviceError>([&] { here + there; }) == "add: operands on cpu and fake:0; use .to(device)");
  CHECK(words<DeviceError>([&] { matmul(there, elsewhere); }) ==
        "matmul: operands on fake:0 and fake:1; use .to(device)");
  Tape tape;
  const auto x = tape.input(here);
  CHECK(words<DeviceError>([&] { x* there; }) == "mul: operands on cpu and fake:0; use .to(device)");
  CHECK(words<DeviceError>([&] { relu(there); }) == "map: this program has no kernels for device fake:0");
  CHECK((x * here).array() == Values{1, 4});  // and nothing is lost
}

TEST_CASE("operands of two tapes are an error") {
  Tape a, b;
  const auto x = a.input(Values{1}), y = b.input(Values{2});
  CHECK(words<TapeError>([&] { x + y; }) == "add: operands are on two different tapes");
  CHECK((x + y.detach()).item() == 3);
}

TEST_CASE("what was computed from parameters off the tape is not mixed into a taped loss in silence") {
  const Parameter<double> w(Values{1, 2});
  Tape tape;
  const auto x = tape.input(Values{3, 4});
  const auto penalty = mean(square(w));
  CHECK(penalty.item() == 2.5);
  CHECK(words<TapeError>([&] { sum(x * w) + penalty; }) ==
        "add: operand [] comes from parameters off the tape; their gradient would be lost: start from "
        "tape.watch(w), or detach()");
  CHECK((sum(x * w) + penalty.detach()).item() == 13.5);
  tape.backward(sum(x * w) + mean(square(tape.watch(w))));
  CHECK(w.gradient() == Values{3 + 1, 4 + 2});
}

TEST_CASE("what needs no gradient is not recorded") {
  Tape tape;
  const auto x = tape.input(Values{1, 2});
  CHECK_FALSE((x * x).wants_gradient());
  CHECK_FALSE(sum(x + Values{1, 1}).wants_gradient());
  CHECK((tape.variable(Values{1}) + Values{1}).wants_gradient());
}

TEST_CASE("an error in an op leaves the tape as it was") {
  const Parameter<double> w(Values{{1, 2}, {3, 4}});
  Tape tape;
  const auto x = tape.input(Values{{1, 0}, {0, 1}});
  const auto y = matmul(x, w);
  CHECK_THROWS_AS(matmul(y, Values(Shape{3, 2})), ShapeError);
  CHECK(words<ValueError>([&] { halfway(y); }) == "halfway: no further");
  CHECK_THROWS_AS(halfway(w), ValueError);  // off the tape too
  CHECK_THROWS_AS(take(y, Array<std::int32_t>{7}), IndexError);
  tape.backward(sum(y * y));
  CHECK(w.gradient() == Values{{2, 4}, {6, 8}});
}

TEST_CASE("an operand may be a temporary: the tape keeps its memory") {
  const Parameter<double> w(Values{2});
  Tape tape;
  auto y = w * tape.input(Values{3});
  for (int k = 0; k < 10; ++k) y = y * Values{1.5};
  const Values other = {99};  // would take over what was released
  tape.backward(y);
  CHECK(w.gradient()(0) == 3 * std::pow(1.5, 10));
}

TEST_CASE("matmul(x, x), x·x and x + x have all their terms") {
  Tape tape;
  const auto x = tape.variable(Values{{1, 2}, {3, 4}});
  tape.backward(sum(matmul(x, x)), true);
  CHECK(tape.gradient(x) == Values{{7, 11}, {9, 13}});
  Tape second;
  const auto y = second.variable(Values{1, 3});
  second.backward(sum(y * y + y - y / y));
  CHECK(second.gradient(y) == Values{3, 7});
}

TEST_CASE("memory of an op lives as long as it needs") {
  const auto z = Values{{1, 2, 3}};
  const Array<std::int32_t> t = {1};
  const double off = softmax_cross_entropy(z, t).item();  // its scratch memory ends with the op
  Tape tape;
  const auto x = tape.variable(z);
  const auto l = softmax_cross_entropy(x, t);  // here with the step
  CHECK(l.item() == off);
  tape.backward(l);
  CHECK(sum(tape.gradient(x)).item() == Approx(0).margin(1e-15));  // Σ softmax − 1, rounded
}
