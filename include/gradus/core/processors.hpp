// SPDX-License-Identifier: MIT
// How many threads make sense here: the processors that this process may use, and what the user's environment
// says.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
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

/// The processors that a cgroup's quota grants, rounded up, or max_threads where there is none. A quota binds
/// all groups below it, so every level counts. Reads <root>/proc/self/cgroup and <root>/sys/fs/cgroup.
inline int cgroup_processors(const std::string& root = "") {
  const auto lines = [](const std::string& path, auto&& each) {
    if (std::FILE* file = std::fopen(path.c_str(), "r")) {
      for (char line[4096]; std::fgets(line, sizeof line, file);) each(std::string(line));
      std::fclose(file);
    }
  };
  double least = max_threads;
  lines(root + "/proc/self/cgroup", [&](std::string line) {  // 0::/a/b (v2)   4:cpu,cpuacct:/a/b (v1)
    while (!line.empty() && (line.back() == '\n' || line.back() == '/')) line.pop_back();
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return;
    const std::string list = message(",", line.substr(first + 1, second - first - 1), ",");
    const bool v2 = list == ",,";
    if (!v2 && list.find(",cpu,") == std::string::npos) return;
    const std::string base = root + "/sys/fs/cgroup" + (v2 ? "" : "/cpu");
    for (std::string group = line.substr(second + 1);; group.resize(group.rfind('/'))) {
      double quota = -1, period = 1e5;  // microseconds; v2 says "max" where there is no quota, v1 says -1
      const auto number = [&](const char* name, double& to) {
        lines(base + group + name, [&](const std::string& s) { std::sscanf(s.c_str(), "%lf", &to); });
      };
      if (v2)
        lines(base + group + "/cpu.max",
              [&](const std::string& s) { std::sscanf(s.c_str(), "%lf %lf", &quota, &period); });
      else
        number("/cpu.cfs_quota_us", quota), number("/cpu.cfs_period_us", period);
      if (quota > 0 && period > 0) least = std::min(least, quota / period);
      if (group.find('/') == std::string::npos) break;
    }
  });
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
  int n = 0;
  for (const char* c = text; c && *c; ++c) {
    n = *c >= '0' && *c <= '9' ? 10 * n + (*c - '0') : max_threads + 1;
    if (n > max_threads)
      fail<ValueError>("GRADUS_NUM_THREADS: \"", text, "\" should be a whole number from 1 to ", max_threads,
                       " (0: automatic)");
  }
  return n;
}

}  // namespace detail
}  // namespace gradus
