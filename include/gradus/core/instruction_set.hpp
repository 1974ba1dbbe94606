// SPDX-License-Identifier: MIT
// All units of a program are compiled for one instruction set. An inline function has one body in a program:
// where units differ the linker picks any, so that AVX-512 code runs where the author meant SSE2, or vectors
// of two widths meet. A mix is found before main() begins: one sentence on stderr, exit code 2.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <gradus/core/error.hpp>

namespace gradus::detail {
namespace {  // each unit has its own

/// What this unit is compiled for: the extensions that Eigen and our own kernels ask for.
constexpr std::string_view unit_features =
#if defined(__SSE2__) || defined(_M_X64)
    " SSE2"
#endif
#ifdef __SSE3__
    " SSE3"
#endif
#ifdef __SSSE3__
    " SSSE3"
#endif
#ifdef __SSE4_1__
    " SSE4.1"
#endif
#ifdef __SSE4_2__
    " SSE4.2"
#endif
#ifdef __AVX__
    " AVX"
#endif
#ifdef __F16C__
    " F16C"
#endif
#ifdef __FMA__
    " FMA"
#endif
#ifdef __AVX2__
    " AVX2"
#endif
#ifdef __AVX512F__
    " AVX512F"
#endif
#ifdef __AVX512DQ__
    " AVX512DQ"
#endif
#ifdef __AVX512BW__
    " AVX512BW"
#endif
#ifdef __AVX512VL__
    " AVX512VL"
#endif
#ifdef __AVX512BF16__
    " AVX512BF16"
#endif
#ifdef __AVX512FP16__
    " AVX512FP16"
#endif
#ifdef __ARM_NEON
    " NEON"
#endif
#ifdef __ARM_FEATURE_SVE
    " SVE"
#endif
#ifdef __VSX__
    " VSX"
#endif
#ifdef EIGEN_DONT_VECTORIZE
    " EIGEN_DONT_VECTORIZE"
#endif
    "";

}  // namespace

struct Unit {
  const char* file;
  std::string_view features;
};
inline constinit Unit first_unit{nullptr, {}};            // the first to start; all others should be like it
inline constinit const char* unoptimised_unit = nullptr;  // the first of these, for gradus::about()

/// Is `feature` in the list?
inline bool has_feature(std::string_view features, std::string_view feature) {
  for (auto at = features.find(feature); at != features.npos; at = features.find(feature, at + 1)) {
    const auto end = at + feature.size();
    if (at > 0 && features[at - 1] == ' ' && (end == features.size() || features[end] == ' ')) return true;
  }
  return false;
}
/// " A B", what of `features` is not in `other`.
inline std::string features_beyond(std::string_view features, std::string_view other) {
  std::string more;
  while (!features.empty()) {
    const auto word = features.substr(1, features.find(' ', 1) - 1);
    features.remove_prefix(word.size() + 1);
    if (!has_feature(other, word)) more.append(" ").append(word);
  }
  return more;
}
/// Empty where both are compiled alike, else the sentence.
inline std::string units_differ(const Unit& a, const Unit& b) {
  if (a.features == b.features) return "";
  const std::string more = features_beyond(b.features, a.features);
  const std::string less = features_beyond(a.features, b.features);
  return message(b.file, " and ", a.file, " are compiled for different instruction sets, the first",
                 more.empty() ? "" : " with", more, more.empty() || less.empty() ? "" : " and",
                 less.empty() ? "" : " without", less, "; give all units of a program the same -march");
}
inline bool start_unit(const char* file, std::string_view features, bool optimised) {
  const Unit unit{file, features};
  if (!first_unit.file) first_unit = unit;
  if (!optimised && !unoptimised_unit) unoptimised_unit = file;
  if (const std::string wrong = units_differ(first_unit, unit); !wrong.empty()) {
    std::fprintf(stderr, "gradus: %s\n", wrong.c_str());
    std::_Exit(2);  // nothing has begun that an orderly end would have to undo
  }
  return true;
}

namespace {

[[maybe_unused]] const bool unit_started = start_unit(
#ifdef __BASE_FILE__
    __BASE_FILE__,
#else
    __FILE__,
#endif
    unit_features,
#ifdef __OPTIMIZE__
    true
#else
    false
#endif
);

}  // namespace
}  // namespace gradus::detail
