// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/dropout.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

using Dense = nn::Dense<double>;
using Relu = nn::Relu<double>;
using Sigmoid = nn::Sigmoid<double>;
using Sequential = nn::Sequential<double>;

Sequential classifier() { return Sequential{Dense{3, 4}, Relu{}, Dense{4, 1}, Sigmoid{}}; }

void check_near(const Array<double>& a, const Array<double>& b) {
  REQUIRE(a.shape() == b.shape());
  for (Index i = 0; i < a.size(); ++i) CHECK(std::abs(a.data()[i] - b.data()[i]) < 1e-14);
}

}  // namespace

TEST_CASE("parameters are named by their layer's place, as PyTorch does") {
  const auto model = classifier();
  std::vector<std::string> names;
  for (const auto& p : model.named_parameters()) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"});
  const Sequential nested{Sequential{Dense{3, 4}, Relu{}}, Sequential{Dense{4, 1}}};
  names.clear();
  for (const auto& p : nested.named_parameters()) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"0.0.weight", "0.0.bias", "1.0.weight", "1.0.bias"});
}

TEST_CASE("layers run one after the other, joined or not") {
  const auto model = classifier();
  const auto x = numbers({5, 3}, -2, 2);
  Tensor<double> y = x;
  for (Index i = 0; i < model.size(); ++i) y = model[i](y);
  check_near(model(x).array(), y.array());
  CHECK(model.size() == 4);

  const Sequential nothing;
  CHECK(same_bits(nothing(x).array(), x));
  CHECK(nothing.named_parameters().empty());
  CHECK(nothing.head() == nn::Head::none);
}

TEST_CASE("a joined net has the gradients of the same net unjoined") {
  const auto model = classifier();
  const auto x = numbers({9, 3}, -2, 2);
  const auto gradients = [&](const auto& forward) {
    Tape tape;
    const auto v = tape.variable(x);
    tape.backward(mean(square(forward(v))));
    std::vector<Array<double>> all{tape.gradient(v)};
    for (const auto& p : model.named_parameters()) {
      all.push_back(p.parameter->gradient());
      p.parameter->leaf().gradient.written = false;  // as an optimizer's step does
    }
    return all;
  };
  const auto joined = gradients([&](const Tensor<double>& v) { return model(v); });
  const auto apart = gradients([&](Tensor<double> v) {
    for (Index i = 0; i < model.size(); ++i) v = model[i](v);
    return v;
  });
  for (std::size_t i = 0; i < joined.size(); ++i) check_near(joined[i], apart[i]);
}

TEST_CASE("more layers than one op takes, layers without a bias, and frozen ones") {
  Sequential deep;
  for (int i = 0; i < 20; ++i) deep.add(Dense{4, 4, {.bias = i % 3 > 0}}).add(Relu{}).add(Dense{4, 4});
  deep.named_parameters()[0].parameter->freeze();
  deep.named_parameters()[30].parameter->freeze();
  const auto x = numbers({3, 4}, -2, 2);
  const auto gradients = [&](bool whole) {
    Tape tape;
    Tensor<double> y = tape.input(x);
    if (whole)
      y = deep(y);
    else
      for (Index i = 0; i < deep.size(); ++i) y = deep[i](y);
    tape.backward(mean(square(y - 1)));
    std::vector<Array<double>> all{y.array()};
    for (const auto& p : deep.named_parameters()) {
      CHECK(p.parameter->leaf().gradient.written == !p.parameter->frozen());
      if (p.parameter->frozen()) continue;
      all.push_back(p.parameter->gradient());
      p.parameter->leaf().gradient.written = false;
    }
    return all;
  };
  const auto whole = gradients(true), apart = gradients(false);
  REQUIRE(whole.size() == apart.size());
  for (std::size_t i = 0; i < whole.size(); ++i) check_near(whole[i], apart[i]);

  // below the lowest layer that learns nothing is computed
  for (const auto& p : deep.named_parameters()) p.parameter->freeze();
  const auto named = deep.named_parameters();
  named.back().parameter->freeze(false);
  Tape tape;
  tape.backward(mean(square(deep(tape.input(x)))));
  for (const auto& p : named)
    CHECK(p.parameter->leaf().gradient.written == (p.parameter == named.back().parameter));
}

