// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/ops/power.hpp>

#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::Optimizer;
using optim::Sgd;

namespace {

/// loss = Σ g · w: its gradient is g.
void backward(const Array<double>& g, const Parameter<double>& w) {
  Tape tape;
  tape.backward(sum(tape.input(g) * w));
}

}  // namespace

TEST_CASE("a step consumes the gradients: there is no zero_grad") {
  Parameter<double> w(Array<double>{0, 0});
  Optimizer<double> optimizer({&w}, Sgd{.learning_rate = 1});
  backward({1, 2}, w);
  optimizer.step();
  CHECK(w.value() == Array<double>{-1, -2});
  CHECK_THROWS_AS(w.gradient(), TapeError);
  backward({10, 20}, w);
  optimizer.step();
  CHECK(w.value() == Array<double>{-11, -22});
  CHECK(optimizer.steps() == 2);
}

TEST_CASE("gradients add up over several backwards before a step") {
  Parameter<double> w(Array<double>{0, 0});
  Optimizer<double> optimizer({&w}, Sgd{.learning_rate = 1});
  backward({1, 2}, w);
  backward({10, 20}, w);
  optimizer.step();
  CHECK(w.value() == Array<double>{-11, -22});
}

TEST_CASE("a gradient from before the optimizer counts") {
  Parameter<double> w(Array<double>{0, 0});
  backward({1, 2}, w);
  Optimizer<double> optimizer({&w}, Sgd{.learning_rate = 1});
  optimizer.step();
  CHECK(w.value() == Array<double>{-1, -2});
}

TEST_CASE("without a gradient a step is refused, and nothing has changed") {
  Parameter<double> w(Array<double>{1});
  Optimizer<double> optimizer({&w}, Sgd{});
  const char* const sentence =
      "optimizer: no gradient has been written since the last step (was backward called?)";
  CHECK(words<TapeError>([&] { optimizer.step(); }) == sentence);
  backward({1}, w);
  optimizer.step();
  CHECK(words<TapeError>([&] { optimizer.step(); }) == sentence);
  CHECK(optimizer.steps() == 1);
}

TEST_CASE("frozen parameters and those outside the loss stay, between others that move") {
  std::vector<Parameter<double>> w;
  for (int i = 0; i < 5; ++i) w.emplace_back(Array<double>{1, 1, 1});
  std::vector<Parameter<double>*> all;
  for (auto& p : w) all.push_back(&p);
  w[1].freeze();
  Optimizer<double> optimizer(all, optim::Adam{.learning_rate = 0.1});
  Tape tape;
  tape.backward(sum(tape.input(Array<double>{1, 1, 1}) * w[0] * w[1] * w[2]) +
                sum(tape.watch(w[4])));  // not w[3]
  optimizer.step();
  for (const int i : {0, 2, 4}) CHECK(w[std::size_t(i)].value()(0) == Approx(0.9).epsilon(1e-5));
  for (const int i : {1, 3}) CHECK(w[std::size_t(i)].value() == Array<double>{1, 1, 1});

  w[1].freeze(false);
  tape.backward(sum(tape.watch(w[1])));
  optimizer.step();
  CHECK(w[1].value()(0) < 1);
  CHECK(w[0].value()(0) == Approx(0.9).epsilon(1e-5));
}

TEST_CASE("parameters keep their values, their gradients and their addresses") {
  nn::Sequential<double> model{nn::Dense<double>{3, 5}, nn::Tanh<double>{}, nn::Dense<double>{5, 2}};
  const auto x = numbers({4, 3});
  const auto before = model(x).array();
  Optimizer<double> optimizer(model, Sgd{.learning_rate = 0.1});
  CHECK(same_bits(model(x).array(), before));
  std::vector<const double*> at;
  for (const auto& p : model.named_parameters()) {
    at.push_back(p.value().data());
    CHECK(reinterpret_cast<std::uintptr_t>(p.value().data()) % 64 == 0);
  }
  Tape tape;
  for (int s = 0; s < 3; ++s) {
    tape.backward(mean(model(tape.input(x))));
    optimizer.step();
  }
  for (std::size_t i = 0; i < at.size(); ++i) CHECK(model.named_parameters()[i].value().data() == at[i]);
  model.named_parameters()[1].set_value(Array<double>(Shape{5}));
  CHECK(model.named_parameters()[1].value().data() == at[1]);
}

