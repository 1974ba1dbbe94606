// SPDX-License-Identifier: MIT
// That a program of two different units does not start is tested in tests/meta.
#include <string>

#include <gradus/core/instruction_set.hpp>

#include "tests/support/catch.hpp"

using namespace gradus::detail;

TEST_CASE("this program is of one piece") {
  CHECK(unit_started);
  CHECK(first_unit.file != nullptr);
  CHECK(first_unit.features == unit_features);
  CHECK(start_unit("another.cpp", unit_features, true));
  CHECK(first_unit.file != std::string("another.cpp"));
#ifndef __OPTIMIZE__
  CHECK(unoptimised_unit != nullptr);
#endif
}

TEST_CASE("a feature is a whole word") {
  CHECK(has_feature(" SSE2 AVX512F", "SSE2"));
  CHECK(has_feature(" SSE2 AVX512F", "AVX512F"));
  CHECK_FALSE(has_feature(" SSE2 AVX512F", "AVX512"));
  CHECK_FALSE(has_feature(" SSE2 AVX512F", "SE2"));
  CHECK_FALSE(has_feature(" SSSE3", "SSE3"));
  CHECK(has_feature(" SSSE3 SSE3", "SSE3"));
  CHECK_FALSE(has_feature("", "SSE2"));
  CHECK(features_beyond(" A B C", " B") == " A C");
  CHECK(features_beyond(" A", " A") == "");
}

TEST_CASE("the sentence about two units") {
  const Unit one{"one.cpp", " SSE2"}, two{"two.cpp", " SSE2 AVX FMA"}, three{"three.cpp", " SSE2 F16C"};
  CHECK(units_differ(one, one) == "");
  CHECK(units_differ(one, two) ==
        "two.cpp and one.cpp are compiled for different instruction sets, the first with AVX FMA; give all "
        "units of a program the "
        "same -march");
  CHECK(units_differ(two, one) ==
        "one.cpp and two.cpp are compiled for different instruction sets, the first without AVX FMA; give "
        "all units of a program "
        "the same -march");
  CHECK(units_differ(two, three) ==
        "three.cpp and two.cpp are compiled for different instruction sets, the first with F16C and without "
        "AVX FMA; give all "
        "units of a program the same -march");
}
