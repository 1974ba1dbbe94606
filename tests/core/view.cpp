// SPDX-License-Identifier: MIT
#include <type_traits>

#include <gradus/core/view.hpp>

#include "tests/support/catch.hpp"

using gradus::Shape;
using gradus::View;

// ops keep views, and the tape forgets ops without a visit
static_assert(std::is_trivially_copyable_v<View<float>> && std::is_trivially_destructible_v<View<float>>);

TEST_CASE("a view is numbers, shape and device") {
  const double numbers[] = {1, 2, 3, 4, 5, 6};
  const View<double> v{numbers, {2, 3}, {}};
  CHECK(v.size() == 6);
  CHECK(v.data[5] == 6);
  CHECK(v.device.is_cpu());
  CHECK(View<double>{}.size() == 1);  // a scalar whose number is nowhere
  CHECK(View<double>{}.data == nullptr);
}
