// SPDX-License-Identifier: MIT
#include "tests/cuda/texts.hpp"
#include "tests/support/catch.hpp"

TEST_CASE("every text compiles for every GPU") { gradus::test::texts::expect_all_to_compile(true); }
