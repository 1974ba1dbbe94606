// SPDX-License-Identifier: MIT
// bench_cuda_kernels FILE.json: how near element-wise kernels and reductions come to the rate of a copy.
#include "bench/cuda/kernels.hpp"

int main(int argc, char** argv) { return bench::run(&bench::kernel_rates, argc, argv); }
