// SPDX-License-Identifier: MIT
#include <string>

#include <gradus/core/sorted_order.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

TEST_CASE("indices by what they stand for, equal ones in their order") {
  const std::string text = "banana";
  const auto less = [&](Index a, Index b) { return text[std::size_t(a)] < text[std::size_t(b)]; };
  CHECK(detail::sorted_order(6, less) == std::vector<Index>{1, 3, 5, 0, 2, 4});
  CHECK(detail::sorted_order(1, less) == std::vector<Index>{0});
  CHECK(detail::sorted_order(0, less).empty());
}
