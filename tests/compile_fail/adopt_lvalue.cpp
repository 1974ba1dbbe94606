// expect: adopt takes what is moved into it
// SPDX-License-Identifier: MIT
// Adopting an owner that stays the caller's would alias it.
#include <vector>

#include <gradus/gradus.hpp>

int main() {
  std::vector<float> values{1, 2};
  const auto adopted = gradus::Array<float>::adopt(values, {2});
}
