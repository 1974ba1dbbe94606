// SPDX-License-Identifier: MIT
// bench_cuda_cudnn FILE.json: layers of a sigmoid net and softmax, by cuDNN and by what gradus uses.
#include "bench/cuda/cudnn.hpp"

int main(int argc, char** argv) { return bench::run(&bench::cudnn_trial, argc, argv); }
