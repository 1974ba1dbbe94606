// SPDX-License-Identifier: MIT
// The nets whose steps are timed on a GPU, and how long these may take there.
#pragma once

#include "bench/cuda/report.hpp"
#include "bench/train/nets.hpp"

namespace bench {

struct Wanted {
  Precision precision;
  double microseconds;
};

struct GpuSetup : Setup {
  std::vector<Wanted> wanted;
};

inline const char* word(Precision p) {
  constexpr const char* words[] = {"strict", "tf32", "bf16"};
  return words[int(p)];
}
inline std::string row_name(const Setup& s, Precision p) { return message(s.name(), " ", word(p)); }

/// `quick`: the same nets, small.
inline std::vector<GpuSetup> gpu_setups(bool quick) {
  using enum Precision;
  std::vector<GpuSetup> all{
      {{{2, 16, 1}, "binary_cross_entropy_from_logits", 1e-3, 32, 16384}, {{strict, 10}}},
      {{{784, 128, 10}, "softmax_cross_entropy", 1e-4, 64, 512}, {{strict, 20}}},
      {{{784, 512, 512, 10}, "softmax_cross_entropy", 1e-4, 256, 128},
       {{strict, 55}, {tf32, 38}, {bf16, 32}}},
      {{std::vector<Index>(5, 1024), "mse", 1e-4, 1024, 64}, {{strict, 650}, {tf32, 150}, {bf16, 100}}},
      {{std::vector<Index>(9, 4096), "mse", 1e-5, 8192, 4}, {{bf16, 9400}}}};
  if (quick)
    for (GpuSetup& s : all) {
      static_cast<Setup&>(s) = s.quick();
      for (Wanted& w : s.wanted) w.microseconds = 0;
    }
  return all;
}

}  // namespace bench