namespace {

/// A layer of one's own that joins, with an activation of its own.
struct SigmoidDense final : nn::Layer<double> {
  Dense dense{3, 3};
  Tensor<double> operator()(const Tensor<double>& x) const override { return sigmoid(dense(x)); }
  bool joins(LinearLayer<double>& to, const Shape& x, Index& columns) const override {
    dense.joins(to, x, columns);
    to.activation = &ops::joined<ops::Sigmoid, double>;
    return true;
  }
  void members(nn::Members<double>& m) override { m("dense", dense); }
};

}  // namespace

TEST_CASE("a layer's own activation stays, whatever follows") {
  const auto x = numbers({5, 3}, -2, 2);
  const Sequential model{SigmoidDense(), SigmoidDense(), Relu{}, SigmoidDense(), Dense{3, 2}};
  Tensor<double> y = x;
  for (Index i = 0; i < model.size(); ++i) y = model[i](y);
  check_near(model(x).array(), y.array());
}

TEST_CASE("initial weights are drawn under their names, in whatever order a net is made") {
  const auto model = classifier();
  const auto drawn = [](const char* name, const Shape& s) {
    return nn::draw<double>(nn::init::glorot_uniform, s, random::Stream(0, name));
  };
  CHECK(same_bits(model.named_parameters()[0].value(), drawn("0.weight", {4, 3})));
  CHECK(same_bits(model.named_parameters()[2].value(), drawn("2.weight", {1, 4})));
  Sequential added;
  added.add(Dense{3, 4}).add(Relu{}).add(Dense{4, 1}).add(Sigmoid{});
  CHECK(same_bits(added(numbers({2, 3})).array(), model(numbers({2, 3})).array()));
  const Sequential nested{Relu{}, Sequential{Dense{3, 4}}};
  CHECK(same_bits(nested.named_parameters()[0].value(), drawn("1.0.weight", {4, 3})));

  Dense set{3, 4};
  set.weight.set_value(ones<double>({4, 3}));
  CHECK(Sequential{std::move(set)}.named_parameters()[0].value() == ones<double>({4, 3}));
}

TEST_CASE("copying is deep, moving keeps the parameters") {
  auto model = classifier();
  auto copy = model;
  const auto x = numbers({2, 3});
  const auto y = model(x).array();
  CHECK(same_bits(copy(x).array(), y));
  for (const auto& p : model.named_parameters()) p.set_value(Array<double>(p.value().shape()));
  CHECK(same_bits(copy(x).array(), y));
  CHECK_FALSE(model(x).array() == y);

  const auto* weight = copy.named_parameters()[0].parameter;
  const Sequential moved = std::move(copy);
  CHECK(moved.named_parameters()[0].parameter == weight);
  model = moved;
  CHECK(same_bits(model(x).array(), y));
  CHECK(model.named_parameters()[0].parameter != weight);
}

TEST_CASE("logits leave the head out, also a nested one") {
  const auto model = classifier();
  const auto x = numbers({5, 3}, -2, 2);
  const std::vector<Tensor<double>> inputs{x};
  CHECK(model.head() == nn::Head::sigmoid);
  check_near(sigmoid(model.logits(inputs)).array(), model(x).array());

  const Sequential nested{Dense{3, 4}, Sequential{Relu{}, Dense{4, 2}, nn::Softmax<double>{}}};
  CHECK(nested.head() == nn::Head::softmax);
  check_near(softmax(nested.logits(inputs)).array(), nested(x).array());
  CHECK(same_bits(Sequential{Dense{3, 2}}.logits(inputs).array(), Sequential{Dense{3, 2}}(x).array()));
}

TEST_CASE("a net takes arrays and tensors, of any number of rows") {
  const auto model = classifier();
  const auto x = numbers({6, 3});
  CHECK(same_bits(model(x).array(), model(Tensor<double>(x)).array()));
  CHECK(model(Array<double>(Shape{0, 3})).shape() == Shape{0, 1});
  const auto all = model(x).array();
  for (Index i = 0; i < 6; ++i) CHECK(model(x.slice(i, i + 1)).array().item() == all(i, 0));  // to the bit
}

TEST_CASE("a layer that is not there, and an input that does not fit") {
  const auto model = classifier();
  CHECK(words<IndexError>([&] { model[4]; }) == "Sequential: layer 4 is outside its 4 layers");
  CHECK(words<IndexError>([&] { model[-1]; }) == "Sequential: layer -1 is outside its 4 layers");
  CHECK(words<ShapeError>([&] {
          model(numbers({2, 5}));
        }) == "Dense(3, 4): x is [2, 5]; its last axis must be 3");
  CHECK(model.describe() == "Sequential of 4");
}
