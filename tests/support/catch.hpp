// SPDX-License-Identifier: MIT
// Catch2 for the tests, version 3 or 2 (Debian 12 has 2.13).
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>  // it makes Approx known by itself
inline auto ContainsSubstring(const std::string& part) { return Catch::Matchers::Contains(part); }
#endif
