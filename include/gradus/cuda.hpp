// SPDX-License-Identifier: MIT
// gradus with NVIDIA GPUs: still plain C++, nothing linked. The toolkit's headers are needed to compile it;
// the driver, NVRTC and cublasLt to use a GPU, and on a machine without them the program runs on the CPU.
#pragma once

#include <gradus/cuda/device.hpp>
#include <gradus/gradus.hpp>

namespace gradus::cuda {

/// fit() lets a GPU repeat its steps by itself.
inline const bool repeats = (train::make_repetition<float> = &train::make_repeater<float>,
                             train::make_repetition<double> = &train::make_repeater<double>, true);

}  // namespace gradus::cuda
