// SPDX-License-Identifier: MIT
// gradus in a file that nvcc compiles, and a kernel of the user's own on its arrays. Without a GPU the net trains on
// the CPU, and the kernel is compiled only.
#include <cstdio>

#include <gradus/cuda.hpp>

using namespace gradus;

__global__ void twice(float* y, const float* x, long n) {
  const long i = blockIdx.x * long(blockDim.x) + threadIdx.x;
  if (i < n) y[i] = 2 * x[i];
}

int main() {
  const auto device = Device::choose("auto");
  std::printf("%s\n", device.reason.c_str());
  nn::Sequential model{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}, nn::Sigmoid{}};
  const auto moons = data::two_moons(400, {.noise = 0.1, .seed = 7});
  const auto history = fit(model, moons, {.loss = "binary_cross_entropy",
                                          .optimizer = optim::Adam{.learning_rate = 0.02},
                                          .epochs = 40,
                                          .metrics = {"accuracy"},
                                          .verbose = Verbose::silent});
  if (!(history["accuracy"].back() > 0.9)) return 1;
  if (device.device.is_cpu()) return 0;

  const auto x = arange<float>(1000).to(device.device);
  auto y = Array<float>::uninitialized(x.shape(), device.device);
  twice<<<4, 256, 0, cuda::stream(device.device)>>>(y.mutable_data(), x.data(), long(x.size()));
  const auto z = sum(y - x * 2.0).array();  // in the order of the calls
  return z.item() == 0 ? 0 : 1;
}
