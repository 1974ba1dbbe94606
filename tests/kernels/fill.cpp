// SPDX-License-Identifier: MIT
#include <gradus/core/array.hpp>
#include <gradus/kernels/fill.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

TEST_CASE("fill assigns, and adds to a gradient that was written") {
  for (const Index n : {0, 1, 17}) {
    Array<float> memory(Shape{n});
    Gradient g{memory.mutable_data(), {n}, {}};
    const Sink<float> forward{memory.mutable_data(), {n}, {}}, gradient{memory.mutable_data(), {n}, {}, &g};
    kernels::fill(forward, 3.0f);
    kernels::fill(forward, 2.0f);
    CHECK((n == 0 || memory(n - 1) == 2));
    kernels::fill(gradient, 5.0f);
    kernels::fill(gradient, 1.0f);
    CHECK((n == 0 || memory(n - 1) == 6));
  }
}
