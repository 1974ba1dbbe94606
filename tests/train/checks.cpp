// SPDX-License-Identifier: MIT
#include <gradus/train/checks.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using train::loss_named;

TEST_CASE("targets outside a loss' range are refused before anything is learnt from them") {
  const auto expect = [](const char* name, std::initializer_list<double> values) {
    Array<double> v(Shape{Index(values.size()), 1});
    std::copy(values.begin(), values.end(), v.mutable_data());
    const data::Dataset<double> d(Array<double>(v.shape()), v);
    return words<ValueError>([&] { train::expect_targets(loss_named<double>(name, d.layout()), d); });
  };
  CHECK(expect("binary_cross_entropy", {0, 1, -1}) ==
        "loss \"binary_cross_entropy\": the target of row 2 is -1; it must be within 0 and 1");
  CHECK(expect("binary_cross_entropy_from_logits", {0, 1.5}) ==
        "loss \"binary_cross_entropy_from_logits\": the target of row 1 is 1.5; it must be within 0 and 1");
  CHECK(expect("hinge", {1, 0}) == "loss \"hinge\": the target of row 1 is 0; it must be -1 or 1");
  CHECK(expect("hinge", {1, -1}) == "no exception");
  CHECK(expect("binary_cross_entropy", {0, 0.25, 1, NAN}) == "no exception");  // fit() says where NaN is
  CHECK(expect("mse", {-5, 7}) == "no exception");
}

TEST_CASE("validation data that the model could not be scored on is refused before training") {
  const auto refused = [](const data::Layout& validation, const data::Layout& training) {
    return words<Error>([&] { train::expect_alike(validation, training); });
  };
  const data::Layout points{.inputs = {{2}}, .targets = {1}};
  CHECK(refused(points, points) == "no exception");
  CHECK(refused({.inputs = {{2}, {1}}, .targets = {1}}, points) ==
        "fit: the validation data has 2 inputs, the training data 1");
  CHECK(refused({.inputs = {{3}}, .targets = {1}}, points) ==
        "fit: input 0 of a validation sample is [3], of a training sample [2]");
  CHECK(refused({.inputs = {{2}}, .labels = true}, points) ==
        "fit: the validation data has labels, the training data targets");
  CHECK(refused({.inputs = {{2}}, .targets = {4}}, points) ==
        "fit: the target of a validation sample is [4], of a training sample [1]");
}
