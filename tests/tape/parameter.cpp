// SPDX-License-Identifier: MIT
#include <optional>
#include <utility>

#include <gradus/ops/ops.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Values = Array<double>;

TEST_CASE("a parameter is a copy of what it was made of") {
  Values a = {1, 2};
  const Parameter<double> p(a);
  a.ref(0) = 9;
  CHECK(p.value() == Values{1, 2});
  CHECK(p.shape() == Shape{2});
  CHECK(p.device() == Device("cpu"));
  CHECK(Parameter<float>().shape() == Shape{0});
}

TEST_CASE("copies of a parameter are deep, moves keep its identity") {
  Parameter<double> p(Values{1, 2});
  p.freeze();
  Parameter<double> copy = p;
  copy.set_value({3, 4});
  CHECK(p.value() == Values{1, 2});
  CHECK(copy.frozen());
  const auto* leaf = &p.leaf();
  Parameter<double> moved = std::move(p);
  CHECK(&moved.leaf() == leaf);
  copy = moved;
  CHECK(copy.value() == Values{1, 2});
  CHECK(&copy.leaf() != leaf);
}

TEST_CASE("set_value writes in place, and value() follows") {
  Parameter<double> p(Values{1, 2});
  const Values seen = p.value(), kept = p.value().copy();
  const double* address = p.value().data();
  p.set_value({3, 4});
  CHECK(seen == Values{3, 4});
  CHECK(kept == Values{1, 2});
  CHECK(p.value().data() == address);
  CHECK(words<ShapeError>([&] { p.set_value({1, 2, 3}); }) == "parameter: it is [2], not [3]");
  CHECK(p.value() == Values{3, 4});
}

TEST_CASE("a parameter without a gradient says so") {
  const Parameter<double> p(Values{1, 2});
  CHECK(words<TapeError>([&] { p.gradient(); }) == "gradient: parameter [2] has none (has backward run?)");
}

TEST_CASE("every use of a parameter adds to one gradient") {  // a recurrent cell: h ← tanh(w h + x)
  const Parameter<double> w(Values{0.5});
  Tape tape;
  auto h = tape.input(Values{1});
  for (int k = 0; k < 3; ++k) h = tanh(w * h + 0.25);
  tape.backward(h);
  // the same in dual numbers, by hand: d(w h) = h + w dh
  double v = 1, dv = 0;
  for (int k = 0; k < 3; ++k) {
    const double z = 0.5 * v + 0.25, dz = v + 0.5 * dv;
    v = std::tanh(z), dv = (1 - v * v) * dz;
  }
  CHECK(w.gradient()(0) == Approx(dv).epsilon(1e-14));  // a dozen roundings
}

TEST_CASE("gradients add up over backwards until they are consumed") {
  const Parameter<double> w(Values{1, 2});
  Tape tape;
  for (int k = 1; k <= 3; ++k) {
    tape.backward(sum(w * tape.input(Values{1, 10})));
    CHECK(w.gradient() == Values{double(k), 10.0 * k});
  }
  w.leaf().gradient.written = false;  // what an optimizer's step() does
  tape.backward(sum(w * tape.input(Values{1, 10})));
  CHECK(w.gradient() == Values{1, 10});
  const void* address = w.leaf().gradient.data;
  tape.backward(sum(w * tape.input(Values{1, 10})));
  CHECK(w.leaf().gradient.data == address);  // it stays where it is
}

TEST_CASE("a frozen parameter is a constant") {
  Parameter<double> w(Values{1, 2}), b(Values{3, 4});
  b.freeze();
  Tape tape;
  tape.backward(sum(w * tape.input(Values{1, 10}) + b));
  CHECK(w.gradient() == Values{1, 10});
  CHECK_THROWS_AS(b.gradient(), TapeError);
  b.freeze(false);
  CHECK_FALSE(b.frozen());
  tape.backward(sum(w * tape.input(Values{1, 10}) + b));
  CHECK(b.gradient() == Values{1, 1});
}

TEST_CASE("a frozen parameter off the tape is no loss of gradients") {
  Parameter<double> w(Values{1, 2}), x(Values{1, 1});
  w.freeze();
  Tape tape;
  tape.backward(sum(tape.watch(x) + mean(square(w))));
  CHECK(x.gradient() == Values{1, 1});
}

TEST_CASE("a parameter that the loss does not depend on has no gradient") {
  const Parameter<double> w(Values{1}), other(Values{1});
  Tape tape;
  const auto x = tape.input(Values{2});
  const auto unused = other * x;
  tape.backward(w * x);
  CHECK(w.gradient() == Values{2});
  CHECK_THROWS_AS(other.gradient(), TapeError);
  CHECK(unused.item() == 2);
}

