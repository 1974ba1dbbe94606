// SPDX-License-Identifier: MIT
// A user's program that may use a GPU: it runs everywhere, and says what it found.
#include <cstdio>

#include <gradus/cuda/driver.hpp>
#include <gradus/version.hpp>

int main() {
  std::printf("gradus %s\n", GRADUS_VERSION);
  try {
    gradus::cuda::library<gradus::cuda::Driver>();
    std::puts("cuda: the driver is here");
  } catch (const gradus::DeviceError& error) { std::puts(error.what()); }
}
