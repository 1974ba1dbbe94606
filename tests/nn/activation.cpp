// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

const Array<double> x = numbers({5, 7}, -4, 4);

template <class L> void expect_layer(const L& layer, const Tensor<double>& y, const std::string& text) {
  CHECK(same_bits(layer(x).array(), y.array()));
  CHECK(layer.describe() == text);
  CHECK(layer.named_parameters().empty());
}

}  // namespace

TEST_CASE("each layer is its op") {
  expect_layer(nn::Sigmoid<double>{}, sigmoid(x), "Sigmoid");
  expect_layer(nn::Relu<double>{}, relu(x), "Relu");
  expect_layer(nn::Tanh<double>{}, tanh(x), "Tanh");
  expect_layer(nn::LeakyRelu<double>{}, leaky_relu(x, 0.01), "LeakyRelu(0.01)");
  expect_layer(nn::LeakyRelu<double>{0.25}, leaky_relu(x, 0.25), "LeakyRelu(0.25)");
  expect_layer(nn::Elu<double>{}, elu(x), "Elu(1)");
  expect_layer(nn::Elu<double>{0.5}, elu(x, 0.5), "Elu(0.5)");
  expect_layer(nn::Gelu<double>{}, gelu(x), "Gelu");
  expect_layer(nn::Silu<double>{}, silu(x), "Silu");
  expect_layer(nn::Softplus<double>{}, softplus(x), "Softplus");
  expect_layer(nn::Softmax<double>{}, softmax(x), "Softmax");
  expect_layer(nn::LogSoftmax<double>{}, log_softmax(x), "LogSoftmax");
}

TEST_CASE("sigmoid and softmax are heads that a loss can leave out") {
  const std::vector<Tensor<double>> inputs{x};
  const nn::Sigmoid<double> s;
  CHECK(s.head() == nn::Head::sigmoid);
  CHECK(same_bits(s.logits(inputs).array(), x));
  const nn::Softmax<double> m;
  CHECK(m.head() == nn::Head::softmax);
  CHECK(same_bits(m.logits(inputs).array(), x));
  CHECK(nn::Relu<double>{}.head() == nn::Head::none);
  CHECK(nn::LogSoftmax<double>{}.head() == nn::Head::none);
}

TEST_CASE("those that keep y can be joined to the layer before") {
  CHECK(std::string(nn::Sigmoid<>{}.activation()->name) == "sigmoid");
  CHECK(std::string(nn::Relu<>{}.activation()->name) == "relu");
  CHECK(std::string(nn::Tanh<>{}.activation()->name) == "tanh");
  CHECK(nn::Gelu<>{}.activation() == nullptr);
  CHECK(nn::Softmax<>{}.activation() == nullptr);
}
