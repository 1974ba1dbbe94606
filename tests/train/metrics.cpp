// SPDX-License-Identifier: MIT
#include <gradus/train/metrics.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

const data::Layout targets{.inputs = {{1}}, .targets = {1}}, labels{.inputs = {{1}}, .labels = true};

double metric(const char* name, const Array<double>& y, const Array<double>& t, double threshold = 0.5,
              nn::Head left_out = nn::Head::none) {
  const train::Scored<double> s{y.view(), t.view(), {}, threshold, left_out};
  return train::metric_named<double>(name, targets).of(s).value();
}

const Array<double> y{{0.9}, {0.5}, {0.2}, {0.7}, {0.6}}, t{{1}, {1}, {0}, {0}, {1}};

}  // namespace

TEST_CASE("binary accuracy: above ½, strictly, as the target is") {
  CHECK(metric("accuracy", y, t) == 3.0 / 5);  // 0.5 is no "yes"
  CHECK(metric("accuracy", Array<double>{{2}, {0}, {-1}}, Array<double>{{1}, {1}, {0}}, 0) ==
        2.0 / 3);  // logits
}

TEST_CASE("precision and recall") {
  CHECK(metric("precision", y, t) == 2.0 / 3);
  CHECK(metric("recall", y, t) == 2.0 / 3);
  const Array<double> never{{0.1}, {0.1}, {0.1}, {0.1}, {0.1}};
  CHECK(metric("precision", never, t) == 0);  // of nothing: 0, as Keras says
  CHECK(metric("recall", never, t) == 0);
}

TEST_CASE("the accuracy of classes, by labels and by distributions") {
  const Array<double> scores{{1, 3, 2}, {5, 4, 0}, {0, 0, 0}, {-3, -2, -1}};
  const Array<std::int32_t> k{1, 1, 0, 2};
  const train::Scored<double> s{scores.view(), {}, k.view(), 0.5, nn::Head::none};
  CHECK(train::metric_named<double>("accuracy", labels).of(s).value() == 0.75);
  const Array<double> one_hot{{0, 1, 0}, {0, 1, 0}, {1, 0, 0}, {0, 0, 1}};
  CHECK(metric("accuracy", scores, one_hot) == 0.75);
}

TEST_CASE("mse and mae") {
  CHECK(metric("mse", Array<double>{{1, 2}, {3, 4}}, Array<double>{{1, 0}, {0, 4}}) == 13.0 / 4);
  CHECK(metric("mae", Array<double>{{1, 2}, {3, 4}}, Array<double>{{1, 0}, {0, 4}}) == 5.0 / 4);
}

TEST_CASE("errors are of the model's output, also where the loss works on logits") {
  const double p = 1 / (1 + std::exp(-2.0));
  CHECK(metric("mae", Array<double>{{2}}, Array<double>{{1}}, 0, nn::Head::sigmoid) ==
        Approx(1 - p).epsilon(1e-14));
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(-1.0);
  CHECK(metric("mse", Array<double>{{1, 2, -1}}, Array<double>{{0, 0, 0}}, 0, nn::Head::softmax) ==
        Approx((std::exp(2.0) + std::exp(4.0) + std::exp(-2.0)) / sum / sum / 3).epsilon(1e-14));
  CHECK(metric("mae", Array<double>{{1000, -1000}}, Array<double>{{1, 0}}, 0, nn::Head::softmax) == 0);
}

TEST_CASE("tallies add up over batches of different sizes") {
  train::Tally a{1, 2};
  a += {3, 3};
  CHECK(a.value() == 0.8);
  CHECK(train::Tally{}.value() == 0);
}

TEST_CASE("a metric that is not there, or needs targets") {
  CHECK(words<ValueError>([] { train::metric_named<float>("acc", targets); }) ==
        "metric \"acc\" is unknown; known are accuracy, precision, recall, mse, mae");
  CHECK(words<ValueError>([] { train::metric_named<float>("mse", labels); }) ==
        "metric \"mse\": the data has class labels; it needs targets");
}
