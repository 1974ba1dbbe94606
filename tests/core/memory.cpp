// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gradus/core/memory.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus::detail;
using gradus::Device;

namespace {

bool aligned(const void* p, std::size_t to = alignment) {
  return reinterpret_cast<std::uintptr_t>(p) % to == 0;
}

/// Blocks of these sizes, all held at once.
std::vector<Block*> take(const std::vector<std::size_t>& sizes) {
  std::vector<Block*> blocks;
  for (const auto n : sizes) blocks.push_back(BlockPool::instance().get(n));
  return blocks;
}
std::set<const void*> addresses(const std::vector<Block*>& blocks) {
  std::set<const void*> result;
  for (const Block* b : blocks) result.insert(b->data);
  return result;
}
void give_back(const std::vector<Block*>& blocks) {
  for (Block* b : blocks) drop(b);
}

}  // namespace

TEST_CASE("sizes round up to cache lines") {
  CHECK(round_up(0) == 0);
  CHECK(round_up(1) == 64);
  CHECK(round_up(64) == 64);
  CHECK(round_up(65) == 128);
  CHECK(round_up(1000, 256) == 1024);
}

TEST_CASE("a block holds what was asked for and wastes a quarter at most") {
  std::vector<std::size_t> sizes;
  for (std::size_t n = 0; n < 5000; ++n) sizes.push_back(n);
  for (std::size_t n = 4096; n <= (std::size_t(16) << 20); n *= 2)
    for (const std::size_t m :
         {n - 1, n, n + 1, n + n / 4, n + n / 4 + 1, n + n / 2, n + n / 2 + 1, 2 * n - 1})
      sizes.push_back(m);
  for (const auto n : sizes) {
    Block* const b = BlockPool::instance().get(n);
    const bool good = b->bytes >= n && aligned(b->data) && b->owners == 1 && b->device.is_cpu() &&
                      (n <= alignment ? b->bytes == alignment : 4 * (b->bytes - n) <= n);
    if (!good) {
      CAPTURE(n, b->bytes);
      CHECK(good);
    }
    if (b->bytes <= 8192) std::memset(b->data, 255, b->bytes);
    drop(b);
  }
}

TEST_CASE("blocks do not overlap each other or their counters") {
  const std::vector<std::size_t> sizes = {1, 1, 64, 65, 80, 81, 200, 1000, 1000, 5000};
  const auto blocks = take(sizes);
  for (std::size_t i = 0; i < blocks.size(); ++i) std::memset(blocks[i]->data, int(i), blocks[i]->bytes);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* p = static_cast<const unsigned char*>(blocks[i]->data);
    CHECK(std::all_of(p, p + blocks[i]->bytes, [i](unsigned char c) { return c == i; }));
    CHECK(blocks[i]->owners == 1);
  }
  give_back(blocks);
}

TEST_CASE("what comes back is used again") {
  const std::vector<std::size_t> sizes = {40, 100, 100, 333, 4000, 70000, 5000000, std::size_t(50) << 20};
  give_back(take(sizes));
  const auto first = take(sizes);
  const auto before = addresses(first);
  give_back(first);
  const auto second =
      take({44, 97, 112, 330, 4096, 81920, 5242880, (std::size_t(50) << 20) + 1});  // the same classes
  CHECK(addresses(second) == before);
  give_back(second);
  // it waits in the pool meanwhile: the system does not have it
  std::vector<std::unique_ptr<char[]>> others;
  for (int i = 0; i < 50; ++i) {
    others.push_back(std::make_unique<char[]>(4096));
    CHECK(before.count(others.back().get()) == 0);
  }
}

TEST_CASE("the largest blocks go back to the system") {
  Block* const b = BlockPool::instance().get((std::size_t(64) << 20) + 1);
  CHECK(b->bytes == (std::size_t(64) << 20) + 64);
  CHECK(aligned(b->data));
  static_cast<char*>(b->data)[b->bytes - 1] = 1;
  drop(b);
}

