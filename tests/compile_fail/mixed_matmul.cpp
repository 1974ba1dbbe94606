// expect: operands of two scalar types: convert one
// SPDX-License-Identifier: MIT
// A product of float and double would convert in silence.
#include <gradus/gradus.hpp>

int main() {
  const gradus::Array<float> a{{1, 2}, {3, 4}};
  const gradus::Array<double> b{{1, 2}, {3, 4}};
  const auto product = gradus::matmul(a, b);
}
