// SPDX-License-Identifier: MIT
#include "tests/cuda_check/planted.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("the mistakes that compute-sanitizer is tried with are mistakes, each of its kind") {
  emulate();
  for (const check::Planted& p : check::planted) {
    INFO(p.tool);
    device_findings();
    check::launch(p);
    std::string all;
    for (const auto& found : device_findings()) all += found + "\n";
    CHECK_THAT(all, ContainsSubstring(p.found));
  }
}