TEST_CASE("a parameter may go before its tape's backward") {
  Tape tape;
  const auto loss_of = [&](const Values& w) {
    const Parameter<double> p(w);
    return sum(tape.input(Values{1, 2}) * p * tape.watch(p));
  };
  const auto x = tape.variable(Values{3, 4});
  const auto loss = loss_of({5, 6}) + sum(x);
  tape.backward(loss);
  CHECK(loss.item() == 25 + 72 + 7);
  CHECK(tape.gradient(x) == Values{1, 1});
}

namespace {

/// y = W x + b, in the way of layers: the tape finds their parameters where the step before had them.
struct Layer {
  Parameter<double> w, b;
  Layer(Index out, Index in, double value) : w(full({out, in}, value)), b(full({out}, value)) {}
  Tensor<double> operator()(const Tensor<double>& x) const {
    const LinearLayer<double> own{&w, &b, nullptr};
    return linear(x, &own, 1);
  }
};
std::int64_t owners(const Values& a) { return a.share().owners(); }

}  // namespace

TEST_CASE("a layer may go before its tape's backward, or move") {
  Tape tape;
  for (int step = 0; step < 3; ++step) {
    const auto x = tape.variable(Values{{1, 2}});
    std::optional<Layer> gone(Layer(2, 2, 3));
    const auto hidden = (*gone)(x);
    gone.reset();
    Layer first(1, 2, 5);
    const auto y = first(hidden);
    const Layer moved = std::move(first);
    tape.backward(sum(y));
    CHECK(y.item() == 5 * (12 + 12) + 5);
    CHECK(tape.gradient(x) == Values{{30, 30}});
    CHECK(moved.w.gradient() == Values{{12, 12}});
    CHECK(moved.b.gradient() == Values{1});
  }
}

TEST_CASE("a tape lets go of the parameters of the step before") {
  Tape tape;
  const auto step = [&](const std::vector<const Layer*>& layers) {
    auto y = tape.input(Values{{1, 2}});
    for (const Layer* l : layers) y = (*l)(y);
    tape.backward(sum(y));
  };
  const Layer a(2, 2, 1), b(2, 2, 2), c(2, 2, 3);
  const auto kept = [&] {
    return std::vector{owners(a.w.value()), owners(b.w.value()), owners(c.b.value())};
  };
  using Owners = std::vector<std::int64_t>;
  CHECK(kept() == Owners{1, 1, 1});
  for (int k = 0; k < 3; ++k) step({&a, &b});
  CHECK(kept() == Owners{2, 2, 1});
  step({&c});  // in a's place; b's is given back with the step
  CHECK(kept()[0] == 1);
  step({&c, &c});
  CHECK(kept() == Owners{1, 1, 3});
  step({&a, &b, &c});
  tape.next_step();
  CHECK(kept() == Owners{2, 2, 2});
  tape.clear();
  CHECK(kept() == Owners{1, 1, 1});
  {
    Tape other;
    other.backward(sum(b(other.input(Values{{1, 2}}))));
    CHECK(kept() == Owners{1, 2, 1});
  }
  CHECK(kept() == Owners{1, 1, 1});
  for (const Layer* l : {&a, &b, &c}) CHECK(l->w.share().owners() == 1);
}

TEST_CASE("a tape goes on where an op has failed after it took parameters") {
  const Layer right(2, 2, 1), wrong(2, 3, 1);
  Tape tape;
  for (int k = 0; k < 2; ++k) {
    const auto x = tape.input(Values{{1, 2}});
    CHECK_THROWS_AS(wrong(x), ShapeError);
    tape.backward(sum(right(x)));
    CHECK(right.b.gradient() == Values{1.0 + k, 1.0 + k});
  }
}

TEST_CASE("a parameter that goes to another device before backward is an error") {
  for (const bool bias : {false, true}) {
    Layer layer(1, 2, 3);
    Tape tape;
    const auto y = layer(tape.input(Values{{1, 2}}));
    (bias ? layer.b : layer.w).to("fake:0");
    CHECK(y.item() == 12);  // of the numbers that it had
    CHECK(words<DeviceError>([&] { tape.backward(sum(y)); }) ==
          std::string("backward: a parameter ") + (bias ? "[1]" : "[1, 2]") +
              " went to fake:0 after it was used on cpu");
    (bias ? layer.b : layer.w).to("cpu");
    tape.backward(sum(layer(tape.input(Values{{1, 2}}))));
    CHECK(layer.w.gradient()(0, 0) >= 1);
  }
}

TEST_CASE("parameters of no numbers") {
  const Layer none(2, 0, 1);
  Tape tape;
  for (int k = 0; k < 2; ++k) {
    const auto y = none(tape.input(Values(Shape{3, 0})));
    tape.backward(sum(y));
    CHECK(y.array() == full({3, 2}, 1.0));
  }
  CHECK(none.b.gradient() == Values{6, 6});
}
