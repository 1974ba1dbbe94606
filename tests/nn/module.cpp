// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// Two inputs, two layers of one shape, a net in it, and a parameter of its own.
struct TwoInputs : nn::Module<double> {
  nn::Dense<double> left{3, 4}, right{3, 4};
  nn::Sequential<double> head{nn::Relu<double>{}, nn::Dense<double>{4, 1}};
  Parameter<double> scale{Array<double>{2}};

  Tensor<double> forward(std::span<const Tensor<double>> x) const override {
    return head(left(x[0]) + right(x[1])) * scale;
  }
  void members(nn::Members<double>& m) override {
    m("left", left), m("right", right), m("head", head), m("scale", scale);
  }
};

std::vector<std::string> names(const nn::Module<double>& m) {
  std::vector<std::string> all;
  for (const auto& p : m.named_parameters()) all.push_back(p.name);
  return all;
}

}  // namespace

TEST_CASE("a module's parameters have full names, depth first") {
  const TwoInputs m;
  CHECK(names(m) == std::vector<std::string>{"left.weight", "left.bias", "right.weight", "right.bias",
                                             "head.1.weight", "head.1.bias", "scale"});
  CHECK(m.parameter_count() == 2 * (12 + 4) + 4 + 1 + 1);
  CHECK(m.named_parameters()[0].parameter == &m.left.weight);
  CHECK(m.named_parameters()[6].value() == Array<double>{2});
}

TEST_CASE("setting a named parameter sets the module's") {
  const TwoInputs m;
  m.named_parameters()[1].set_value(Array<double>{1, 2, 3, 4});
  CHECK(m.left.bias.value() == Array<double>{1, 2, 3, 4});
  CHECK(words<ShapeError>([&] { m.named_parameters()[1].set_value(Array<double>{1}); }) ==
        "parameter: it is [4], not [1]");
}

TEST_CASE("freezing reaches every parameter, and back") {
  TwoInputs m;
  m.freeze();
  for (const auto& p : m.named_parameters()) CHECK(p.parameter->frozen());
  m.freeze(false);
  m.left.freeze();
  for (const auto& p : m.named_parameters()) CHECK(p.parameter->frozen() == p.name.starts_with("left."));
}

TEST_CASE("initialize draws each parameter from the stream of its full name") {
  TwoInputs m;
  m.initialize(5);
  const auto drawn = [](const char* name, const Shape& shape) {
    return nn::draw<double>(nn::init::glorot_uniform, shape, random::Stream(5, name));
  };
  CHECK(same_bits(m.left.weight.value(), drawn("left.weight", {4, 3})));
  CHECK(same_bits(m.right.weight.value(), drawn("right.weight", {4, 3})));
  CHECK(same_bits(m.named_parameters()[4].value(), drawn("head.1.weight", {1, 4})));
  CHECK_FALSE(m.left.weight.value() == m.right.weight.value());  // equal shapes do not begin equal
  CHECK(m.left.bias.value() == Array<double>(Shape{4}));
  CHECK(m.scale.value() == Array<double>{2});  // no layer's: it has no initialiser

  const auto first = m.left.weight.value().copy();
  m.initialize(6);
  CHECK_FALSE(m.left.weight.value() == first);
  m.initialize(5);
  CHECK(m.left.weight.value() == first);
}

TEST_CASE("initialize(seed, false) leaves what somebody has set, trained or drawn") {
  TwoInputs fresh, set, drawn;
  fresh.initialize(5, false);
  drawn.initialize(5);
  CHECK(fresh.left.weight.value() == drawn.left.weight.value());

  set.left.bias.set_value(Array<double>{1, 2, 3, 4});
  const auto weight = set.left.weight.value().copy();
  set.initialize(5, false);
  CHECK(set.left.weight.value() == weight);  // a layer is drawn as a whole or not at all
  CHECK(set.left.bias.value() == Array<double>{1, 2, 3, 4});
  CHECK(set.right.weight.value() == drawn.right.weight.value());

  drawn.initialize(9, false);  // 5 was asked for: nothing that comes later overrules it
  CHECK(drawn.left.weight.value() == fresh.left.weight.value());
}

TEST_CASE("a layer takes one input") {
  const nn::Dense<double> layer{3, 4};
  const std::vector<Tensor<double>> two{Array<double>(Shape{1, 3}), Array<double>(Shape{1, 3})};
  CHECK(words<ShapeError>([&] { layer.forward(two); }) == "Dense(3, 4): 2 inputs; it takes one");
  CHECK(words<ShapeError>([&] { layer.forward({}); }) == "Dense(3, 4): 0 inputs; it takes one");
}

TEST_CASE("a module without a head gives its output as logits") {
  const TwoInputs m;
  const std::vector<Tensor<double>> x{numbers({2, 3}), numbers({2, 3}, -1, 1, 2)};
  CHECK(m.head.head() == nn::Head::none);
  CHECK(same_bits(m.logits(x).array(), m.forward(x).array()));
  CHECK(m.describe() == "Module");
}

TEST_CASE("gradients reach every parameter of a module once a tape has seen it") {
  const TwoInputs m;
  Tape tape;
  const std::vector<Tensor<double>> x{tape.input(numbers({5, 3})), tape.input(numbers({5, 3}, -1, 1, 2))};
  const auto y = m.forward(x);
  tape.backward(mean(y));
  for (const auto& p : m.named_parameters()) CHECK(p.parameter->gradient().shape() == p.value().shape());
}
