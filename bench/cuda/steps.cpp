// SPDX-License-Identifier: MIT
// bench_cuda_steps FILE.json: the time of a training step on a GPU, beside PyTorch's and JAX's.
#include "bench/cuda/steps.hpp"

#include <gradus/cuda.hpp>

int main(int argc, char** argv) { return bench::run(&bench::steps, argc, argv); }
