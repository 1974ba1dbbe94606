// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/dense.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// x·Wᵀ + b in plain loops.
Array<double> by_loops(const Array<double>& x, const Array<double>& w, const Array<double>& b) {
  const Index rows = x.shape().rows(), N = w.shape()[0], K = w.shape()[1];
  Array<double> y(x.shape().with(x.rank() - 1, N));
  for (Index r = 0; r < rows; ++r)
    for (Index n = 0; n < N; ++n) {
      double sum = b.size() ? b(n) : 0;
      for (Index k = 0; k < K; ++k) sum += x.data()[r * K + k] * w(n, k);
      y.mutable_data()[r * N + n] = sum;
    }
  return y;
}
void check_near(const Array<double>& a, const Array<double>& b) {
  REQUIRE(a.shape() == b.shape());
  for (Index i = 0; i < a.size(); ++i) CHECK(std::abs(a.data()[i] - b.data()[i]) < 1e-13);
}

}  // namespace

TEST_CASE("dense computes x·Wᵀ + b along the last axis, for any number of rows") {
  nn::Dense<double> layer(3, 5);
  layer.bias.set_value(numbers({5}));
  for (const Shape& shape : {Shape{1, 3}, Shape{7, 3}, Shape{33, 3}, Shape{3}, Shape{2, 4, 3}, Shape{0, 3}}) {
    const auto x = numbers(shape, -2, 2, 7);
    check_near(layer(x).array(), by_loops(x, layer.weight.value(), layer.bias.value()));
  }
}

TEST_CASE("dense begins with Glorot's weights [out, in] and a bias of zeros") {
  const nn::Dense layer(4, 2);
  CHECK(layer.weight.shape() == Shape{2, 4});
  CHECK(layer.bias.value() == Array<float>{0, 0});
  for (const float w : layer.weight.value().values()) CHECK(std::abs(w) <= std::sqrt(6.f / 6));
  const nn::Dense same(4, 2),
      other(4, 2, {.weight_init = nn::init::ones, .bias_init = nn::init::constant(3)});
  CHECK(same.weight.value() == layer.weight.value());
  CHECK(other.weight.value() == ones<float>({2, 4}));
  CHECK(other.bias.value() == Array<float>{3, 3});
}

TEST_CASE("dense without a bias") {
  const nn::Dense<double> layer(3, 2, {.bias = false});
  const auto x = numbers({4, 3});
  check_near(layer(x).array(), by_loops(x, layer.weight.value(), {}));
  REQUIRE(layer.named_parameters().size() == 1);
  CHECK(layer.named_parameters()[0].name == "weight");
  CHECK(layer.describe() == "Dense(3, 2, no bias)");
}

TEST_CASE("dense gives its gradients to weight, bias and input") {
  const nn::Dense<double> layer(3, 2);
  const auto x = numbers({4, 3}), weight = numbers({4, 2}, 0.5, 1.5, 3);
  Tape tape;
  const auto v = tape.variable(x);
  tape.backward(sum(layer(v) * weight));  // L = Σ G·Y: dW = Gᵀ·X, db = Σ G, dX = G·W
  for (Index n = 0; n < 2; ++n) {
    double db = 0;
    for (Index r = 0; r < 4; ++r) db += weight(r, n);
    CHECK(layer.bias.gradient()(n) == Approx(db).epsilon(1e-14));
    for (Index k = 0; k < 3; ++k) {
      double dw = 0;
      for (Index r = 0; r < 4; ++r) dw += weight(r, n) * x(r, k);
      CHECK(layer.weight.gradient()(n, k) == Approx(dw).margin(1e-14));
    }
  }
  for (Index r = 0; r < 4; ++r)
    for (Index k = 0; k < 3; ++k)
      CHECK(tape.gradient(v)(r, k) ==
            Approx(weight(r, 0) * layer.weight.value()(0, k) + weight(r, 1) * layer.weight.value()(1, k))
                .margin(1e-14));
}

TEST_CASE("dense joined with an activation is dense and then the activation") {
  const nn::Dense<double> layer(6, 5);
  const auto x = numbers({9, 6}, -3, 3);
  const nn::Relu<double> relu_layer;
  const nn::Sigmoid<double> sigmoid_layer;
  const nn::Tanh<double> tanh_layer;
  LinearLayer<double> joined{};
  Index columns = 6;
  REQUIRE(layer.joins(joined, x.shape(), columns));
  CHECK(columns == 5);
  CHECK(joined.weight == &layer.weight);
  CHECK(joined.bias == &layer.bias);
  for (const nn::Layer<double>* a : {static_cast<const nn::Layer<double>*>(&relu_layer),
                                     static_cast<const nn::Layer<double>*>(&sigmoid_layer),
                                     static_cast<const nn::Layer<double>*>(&tanh_layer)}) {
    joined.activation = a->activation();
    REQUIRE(joined.activation);
    check_near(linear(Tensor<double>(x), &joined, 1).array(), (*a)(layer(x)).array());
  }
}

TEST_CASE("copies of a dense layer are deep") {
  nn::Dense<double> layer(2, 2);
  const nn::Dense<double> copy = layer;
  layer.weight.set_value(Array<double>(Shape{2, 2}));
  CHECK_FALSE(copy.weight.value() == layer.weight.value());
}

TEST_CASE("what does not fit a dense layer is refused in words") {
  CHECK(words<ValueError>([] { nn::Dense(0, 3); }) == "Dense(0, 3): sizes must be at least 1");
  CHECK(words<ValueError>([] { nn::Dense(3, -1); }) == "Dense(3, -1): sizes must be at least 1");
  const nn::Dense<double> layer(3, 2);
  CHECK(words<ShapeError>([&] {
          layer(Array<double>(Shape{4, 2}));
        }) == "Dense(3, 2): x is [4, 2]; its last axis must be 3");
  CHECK(words<ShapeError>([&] { layer(Array<double>(Shape{})); }) ==
        "Dense(3, 2): x is []; its last axis must be 3");
}
