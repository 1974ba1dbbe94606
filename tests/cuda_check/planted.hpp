// SPDX-License-Identifier: MIT
// Four kernels with a mistake, one for each tool of compute-sanitizer: a tool that does not find its mistake has seen
// nothing. The emulator must find them too.
#pragma once

#include <string>

#include <gradus/cuda.hpp>

namespace gradus::check {

/// y and x have n = 256 numbers, and there are as many threads; what the emulator says of it.
struct Planted {
  const char *tool, *body, *found;
};
inline constexpr Planted planted[] = {
    {"memcheck", "  if (gradus_thread() == 0) y[n] = x[0];\n", "writes global memory out of bounds"},
    {"racecheck",
     "  __shared__ float s[256];\n  s[threadIdx.x] = x[threadIdx.x];\n  y[threadIdx.x] = s[255 - "
     "threadIdx.x];\n",
     "reads shared memory that thread"},
    {"initcheck", "  y[threadIdx.x] = y[threadIdx.x] + x[threadIdx.x];\n",
     "reads uninitialised global memory"},
    {"synccheck", "  if (threadIdx.x < 100) __syncthreads();\n  y[threadIdx.x] = x[threadIdx.x];\n",
     "__syncthreads() after 156 threads have returned"}};

/// Throws DeviceError where the GPU has stopped at the mistake, as it does under memcheck.
inline void launch(const Planted& p) {
  const Device device("cuda");
  cuda::Gpu& gpu = cuda::device(0).gpu();
  const auto x = ones<float>({256}).to(device);
  auto y = Array<float>::uninitialized({256}, device);
  cuda::Kernel& kernel = gpu.modules.get({p.body, 0}, "gradus_planted", [&] {
    return detail::message(cuda::number_text(Dtype::f32),
                           "GRADUS_KERNEL gradus_planted(float* y, const float* x, Index n) {\n", p.body,
                           "}\n");
  });
  float* const to = y.mutable_data();
  const float* const from = x.data();
  const Index n = x.size();
  cuda::Arguments a;
  a << to << from << n;
  a.launch(gpu, kernel, {1});
  gpu.context.synchronize();
}

}  // namespace gradus::check
