// SPDX-License-Identifier: MIT
// What the figures of a GPU check depend on.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <gradus/cuda/about.hpp>
#include <gradus/io/json.hpp>
#include <gradus/version.hpp>

namespace gradus::check {

using io::Json;

/// NVIDIA's management library, a part of the driver: it alone knows the driver's own version.
struct Nvml {
  int (*Init)() = nullptr;
  int (*DriverVersion)(char*, unsigned) = nullptr;
  static std::string file() { return "libnvidia-ml.so.1"; }
  static std::string remedy() { return "is the NVIDIA driver installed?"; }
  template <class F> void each(const F& slot) {
    slot("nvmlInit_v2", Init), slot("nvmlSystemGetDriverVersion", DriverVersion);
  }
};
inline std::string driver_version() {
  char version[96] = "unknown";
  try {
    const auto& nvml = cuda::library<Nvml>();
    if (nvml.Init() == 0) nvml.DriverVersion(version, sizeof version);
  } catch (const DeviceError&) {  // "unknown"
  }
  return version;
}

/// What a command prints, without the newline; "" where it fails.
inline std::string said_by(const std::string& command) {
  std::string all;
  if (FILE* const pipe = ::popen((command + " 2>/dev/null").c_str(), "r")) {
    std::array<char, 4096> part;
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) all.append(part.data(), n);
    if (::pclose(pipe) != 0) all.clear();
  }
  while (all.ends_with('\n')) all.pop_back();
  return all;
}
/// "1a2b3c4d5e6f", or "1a2b3c4d5e6f and changes 7a8b9c0d", a hash of them; $GRADUS_COMMIT where the sources have no
/// history with them. Results are written into the tree: they are no change.
inline std::string commit_of(const std::string& source) {
  const char* const given = std::getenv("GRADUS_COMMIT");
  if (given && *given) return given;
  const std::string git = "git -C '" + source + "' ", but_results = " -- . ':!bench/results'";
  const std::string commit = said_by(git + "rev-parse --short=12 HEAD");
  if (commit.empty()) return "unknown";
  if (said_by(git + "status --porcelain" + but_results).empty()) return commit;
  const std::string others = git + "ls-files --others --exclude-standard -z" + but_results;
  const std::string contents = "{ " + git + "diff HEAD" + but_results + "; " + others + " | (cd '" + source +
                               "' && xargs -0 -r sha256sum); }";
  return commit + " and changes " + said_by(contents + " | git hash-object --stdin").substr(0, 8);
}

/// The first GPU, its driver, the libraries, the commit; only where why_not(0) is empty.
inline Json machine(const std::string& source) {
  const auto& driver = cuda::library<cuda::Driver>();
  CUdevice device = 0;
  char name[256] = {};
  std::size_t bytes = 0;
  int version = 0, major = 0, minor = 0, processors = 0;
  driver.DeviceGet(&device, 0);
  driver.DeviceGetName(name, sizeof name - 1, device);
  driver.DeviceTotalMem(&bytes, device);
  driver.DeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  driver.DeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  driver.DeviceGetAttribute(&processors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
  Json m;
  m["gpu"] = name;
  m["compute_capability"] = detail::message(major, ".", minor);
  m["multiprocessors"] = processors, m["memory_gib"] = bytes >> 30;
  m["driver"] = driver_version();
  driver.DriverGetVersion(&version);
  m["cuda"] = cuda::version_words(version, 1000, 10);
  cuda::library<cuda::Nvrtc>().Version(&major, &minor);
  m["nvrtc"] = detail::message(major, ".", minor);
  m["cublaslt"] = cuda::version_words(long(cuda::library<cuda::CublasLt>().GetVersion()), 10000, 100);
  m["gradus"] = GRADUS_VERSION, m["commit"] = commit_of(source);
  return m;
}

/// "2026-11-23", in UTC.
inline std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace gradus::check
