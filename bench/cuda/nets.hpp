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
      {{{2, 16, 1}, 32, 16384, 1e-3}, {{strict, 10}}},
      {{{784, 128, 10}, 64, 512}, {{strict, 20}}},
      {{{784, 512, 512, 10}, 256, 128}, {{strict, 55}, {tf32, 38}, {bf16, 32}}},
      {{.widths = std::vector<Index>(5, 1024), .batch = 1024, .batches = 64, .loss = "mse"},
       {{strict, 650}, {tf32, 150}, {bf16, 100}}},
      {{.widths = std::vector<Index>(9, 4096),
        .batch = 8192,
        .batches = 4,
        .learning_rate = 1e-5,
        .loss = "mse"},
       {{bf16, 9400}}}};
  if (quick)
    for (GpuSetup& s : all) {
      static_cast<Setup&>(s) = s.quick();
      for (Wanted& w : s.wanted) w.microseconds = 0;
    }
  return all;
}

}  // namespace bench
