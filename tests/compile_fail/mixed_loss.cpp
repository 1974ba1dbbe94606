// expect: prediction and target of two scalar types: convert one
// SPDX-License-Identifier: MIT
// Targets of double (a CSV's, say) beside predictions of float.
#include <gradus/gradus.hpp>

int main() {
  const gradus::Array<float> y{1, 2};
  const gradus::Array<double> t{3, 4};
  const auto loss = gradus::mse(y, t);
}
