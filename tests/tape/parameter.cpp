// SPDX-License-Identifier: MIT
#include <gradus/ops/ops.hpp>
#include <gradus/tape/tape.hpp>

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
