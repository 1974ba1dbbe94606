// SPDX-License-Identifier: MIT
#include <gradus/nn/dense.hpp>
#include <gradus/nn/flatten.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("flatten keeps the rows and their numbers") {
  const nn::Flatten<double> layer;
  const auto x = numbers({3, 2, 4});
  CHECK(same_bits(layer(x).array(), x.reshape({3, 8})));
  CHECK(layer(numbers({5, 6})).shape() == Shape{5, 6});
  CHECK(layer(Array<double>(Shape{0, 2, 3})).shape() == Shape{0, 6});
  CHECK(layer.describe() == "Flatten");
}

TEST_CASE("gradients pass through flatten in the input's shape") {
  const nn::Sequential<double> model{nn::Flatten<double>{}, nn::Dense<double>{8, 1}};
  const auto x = numbers({3, 2, 4});
  Tape tape;
  const auto v = tape.variable(x);
  tape.backward(sum(model(v)));
  CHECK(tape.gradient(v).shape() == x.shape());
  const auto& w = model.named_parameters()[0].value();
  for (Index i = 0; i < x.size(); ++i)
    CHECK(tape.gradient(v).data()[i] == Approx(w.data()[i % 8]).epsilon(1e-15));
}
