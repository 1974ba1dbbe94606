// SPDX-License-Identifier: MIT
// Compiles: what the others do wrong, done right.
#include <utility>
#include <vector>

#include <gradus/gradus.hpp>

int main() {
  const gradus::Array<float> a{1, 2}, b{3, 4};
  const auto sum = a + b;
  const auto loss = gradus::mse(a, b);
  const auto adopted = gradus::Array<float>::adopt(std::vector<float>{1, 2}, {2});
  gradus::Tape tape;
}
