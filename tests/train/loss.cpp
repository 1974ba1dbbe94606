// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/train/loss.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using train::loss_named;

namespace {

const data::Layout targets{.inputs = {{3}}, .targets = {2}}, labels{.inputs = {{3}}, .labels = true};

/// Gives its input: what a loss says of it can be told from the op.
struct Identity final : nn::Layer<double> {
  Tensor<double> operator()(const Tensor<double>& x) const override { return x; }
};

const Array<double> y = numbers({5, 2}, 0.1, 0.9), t = numbers({5, 2}, 0.1, 0.9, 2);
const Array<std::int32_t> k{0, 1, 1, 0, 1};

double by_name(const char* name, const data::Layout& layout = targets) {
  train::Sample<double> s{.inputs = {y}, .targets = {}, .labels = {}, .options = {}};
  if (layout.labels)
    s.labels = k;
  else
    s.targets = t;
  return loss_named<double>(name, layout)(Identity(), s).loss.item();
}

}  // namespace

TEST_CASE("every loss by name is the op of that name") {
  CHECK(by_name("mse") == mse(y, t).item());
  CHECK(by_name("mae") == mae(y, t).item());
  CHECK(by_name("huber") == huber(y, t).item());
  CHECK(by_name("hinge") == hinge(y, t).item());
  CHECK(by_name("kl_divergence") == kl_divergence(y, t).item());
  CHECK(by_name("binary_cross_entropy") == binary_cross_entropy_of_probabilities(y, t).item());
  CHECK(by_name("binary_cross_entropy_from_logits") == binary_cross_entropy(y, t).item());
  CHECK(by_name("softmax_cross_entropy") == softmax_cross_entropy(y, t).item());
  CHECK(by_name("softmax_cross_entropy", labels) == softmax_cross_entropy(y, k).item());
}

TEST_CASE("cross-entropies leave the model's last sigmoid or softmax out: not a digit is lost") {
  const auto x = numbers({4, 2}, -60, 60);
  const nn::Sequential<double> sigmoid_net{Identity(), nn::Sigmoid<double>{}};
  train::Sample<double> s{
      .inputs = {x}, .targets = Tensor<double>(Array<double>(Shape{4, 2})), .labels = {}, .options = {}};
  const auto binary = loss_named<double>("binary_cross_entropy", targets)(sigmoid_net, s);
  CHECK(binary.left_out == nn::Head::sigmoid);
  CHECK(binary.threshold == 0);
  CHECK(same_bits(binary.output.array(), x));
  CHECK(binary.loss.item() == binary_cross_entropy(x, Array<double>(Shape{4, 2})).item());

  const nn::Sequential<double> softmax_net{Identity(), nn::Softmax<double>{}};
  s.targets = {}, s.labels = Array<std::int32_t>{0, 1, 0, 1};
  const auto classes = loss_named<double>("softmax_cross_entropy", labels)(softmax_net, s);
  CHECK(classes.left_out == nn::Head::softmax);
  CHECK(classes.loss.item() == softmax_cross_entropy(x, Array<std::int32_t>{0, 1, 0, 1}).item());

  s.labels = {}, s.targets = numbers({4, 2}, 0, 1);
  const auto squared = loss_named<double>("mse", targets)(sigmoid_net, s);
  CHECK(squared.left_out == nn::Head::none);
  CHECK(squared.threshold == 0.5);
  CHECK(same_bits(squared.output.array(), sigmoid(x).array()));
}

TEST_CASE("a loss that is not there, or does not fit the data") {
  CHECK(words<ValueError>([] { loss_named<float>("crossentropy", targets); }) ==
        "loss \"crossentropy\" is unknown; known are binary_cross_entropy, binary_cross_entropy_from_logits, "
        "softmax_cross_entropy, mse, mae, huber, hinge, kl_divergence");
  CHECK(words<ValueError>([] { loss_named<float>("mse", labels); }) ==
        "loss \"mse\": the data has class labels; it needs targets (or take softmax_cross_entropy)");
}
