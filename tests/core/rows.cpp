// SPDX-License-Identifier: MIT
#include <vector>

#include <gradus/core/rows.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

TEST_CASE("gathered rows are the rows named, of any width, and nothing beyond them") {
  const std::vector<std::int32_t> rows = {2, 0, 2, 4};
  for (Index width = 0; width <= 9; ++width) {
    std::vector<double> table(std::size_t(5 * width)), to(std::size_t(4 * width) + 1, -1);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = double(i);
    detail::gather_rows({to.data(), table.data(), width * 8}, rows);
    bool equal = to.back() == -1;
    for (Index i = 0; i < 4; ++i)
      for (Index k = 0; k < width; ++k)
        equal &= to[std::size_t(i * width + k)] == double(rows[std::size_t(i)] * width + k);
    CHECK(equal);
  }
}
