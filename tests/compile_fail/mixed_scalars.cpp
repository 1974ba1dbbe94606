// expect: operands of two scalar types: convert one
// SPDX-License-Identifier: MIT
// float + double has no obvious type: the user says which.
#include <gradus/gradus.hpp>

int main() {
  const gradus::Array<float> a{1, 2};
  const gradus::Array<double> b{3, 4};
  const auto sum = a + b;
}
