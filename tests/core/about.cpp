// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <string>

#include <gradus/about.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;

namespace {
const std::string sse = " SSE2 SSE3", avx2 = " SSE2 SSE3 AVX FMA AVX2", avx512 = avx2 + " AVX512F AVX512DQ";
}

TEST_CASE("about says what this program is") {
  const std::string text = about();
  CHECK_THAT(text, ContainsSubstring("gradus " GRADUS_VERSION ", Eigen " + detail::eigen_version() + ", "));
#if defined(__clang__)
  CHECK_THAT(text, ContainsSubstring(", clang " + std::to_string(__clang_major__) + "."));
#else
  CHECK_THAT(text, ContainsSubstring(", g++ " + std::to_string(__GNUC__) + "."));
#endif
  CHECK_THAT(text, ContainsSubstring("\nSIMD: built for " + detail::simd_name(detail::unit_features)));
  CHECK_THAT(text, ContainsSubstring("\nthreads: " + std::to_string(threads())));
  CHECK_THAT(text, ContainsSubstring("\ndevices: cpu\n"));
  CHECK_THAT(text, ContainsSubstring("\n         fake\n"));
  CHECK_THAT(text, ContainsSubstring(detail::unoptimised_unit ? ", not optimised\n" : ", optimised\n"));
  CHECK(text.back() == '\n');
#ifdef __AVX512F__
  CHECK(detail::simd_name(detail::unit_features) == "AVX-512");
#endif
}

TEST_CASE("about says why a device cannot be used") {
  fake::broken = true;
  const std::string text = about();
  fake::broken = false;
  CHECK_THAT(text, ContainsSubstring("\n         fake: no usable device: the test says so\n"));
}

TEST_CASE("about does not throw where the environment is wrong") {
  detail::thread_count.store(0);
  ::setenv("GRADUS_NUM_THREADS", "many", 1);
  const std::string text = about();
  ::unsetenv("GRADUS_NUM_THREADS");
  CHECK_THAT(text, ContainsSubstring("\nthreads: GRADUS_NUM_THREADS: \"many\" should be a whole number"));
}

#if defined(__x86_64__)
TEST_CASE("the rate of multiply-adds is measured") {
  const int level = detail::simd_level(detail::processor_features());
  REQUIRE(level >= 1);
  const double narrow = detail::float_peak(1), wide = detail::float_peak(level);
  CHECK(narrow > 1e8);  // one multiply-add in some fifty cycles
  CHECK(wide < 1e13);
  CHECK(detail::float_peak(0) == 0);  // without vectors nobody knows
  CHECK_THAT(about(), ContainsSubstring(" GFLOP/s a thread), the processor offers "));
}
#endif

TEST_CASE("the widest vectors") {
  using detail::simd_name;
  CHECK(simd_name("") == "no SIMD");
  CHECK(simd_name(" SSE2") == "SSE2");
  CHECK(simd_name(" SSE2 SSE3 SSSE3 SSE4.1 SSE4.2") == "SSE4.2");
  CHECK(simd_name(" SSE2 SSE4.2 AVX") == "AVX");
  CHECK(simd_name(" SSE2 SSE4.2 AVX AVX2") == "AVX");
  CHECK(simd_name(avx2) == "AVX2 and FMA");
  CHECK(simd_name(avx512) == "AVX-512");
  CHECK(simd_name(" NEON") == "NEON");
  CHECK(simd_name(avx512 + " EIGEN_DONT_VECTORIZE") == "no SIMD");
}

TEST_CASE("a program that was built for less than the machine can") {
  using detail::advice;
  CHECK(advice(avx2, avx2, nullptr, 1) == "");
  CHECK(advice(avx512, avx2, nullptr, 0.5) == "");
  CHECK(advice(sse, "", nullptr, 0) == "");  // nobody knows the processor
  const std::string start =
      "This program was built for SSE2, the processor offers AVX-512: build with -march=native";
  CHECK(advice(sse, avx512, nullptr, 0) == start + ".\n");  // not measured
  CHECK(advice(sse, avx512, nullptr, 1.02) == start + ".\n");
  CHECK(advice(sse, avx512, nullptr, 3.96) ==
        start + ", which multiplies and adds 4.0 times as fast here.\n");
  CHECK(advice(sse, avx512, nullptr, 12.34) ==
        start + ", which multiplies and adds 12.3 times as fast here.\n");
  CHECK(advice(avx2, avx2, "main.cpp", 1) ==
        "main.cpp was built without optimisation: build with -O2 or -O3 (CMake: -DCMAKE_BUILD_TYPE=Release) "
        "to run "
        "many times faster.\n");
}