TEST_CASE("threads share the pool") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &wrong] {
      for (std::size_t i = 0; i < 2000; ++i) {
        Block* const b = BlockPool::instance().get(64 + i % 300);
        std::memset(b->data, t, b->bytes);
        const auto* p = static_cast<const unsigned char*>(b->data);
        if (!std::all_of(p, p + b->bytes, [t](unsigned char c) { return c == t; })) ++wrong;
        drop(b);
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("shares count") {
  Share none;
  CHECK(none.owners() == 0);
  CHECK(none.get() == nullptr);
  Share a(BlockPool::instance().get(10));
  CHECK(a.owners() == 1);
  {
    const Share b = a;
    CHECK(b.get() == a.get());
    CHECK(a.owners() == 2);
  }
  CHECK(a.owners() == 1);
  Share c = std::move(a);
  CHECK(c.owners() == 1);
  CHECK(a.owners() == 0);
  a = c;
  CHECK(c.owners() == 2);
  Share& same = c;
  c = same;
  CHECK(c.owners() == 2);
  a = Share();
  CHECK(c.owners() == 1);
}

TEST_CASE("a device's memory is the device's") {
  const auto before = fake::counts();
  Block* const b = allocate(Device("fake"), 1000);
  CHECK(b->bytes == 1000);
  CHECK(b->device == Device("fake"));
  CHECK(fake::counts().allocations == before.allocations + 1);
  drop(b);
  CHECK(fake::counts().releases == before.releases + 1);
}

TEST_CASE("bytes move between any two devices") {
  const Device cpu, zero("fake:0"), one("fake:1");
  const int from[] = {1, 2, 3};
  int a[3] = {}, b[3] = {}, to[3] = {};
  fake::counts(0) = fake::counts(1) = {};
  copy_bytes(cpu, a, cpu, from, sizeof a);
  CHECK(fake::counts(0) == fake::Counts());
  copy_bytes(zero, b, cpu, a, sizeof b);  // a and b stand for the devices' memory
  CHECK(fake::counts(0).uploads == 1);
  copy_bytes(zero, a, zero, b, sizeof b);
  CHECK(fake::counts(0).copies == 1);
  copy_bytes(one, b, zero, a, sizeof b);
  CHECK(fake::counts(0).downloads == 1);
  CHECK(fake::counts(1).uploads == 1);
  copy_bytes(cpu, to, one, b, sizeof to);
  CHECK(fake::counts(1).downloads == 1);
  CHECK(std::equal(from, from + 3, to));
  const auto before = fake::counts(0);
  copy_bytes(zero, nullptr, cpu, nullptr, 0);  // nothing is asked of anyone
  CHECK(fake::counts(0) == before);
}

TEST_CASE("an arena grows and what it gave stays where it is") {
  Arena arena;
  std::vector<int*> given;
  for (int i = 0; i < 1000; ++i) {
    auto* p = static_cast<int*>(arena.get(std::size_t(i % 7) * 40 + 4));
    CHECK(aligned(p));
    *p = i;
    given.push_back(p);
  }
  bool intact = true;
  for (int i = 0; i < 1000; ++i) intact &= *given[std::size_t(i)] == i;
  CHECK(intact);
  CHECK(std::set<int*>(given.begin(), given.end()).size() == 1000);
}

TEST_CASE("an arena gives the same addresses step after step") {
  Arena arena;
  const auto step = [&] {
    std::vector<void*> given;
    for (std::size_t i = 0; i < 300; ++i) given.push_back(arena.get(1 + 97 * i));
    given.push_back(arena.get(1000000));
    arena.clear();
    return given;
  };
  step();  // grows in chunks; clear() makes them one
  const auto second = step();
  CHECK(step() == second);
  CHECK(step() == second);
  const auto [low, high] = std::minmax_element(second.begin(), second.end());
  CHECK(static_cast<char*>(*high) - static_cast<char*>(*low) < 300 * (97 * 150 + 64));  // one after the other
}

TEST_CASE("an arena ends up with what a step takes, and an eighth") {
  Arena arena;
  arena.set_device(Device("fake"));
  const auto step = [&] {
    for (int i = 0; i < 200; ++i) arena.get(10000);
    arena.clear();
  };
  step();
  CHECK(fake::memory().last_bytes == 200 * round_up(10000) * 9 / 8);  // whole cache lines
  fake::counts() = {};
  step();
  CHECK(fake::counts().allocations == 0);
}

TEST_CASE("an arena of steps that grow slowly is rarely made anew") {
  Arena arena;
  arena.set_device(Device("fake"));
  int grown = 0;
  for (int step = 0; step < 100; ++step) {
    for (int i = 0; i < 100 + step; ++i) arena.get(1024);
    arena.clear();
    if (step == 0) grown = fake::counts().allocations;
  }
  // Between two growths steps have grown by more than an eighth: after the first step, g growths need
  // (9/8)^g < 199/100, so g is 5 at most. Each asks twice: for what the step lacks, and for the chunk in place
  // of both.
  const int after = fake::counts().allocations - grown;
  CHECK(after >= 2);
  CHECK(after <= 2 * 5);
}

TEST_CASE("an arena asks its device once it has grown") {
  fake::counts() = {};
  {
    int grown = 0;
    Arena arena;
    arena.set_device(Device("fake"));
    for (int step = 0; step < 5; ++step) {
      for (int i = 0; i < 100; ++i) arena.get(1000);
      arena.clear();
      if (step == 0) grown = fake::counts().allocations;
      CHECK(fake::counts().allocations == grown);
    }
    arena.set_device(Device("fake"));  // it is there
    CHECK(arena.get(8) != nullptr);
    CHECK(fake::counts().allocations == grown);
  }
  CHECK(fake::counts().allocations == fake::counts().releases);
}

TEST_CASE("an arena has an address even for nothing") {
  Arena arena;
  void* const first = arena.get(0);  // no number, but a sink without an address would be unwanted
  CHECK(first != nullptr);
  CHECK(arena.get(0) != first);
  CHECK(arena.get(1) != first);
}
