// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gradus/core/parallel.hpp>

#include "tests/support/catch.hpp"

using gradus::Index;
using gradus::parallel_for;
using gradus::set_threads;
using gradus::threads;
using gradus::ValueError;

namespace {

/// Restores the automatic number of threads, so that tests do not depend on their order, and ends all workers
/// (1), so that memory checkers see none at exit.
struct Threads {
  explicit Threads(int n) { set_threads(n); }
  ~Threads() {
    set_threads(1);
    set_threads(0);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
};

struct Environment {
  explicit Environment(const char* value) { ::setenv("GRADUS_NUM_THREADS", value, 1); }
  ~Environment() { ::unsetenv("GRADUS_NUM_THREADS"); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

using Range = std::pair<Index, Index>;

std::set<Range> ranges(Index n, Index grain) {
  std::set<Range> result;
  std::mutex mutex;
  bool once = true;
  parallel_for(n, grain, [&](Index begin, Index end) {  // Catch's macros are for one thread only
    const std::lock_guard lock(mutex);
    once = once && result.emplace(begin, end).second;
  });
  REQUIRE(once);
  return result;
}

}  // namespace

TEST_CASE("parallel_for covers each index once") {
  for (const int count : {1, 2, 3, 4, 7}) {
    const Threads guard(count);
    for (const Index n : {0, 1, 2, 3, 7, 63, 64, 65, 127, 128, 1000, 4096, 10007})
      for (const Index grain : {0, 1, 2, 3, 16, 64, 192, 100, 5000}) {
        INFO("threads " << count << ", n " << n << ", grain " << grain);
        const auto parts = ranges(n, grain);
        CHECK(parts.size() <= static_cast<std::size_t>(count));
        Index next = 0;
        for (const auto& [begin, end] : parts) {
          CHECK(begin == next);
          CHECK((parts.size() == 1 || end - begin >= grain));
          if (grain % 64 == 0 && grain > 0) CHECK(begin % 64 == 0);
          if (grain == 16) CHECK(begin % 16 == 0);
          next = end;
        }
        CHECK(next == n);
        if (count > 1 && grain > 0 && n >= 2 * grain) CHECK(parts.size() > 1);
      }
  }
}

TEST_CASE("parallel_for splits evenly, and always the same way") {
  const Threads guard(4);
  CHECK(ranges(10, 1) == std::set<Range>{{0, 3}, {3, 6}, {6, 8}, {8, 10}});
  CHECK(ranges(640 + 5, 64) == std::set<Range>{{0, 192}, {192, 384}, {384, 512}, {512, 645}});
  CHECK(ranges(10, 4) == std::set<Range>{{0, 4}, {4, 10}});
  for (int repeat = 0; repeat < 100; ++repeat) REQUIRE(ranges(1001, 1) == ranges(1001, 1));
}

TEST_CASE("parallel_for uses several threads at once") {
  const Threads guard(3);
  std::atomic<int> here{0};
  std::mutex mutex;
  std::set<std::thread::id> who;
  parallel_for(3, 1, [&](Index, Index) {
    {
      const std::lock_guard lock(mutex);
      who.insert(std::this_thread::get_id());
    }
    for (++here; here < 3;) std::this_thread::yield();
  });
  CHECK(who.size() == 3);
}

TEST_CASE("workers that fell asleep come back") {
  const Threads guard(2);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> here{0};
    parallel_for(2, 1, [&](Index, Index) {
      for (++here; here < 2;) std::this_thread::yield();
    });
    REQUIRE(here == 2);
  }
}

TEST_CASE("a parallel_for inside another runs where it is") {
  const Threads guard(3);
  std::vector<std::atomic<int>> seen(3000);
  std::atomic<bool> inline_only{true};
  parallel_for(3, 1, [&](Index outer, Index outer_end) {
    const auto self = std::this_thread::get_id();
    for (; outer < outer_end; ++outer)
      parallel_for(1000, 1, [&](Index begin, Index end) {
        if (begin != 0 || end != 1000 || std::this_thread::get_id() != self) inline_only = false;
        for (Index i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(outer * 1000 + i)];
      });
  });
  CHECK(inline_only);
  for (const auto& count : seen) REQUIRE(count == 1);
}

TEST_CASE("the exception of the lowest range is thrown, after all ranges have run") {
  for (const int count : {1, 2, 4}) {
    const Threads guard(count);
    for (int repeat = 0; repeat < 100; ++repeat) {
      std::atomic<Index> covered{0};
      std::string caught;
      try {
        parallel_for(8, 1, [&](Index begin, Index end) {
          covered += end - begin;
          if (end > 2) throw ValueError("range " + std::to_string(begin));
        });
      } catch (const ValueError& error) { caught = error.what(); }
      REQUIRE(caught == (count == 4 ? "range 2" : "range 0"));
      REQUIRE(covered == 8);
      REQUIRE(ranges(8, 1).size() == static_cast<std::size_t>(count));  // the pool is as before
    }
  }
}

TEST_CASE("several threads may call parallel_for at once") {
  const Threads guard(3);
  std::array<std::atomic<long>, 4> sums{};
  std::vector<std::thread> users;
  for (auto& sum : sums)
    users.emplace_back([&sum] {
      for (int repeat = 0; repeat < 500; ++repeat)
        parallel_for(100, 1, [&](Index begin, Index end) {
          long part = 0;
          for (Index i = begin; i < end; ++i) part += static_cast<long>(i);
          sum += part;
        });
    });
  for (auto& user : users) user.join();
  for (const auto& sum : sums) CHECK(sum == 500 * 4950);
}

TEST_CASE("set_threads may be called at any time") {
  const Threads guard(2);
  std::thread other([] {
    for (int repeat = 0; repeat < 200; ++repeat) set_threads(1 + repeat % 5);
  });
  for (int repeat = 0; repeat < 500; ++repeat) {
    std::atomic<Index> covered{0};
    parallel_for(100, 1, [&](Index begin, Index end) {
      if (repeat % 50 == 0) set_threads(1 + repeat / 50 % 4);
      covered += end - begin;
    });
    REQUIRE(covered == 100);
  }
  other.join();
}

TEST_CASE("the number of threads is set, or the environment's, or the machine's") {
  const Threads guard(0);
  CHECK(threads() == gradus::detail::usable_processors());
  set_threads(5);
  CHECK(threads() == 5);
  CHECK_THROWS_AS(set_threads(-1), ValueError);
  CHECK_THROWS_WITH(set_threads(1025), "set_threads: n is 1025; it should be 1 to 1024, or 0: automatic");
  CHECK(threads() == 5);
  {
    const Environment three("3");
    CHECK(threads() == 5);
    set_threads(0);
    CHECK(threads() == 3);
  }
  for (const char* automatic : {"", "0"}) {
    const Environment environment(automatic);
    set_threads(0);
    CHECK(threads() == gradus::detail::usable_processors());
  }
  for (const char* bad : {"many", "-1", "1025", "99999999999999999999", "2.5", " 2", "2 "}) {
    const Environment environment(bad);
    CHECK_THROWS_AS(set_threads(0), ValueError);
    CHECK_THROWS_WITH(set_threads(0), "GRADUS_NUM_THREADS: \"" + std::string(bad) +
                                          "\" should be a whole number from 1 to 1024 (0: automatic)");
  }
}

TEST_CASE("a cgroup's quota bounds the number of threads") {
  namespace fs = std::filesystem;
  using gradus::detail::cgroup_processors;
  const auto root = fs::temp_directory_path() / ("gradus_cgroup_" + std::to_string(::getpid()));
  const auto plant = [&](const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  const int none = gradus::max_threads;
  CHECK(cgroup_processors(root.string()) == none);
  SECTION("version 2") {
    plant("proc/self/cgroup", "0::/user/job\n");
    plant("sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
    CHECK(cgroup_processors(root.string()) == none);
    plant("sys/fs/cgroup/user/job/cpu.max", "250000 100000\n");
    CHECK(cgroup_processors(root.string()) == 3);
    plant("sys/fs/cgroup/user/cpu.max", "100000 50000\n");  // the group above allows less
    CHECK(cgroup_processors(root.string()) == 2);
    plant("sys/fs/cgroup/cpu.max", "1000 100000\n");
    CHECK(cgroup_processors(root.string()) == 1);
  }
  SECTION("version 2, at the root of a container") {
    plant("proc/self/cgroup", "0::/\n");
    plant("sys/fs/cgroup/cpu.max", "400000 100000\n");
    CHECK(cgroup_processors(root.string()) == 4);
  }
  SECTION("version 1") {  // in a container the path may be the host's, the mount its own group
    plant("proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    plant("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    CHECK(cgroup_processors(root.string()) == none);
    plant("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
    CHECK(cgroup_processors(root.string()) == 2);
  }
  fs::remove_all(root);
}
