// SPDX-License-Identifier: MIT
// gradus::about(): what this program was built with, what the machine offers, and what is lost between the
// two.
#pragma once

#ifndef EIGEN_NO_CUDA
#define EIGEN_NO_CUDA
#endif
#include <string>
#include <string_view>

#include <Eigen/Core>

#include <gradus/core/device.hpp>
#include <gradus/core/instruction_set.hpp>
#include <gradus/core/parallel.hpp>
#include <gradus/core/peak.hpp>
#include <gradus/cpu/gemm_library.hpp>
#include <gradus/version.hpp>

namespace gradus {
namespace detail {

// Templates of nothing, here and below: only a program that calls about() compiles them.

template <int = 0> std::string compiler() {
#if defined(__clang__)
  return message("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#elif defined(__GNUC__)
  return message("g++ ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#else
  return "an unknown compiler";
#endif
}

template <int = 0> std::string eigen_version() {
#ifdef EIGEN_VERSION_STRING  // since 5
  return EIGEN_VERSION_STRING;
#else
  return message(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION);
#endif
}

/// The processor's extensions, as far as the operating system lets them be used; empty where nobody knows.
template <int = 0> std::string processor_features() {
  std::string features;
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse2")) features += " SSE2";
  if (__builtin_cpu_supports("sse4.2")) features += " SSE4.2";
  if (__builtin_cpu_supports("avx")) features += " AVX";
  if (__builtin_cpu_supports("fma")) features += " FMA";
  if (__builtin_cpu_supports("avx2")) features += " AVX2";
  if (__builtin_cpu_supports("avx512f")) features += " AVX512F";
#elif defined(__aarch64__)
  features += " NEON";
#endif
  return features;
}

/// The widest vectors that the features amount to: 0, none, to 4.
template <int = 0> int simd_level(std::string_view features) {
  const auto has = [&](std::string_view feature) { return has_feature(features, feature); };
  if (has("EIGEN_DONT_VECTORIZE")) return 0;
  if (has("AVX512F")) return 4;
  if (has("AVX2") && has("FMA")) return 3;
  if (has("AVX")) return 2;
  return has("SSE2") || has("NEON") || has("VSX") ? 1 : 0;
}
template <int = 0> std::string simd_name(std::string_view features) {
  constexpr const char* names[] = {"no SIMD", "SSE2", "AVX", "AVX2 and FMA", "AVX-512"};
  const int level = simd_level(features);
  if (level == 1 && has_feature(features, "NEON")) return "NEON";
  if (level == 1 && has_feature(features, "VSX")) return "VSX";
  return level == 1 && has_feature(features, "SSE4.2") ? "SSE4.2" : names[level];
}

/// What keeps the program from the machine's full speed, a sentence a line; mostly nothing. `factor`: how many
/// times as fast multiply-adds are with what the processor offers; 0: not measured.
template <int = 0> std::string advice(std::string_view built_for, std::string_view processor,
                                      const char* unoptimised, double factor) {
  std::string lines;
  if (simd_level(built_for) < simd_level(processor)) {
    lines = "This program was built for " + simd_name(built_for) + ", the processor offers " +
            simd_name(processor) + ": build with -march=native";
    if (factor > 1.05) {
      const int tenths = static_cast<int>(10 * factor + 0.5);
      lines += message(", which multiplies and adds ", tenths / 10, ".", tenths % 10, " times as fast here");
    }
    lines += ".\n";
  }
  if (unoptimised)
    lines += message(unoptimised, " was built without optimisation: build with -O2 or -O3 ",
                     "(CMake: -DCMAKE_BUILD_TYPE=Release) to run many times faster.\n");
  return lines;
}

}  // namespace detail

/// A few lines for a bug report, or for who wonders about speed: version, compiler, the SIMD instructions
/// that were compiled in and those that the processor offers, each with the rate of multiply-adds that is
/// measured now (a millisecond), threads, the library that large products are left to, if any, devices (and
/// why not), and what to build otherwise. Every line ends in a newline.
template <int = 0> std::string about() {
  const std::string_view built_for = detail::first_unit.features;
  const std::string processor = detail::processor_features();
  std::string text =
      detail::message("gradus ", GRADUS_VERSION, ", Eigen ", detail::eigen_version(), ", ",
                      detail::compiler(), detail::unoptimised_unit ? ", not optimised" : ", optimised");
  const int level = detail::simd_level(built_for), most = detail::simd_level(processor);
  const double peak = detail::float_peak(level), offered = most == level ? peak : detail::float_peak(most);
  const auto rate = [](double x) {
    return x > 0 ? detail::message(" (", static_cast<int>(1e-9 * x + 0.5), " GFLOP/s a thread)") : "";
  };
  text += "\nSIMD: built for " + detail::simd_name(built_for) + rate(peak) + ", the processor offers " +
          (processor.empty() ? "what its documents say" : detail::simd_name(processor) + rate(offered));
  try {
    text +=
        detail::message("\nthreads: ", threads(), " (usable processors: ", detail::usable_processors(), ")");
  } catch (const Error& e) { text += detail::message("\nthreads: ", e.what()); }
#ifdef GRADUS_GEMM_LIBRARY
  text += "\nlarge products: " GRADUS_GEMM_LIBRARY;
#endif
  text += "\ndevices: cpu";
  for (auto* kind = DeviceKind::first; kind; kind = kind->next) {
    const std::string why_not = kind->why_not(0);
    std::string lines = !why_not.empty() ? why_not : kind->about ? kind->about() : kind->name;
    for (auto at = lines.find('\n'); at != lines.npos; at = lines.find('\n', at + 1))
      lines.insert(at + 1, "         ");
    text += "\n         " + lines;
  }
  return text + "\n" +
         detail::advice(built_for, processor, detail::unoptimised_unit, peak > 0 ? offered / peak : 0);
}

}  // namespace gradus
