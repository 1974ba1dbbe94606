// SPDX-License-Identifier: MIT
#include <gradus/nn/activation.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/nn/summary.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

TEST_CASE("the summary names layers, shapes and counts") {
  const nn::Sequential model{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1, {.bias = false}}, nn::Sigmoid{}};
  CHECK(nn::summary(model) ==
        "name  layer                  parameters    count\n"
        "      Sequential of 4                      \n"
        "0     Dense(2, 16)           [16, 2] [16]  48\n"
        "1     Relu                                 \n"
        "2     Dense(16, 1, no bias)  [1, 16]       16\n"
        "3     Sigmoid                              \n"
        "total 64 parameters\n");
}

TEST_CASE("the summary counts frozen parameters apart, and indents names by dots") {
  nn::Sequential model{nn::Sequential{nn::Dense{2, 3}}, nn::Dense{3, 1}};
  model[0].freeze();
  const std::string text = nn::summary(model);
  CHECK_THAT(text, ContainsSubstring("0.0   Dense(2, 3)"));
  CHECK_THAT(text, ContainsSubstring("total 13 parameters, 9 of them frozen\n"));
}
