// SPDX-License-Identifier: MIT
// How many threads make sense here: the processors that this process may use, and what the user's environment
// says.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include <gradus/core/error.hpp>

namespace gradus {

/// The most threads that set_threads and GRADUS_NUM_THREADS take.
inline constexpr int max_threads = 1024;

namespace detail {

/// Quota over period of a cgroup: the processors that it grants, or max_threads where it sets no bound.
inline double cgroup_quota(const std::string& folder, bool v2) {
  double quota = -1, period = 1e5;  // microseconds; v2 says "max" where there is no quota, v1 says -1
  const auto read = [&](const char* name, double& first, double& second) {
    if (std::FILE* const file = std::fopen(message(folder, name).c_str(), "r")) {
      if (std::fscanf(file, "%lf %lf", &first, &second) < 1) quota = -1;
      std::fclose(file);
    }
  };
  double nothing = 0;
  if (v2)
    read("/cpu.max", quota, period);
  else
    read("/cpu.cfs_quota_us", quota, nothing), read("/cpu.cfs_period_us", period, nothing);
  return quota > 0 && period > 0 ? quota / period : max_threads;
}

/// The processors that cgroups' quotas grant, rounded up, or max_threads where there is none. A quota binds
/// all groups below it, so every level counts. Reads <root>/proc/self/cgroup and <root>/sys/fs/cgroup.
inline int cgroup_processors(const std::string& root = "") {
  std::FILE* const file = std::fopen(message(root, "/proc/self/cgroup").c_str(), "r");
  if (!file) return max_threads;
  double least = max_threads;
  for (char line[4096]; std::fgets(line, sizeof line, file);) {  // 0::/a/b (v2)   4:cpu,cpuacct:/a/b (v1)
    char* const list = std::strchr(line, ':');
    char* const group = list ? std::strchr(list + 1, ':') : nullptr;
    if (!group) continue;
    *group = '\0';
    const bool v2 = list[1] == '\0';
    if (!v2 && !std::strstr(message(",", list + 1, ",").c_str(), ",cpu,")) continue;
    char* const path = group + 1;
    for (char* end = path + std::strcspn(path, "\n"); end; end = std::strrchr(path, '/')) {
      *end = '\0';
      least = std::min(least, cgroup_quota(message(root, "/sys/fs/cgroup", v2 ? "" : "/cpu", path), v2));
    }
  }
  std::fclose(file);
  const int whole = static_cast<int>(least);
  return std::max(1, whole < least ? whole + 1 : whole);
}

/// The processors that this process may use: hardware, affinity and quota, whichever is least.
inline int usable_processors() {
  int n = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, max_threads);
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = std::min(n, std::max(1, CPU_COUNT(&set)));
  n = std::min(n, cgroup_processors());
#endif
  return n;
}

/// GRADUS_NUM_THREADS, or 0 where it is not set, empty or 0.
inline int environment_threads() {
  const char* const text = std::getenv("GRADUS_NUM_THREADS");
  if (!text || !*text) return 0;
  const int n = whole_number(text, text + std::strlen(text), max_threads);
  if (n < 0)
    fail<ValueError>("GRADUS_NUM_THREADS: \"", text, "\" should be a whole number from 1 to ", max_threads,
                     " (0: automatic)");
  return n;
}

}  // namespace detail
}  // namespace gradus
