// expect: the mean of whole numbers is none: convert with array.to<T>()
// SPDX-License-Identifier: MIT
// 1 / n of whole numbers is 0, and so would be every mean.
#include <gradus/gradus.hpp>

int main() {
  const gradus::Array<int> a = {1, 2};
  return gradus::mean(a).item();
}
