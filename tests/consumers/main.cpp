// SPDX-License-Identifier: MIT
// A user's program: trains one neuron and prints what it learned.
#include <cstdio>

#include <gradus/gradus.hpp>

int main() {
  auto [train, test] = gradus::data::two_moons(200).split(0.8);
  gradus::nn::Sequential model{gradus::nn::Dense{2, 1}, gradus::nn::Sigmoid{}};
  gradus::fit(model, train, {.loss = "binary_cross_entropy", .epochs = 2});
  std::printf("gradus %s\n", GRADUS_VERSION);
}