TEST_CASE("a model outlives its optimizer, and meets the next one") {
  Parameter<double> w(Array<double>{1, 2});
  {
    Optimizer<double> first({&w}, Sgd{.learning_rate = 1});
    backward({1, 1}, w);
    first.step();
  }
  CHECK(w.value() == Array<double>{0, 1});
  Optimizer<double> second({&w}, Sgd{.learning_rate = 1});
  backward({1, 1}, w);
  second.step();
  CHECK(w.value() == Array<double>{-1, 0});
}

TEST_CASE("two optimizers over one parameter: the first one says so, and changes nothing") {
  Parameter<double> own(Array<double>{5}), w(Array<double>{1, 2});
  Optimizer<double> first({&own, &w}, Sgd{.learning_rate = 1}), second({&w}, Sgd{.learning_rate = 1});
  backward({1}, own);
  backward({1, 1}, w);
  CHECK(words<ValueError>([&] { first.step(); }) ==
        "optimizer: a parameter [2] has been taken over by another optimizer");
  CHECK(w.value() == Array<double>{1, 2});
  CHECK(own.value() == Array<double>{5});
  CHECK(own.gradient() == Array<double>{1});
  second.step();
  CHECK(w.value() == Array<double>{0, 1});
}

TEST_CASE("the learning rate can be read and set") {
  Parameter<double> w(Array<double>{0});
  Optimizer<double> optimizer({&w}, optim::Adam{.learning_rate = 0.5});
  CHECK(optimizer.learning_rate() == 0.5);
  optimizer.set_learning_rate(0.25);
  CHECK(optimizer.learning_rate() == 0.25);
  CHECK(optimizer.rule().learning_rate() == 0.25);
  CHECK(words<ValueError>([&] { optimizer.set_learning_rate(-1); }) ==
        "adam: learning_rate is -1; it must be at least 0");
  CHECK(optimizer.learning_rate() == 0.25);
}

TEST_CASE("an optimizer without parameters is refused") {
  CHECK(words<ValueError>([] { Optimizer<float>(std::vector<Parameter<float>*>{}, Sgd{}); }) ==
        "optimizer: there is no parameter to learn");
  nn::Sequential activations{nn::Relu{}, nn::Relu{}};
  CHECK(words<ValueError>([&] { Optimizer<float>(activations, Sgd{}); }) ==
        "optimizer: there is no parameter to learn");
}

TEST_CASE("every rule finds the bottom of a bowl") {
  for (const optim::Rule<double>& rule :
       {optim::Rule<double>(Sgd{.learning_rate = 0.1}),
        optim::Rule<double>(Sgd{.learning_rate = 0.05, .momentum = 0.9}),
        optim::Rule<double>(optim::Adam{.learning_rate = 0.05}),
        optim::Rule<double>(optim::AdamW{.learning_rate = 0.05, .weight_decay = 0}),
        optim::Rule<double>(optim::AmsGrad{.learning_rate = 0.05}),
        optim::Rule<double>(optim::Adamax{.learning_rate = 0.05}),
        optim::Rule<double>(optim::Nadam{.learning_rate = 0.05}),
        optim::Rule<double>(optim::RmsProp{.learning_rate = 0.01}),
        optim::Rule<double>(optim::CenteredRmsProp{.learning_rate = 0.001}),
        optim::Rule<double>(optim::Adadelta{.learning_rate = 1, .epsilon = 1e-4}),
        optim::Rule<double>(optim::Adagrad{.learning_rate = 0.5})}) {
    Parameter<double> w(Array<double>{3, -2});
    Optimizer<double> optimizer({&w}, rule);
    Tape tape;
    for (int s = 0; s < 2000; ++s) {
      tape.backward(sum(square(tape.watch(w) - Array<double>{1, 1})));
      optimizer.step();
    }
    for (const double x : w.value().values()) CHECK(x == Approx(1).margin(0.02));
  }
}

TEST_CASE("equal members of a module begin differently, without fit and without initialize") {
  struct Twins : nn::Module<float> {
    nn::Dense<float> a{3, 3}, b{3, 3};
    Tensor<float> forward(std::span<const Tensor<float>> x) const override { return a(x[0]) + b(x[0]); }
    void members(nn::Members<float>& m) override { m("a", a), m("b", b); }
  } twins;
  REQUIRE(twins.a.weight.value() == twins.b.weight.value());
  const Optimizer<float> optimizer(twins, Sgd{});
  CHECK_FALSE(twins.a.weight.value() == twins.b.weight.value());

  Twins chosen;
  chosen.a.weight.set_value(ones<float>({3, 3}));
  const Optimizer<float> other(chosen, Sgd{});
  CHECK(chosen.a.weight.value() == ones<float>({3, 3}));  // what somebody has set stays
}
