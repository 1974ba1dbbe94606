// SPDX-License-Identifier: MIT
// The same bits at any number of threads.
#pragma once

#include <cstring>

#include <gradus/core/array.hpp>
#include <gradus/core/parallel.hpp>

#include "tests/support/catch.hpp"

namespace gradus::test {

/// Checks that f(), an Array, has the same bits on 1, 2, 3 and 8 threads.
template <class F> void same_at_any_number_of_threads(const F& f) {
  set_threads(1);
  const auto expected = f();
  for (const int n : {2, 3, 8}) {
    set_threads(n);
    const auto got = f();
    INFO(n << " threads");
    REQUIRE(got.shape() == expected.shape());
    CHECK(std::memcmp(got.data(), expected.data(), got.bytes()) == 0);
  }
  set_threads(0);
}

}  // namespace gradus::test
