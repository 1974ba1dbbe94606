// SPDX-License-Identifier: MIT
// What gradus::about() says of GPUs and of the libraries that they need.
#pragma once

#include <gradus/cuda/context.hpp>

namespace gradus::cuda {

/// cuDNN, which is optional: layers to come (convolution, pooling) are its.
struct Cudnn {
  std::size_t (*GetVersion)() = nullptr;
  static std::string file() { return "libcudnn.so.9"; }
  static std::string remedy() { return "it is optional"; }
  template <class F> void each(const F& slot) { slot("cudnnGetVersion", GetVersion); }
};

inline std::string version_words(long version, long major, long minor) {
  return detail::message(version / major, ".", version % major / minor);
}

/// "cuda:0 (NVIDIA H200), compute capability 9.0, 132 multiprocessors, 139 GiB", a line for each GPU, and one
/// for the libraries. Only where why_not(0) is empty.
inline std::string about() {
  const auto& driver = library<Driver>();
  std::string text;
  int devices = 0, version = 0, major = 0, minor = 0;
  driver.DeviceGetCount(&devices);
  for (int i = 0; i < devices; ++i) {
    CUdevice device = 0;
    char name[256] = {};
    std::size_t bytes = 0;
    int processors = 0;
    driver.DeviceGet(&device, i);
    driver.DeviceGetName(name, sizeof name - 1, device);
    driver.DeviceTotalMem(&bytes, device);
    driver.DeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
    driver.DeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    driver.DeviceGetAttribute(&processors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
    text += detail::message("cuda:", i, " (", name, "), compute capability ", major, ".", minor, ", ",
                            processors, " multiprocessors, ", bytes >> 30, " GiB\n");
  }
  driver.DriverGetVersion(&version);
  library<Nvrtc>().Version(&major, &minor);
  text += detail::message("CUDA: driver ", version_words(version, 1000, 10), ", NVRTC ", major, ".", minor,
                          ", cublasLt ", version_words(long(library<CublasLt>().GetVersion()), 10000, 100),
                          ", cuDNN ");
  try {
    return text + version_words(long(library<Cudnn>().GetVersion()), 10000, 100) + " (not used yet)";
  } catch (const DeviceError&) { return text + "not found (not needed yet)"; }
}

}  // namespace gradus::cuda
