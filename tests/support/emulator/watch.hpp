// SPDX-License-Identifier: MIT
// Watches one launch: judges every access of its threads by the shadow memory, and collects what is wrong. It
// runs on the threads' small stacks, so lines are looked up and sentences made when the launch has ended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>

#include "tests/support/emulator/fiber.hpp"
#include "tests/support/emulator/findings.hpp"
#include "tests/support/emulator/heap.hpp"
#include "tests/support/emulator/module.hpp"
#include "tests/support/emulator/pinned.hpp"
#include "tests/support/emulator/settings.hpp"
#include "tests/support/emulator/shadow.hpp"

namespace gradus::test::emulator {

/// An allocation's use by the operation that runs: is it alive, on this device, made before? Empty, or what
/// is wrong.
inline std::string use(Allocation& a, int device) {
  const Operation& now = history().now();
  a.used.set(now.stamp.track, now.stamp.number);
  if (!a.live) return "freed memory";
  if (a.device != device)
    return gradus::detail::message("memory of device ", a.device, " on device ", device);
  if (a.made.track != now.stamp.track && now.known[a.made.track] < a.made.number)
    return "memory that another stream allocates, with no event between";
  return {};
}

class Watch {
 public:
  struct Place {  // of an access: the code's address, or a line
    const void* site = nullptr;
    std::string file;
    unsigned line = 0;
    auto operator<=>(const Place&) const = default;
  };

  void begin_launch(Kernel& kernel, int device, char* dynamic, std::size_t dynamic_bytes, unsigned threads) {
    kernel_ = &kernel, device_ = device;
    checks_ = settings().checks && kernel.module->parts().checked;
    if (!checks_) heap().trust_all();
    dynamic_ = dynamic, dynamic_bytes_ = dynamic_bytes;
    const emulator_module& parts = kernel.module->parts();
    shared_ = parts.shared_begin,
    shared_bytes_ = static_cast<std::size_t>(parts.shared_end - parts.shared_begin);
    actor_ = {{}, nullptr, &publications_};
    publications_.begin_launch();
    warps_.assign((threads + 31) / 32, {});
    const std::size_t cells = checks_ ? (shared_bytes_ + dynamic_bytes) / 4 + 2 : 0;
    if (shared_cells_.size() < cells) shared_cells_.resize(cells);
    allocation_ = nullptr, fault_ = CUDA_SUCCESS;
  }
  void begin_block(std::uint32_t number, const emulator_index& index) {
    number_ = number, epoch_ = 0, block_ = index;
    publications_.begin_block();
    for (Warp& w : warps_) w.reset();
  }
  void resume(unsigned thread, const emulator_index& index, const Fiber& fiber) {
    actor_.warp = &warps_[thread / 32];
    actor_.mark = {history().id(), number_, epoch_, static_cast<std::uint16_t>(thread), actor_.warp->stamp()};
    thread_ = index, fiber_ = &fiber;
  }
  void barrier_passed() {
    ++epoch_;
    for (Warp& w : warps_) w.reset();
  }
  void exchanged(unsigned warp, std::uint32_t lanes, bool all) {
    if (checks_) warps_[warp].exchange(lanes, all);
  }
  void fence() { publications_.fence(); }

  bool checks() const { return checks_; }

  /// False: going on would crash the program.
  [[gnu::flatten]] bool access(const char* p, std::size_t bytes, emulator_kind kind, const void* site) {
    if (!checks_) return true;
    if (heap_.contains(p)) return global(p, bytes, kind, site), true;
    const std::size_t at = distance(shared_, p), dynamic_at = distance(dynamic_, p);
    if (at < shared_bytes_) return shared(p, at, bytes, kind, site), true;
    if (dynamic_at < dynamic_space) return dynamic(p, dynamic_at, bytes, kind, site), true;
    return elsewhere(p, kind, site);
  }
  [[gnu::noinline]] bool elsewhere(const char* p, emulator_kind kind, const void* site) {
    const emulator_module& parts = kernel_->module->parts();
    const bool in_image = p >= parts.image_begin && p < parts.image_end;
    if (fiber_->on_stack(p) || (in_image && kind == emulator_reads) || pinned().contains(p)) return true;
    if (in_image) return sight("bounds", {site, {}, 0}, verb(kind), " beyond its shared memory"), false;
    sight(kind == emulator_reads ? "reads" : "writes", {site, {}, 0}, verb(kind),
          p ? " host memory" : " through a null pointer");
    fault(CUDA_ERROR_ILLEGAL_ADDRESS);
    return false;
  }
  /// As a device's: the launch is given up, and every later call fails.
  void fault(CUresult error) { fault_ = error; }
  CUresult fault() const { return fault_; }

  template <class... Words>
  [[gnu::noinline]] void sight(const char* kind, Place place, const Words&... words) {
    const auto [at, is_new] = seen_.try_emplace({kind, place}, sightings_.size());
    if (!is_new) return void(++sightings_[at->second].times);
    sightings_.push_back({kind, std::move(place), gradus::detail::message(words...), block_, thread_, 1});
  }

  void end_launch() {
    for (const Sighting& s : sightings_) {
      std::string place = s.place.site ? kernel_->module->line(s.place.site) : s.place.file;
      if (s.place.line) place += gradus::detail::message(place.empty() ? "line " : ":", s.place.line);
      const std::string key = gradus::detail::message(kernel_->name, place, s.kind);
      const std::string sentence =
          gradus::detail::message(kernel_->name, place.empty() ? "" : " (", place, place.empty() ? "" : ")",
                                  ": block ", words(s.block), " thread ", words(s.thread), ": ", s.words);
      findings().count(key, sentence, s.times);
    }
    sightings_.clear(), seen_.clear();
  }

  /// Room for dynamic shared memory; what lies beyond the launch's share is out of bounds.
  static constexpr std::size_t dynamic_space = std::size_t{1} << 20;

 private:
  struct Sighting {
    std::string kind;
    Place place;
    std::string words;
    emulator_index block, thread;
    std::size_t times;
  };
  static std::string words(const emulator_index& i) {
    return gradus::detail::message("(", i.x, ", ", i.y, ", ", i.z, ")");
  }
  static const char* verb(emulator_kind kind) {
    return kind == emulator_reads ? "reads" : kind == emulator_writes ? "writes" : "updates (atomically)";
  }
  void global(const char* p, std::size_t bytes, emulator_kind kind, const void* site) {
    if (!allocation_ || p < allocation_->begin || p + bytes > allocation_->end())
      if (!find_allocation(p, bytes, kind, site)) return;
    if (kind == emulator_updates || kind == emulator_replaces) publications_.atomic(p, actor_.mark);
    Cell* cell = heap_.cell(p);
    for_cells(p, bytes, [&](unsigned mask) { judge(*cell++, mask, kind, site, "global", trusted_); });
  }
  [[gnu::noinline]] bool find_allocation(const char* p, std::size_t bytes, emulator_kind kind,
                                         const void* site) {
    allocation_ = nullptr;
    Allocation* const a = heap_.near(p);
    if (!a || p + bytes > a->end()) return beyond(a, p, bytes, kind, site), false;
    if (const std::string wrong = use(*a, device_); !wrong.empty())
      return sight("use", {site, {}, 0}, verb(kind), " ", wrong), false;
    allocation_ = a, trusted_ = heap_.trusted(*a);
    return true;
  }
  void beyond(const Allocation* a, const char* p, std::size_t bytes, emulator_kind kind, const void* site) {
    if (!a) return sight("bounds", {site, {}, 0}, verb(kind), " global memory out of bounds");
    sight("bounds", {site, {}, 0}, verb(kind), " global memory out of bounds: bytes ", p - a->begin, " to ",
          p - a->begin + static_cast<std::ptrdiff_t>(bytes), " of ", a->size);
  }
  void dynamic(const char* p, std::size_t at, std::size_t bytes, emulator_kind kind, const void* site) {
    if (at + bytes > dynamic_bytes_)
      return sight("bounds", {site, {}, 0}, verb(kind), " dynamic shared memory out of bounds: bytes ", at,
                   " to ", at + bytes, " of ", dynamic_bytes_);
    shared(p, (shared_bytes_ + 3) / 4 * 4 + at, bytes, kind, site);
  }
  /// at: the place among all shared memory. What an earlier block has left there is as if it had never been.
  void shared(const char* p, std::size_t at, std::size_t bytes, emulator_kind kind, const void* site) {
    Cell* cell = &shared_cells_[at / 4];
    for_cells(p, bytes, [&](unsigned mask) {
      if (!cell->write.same_block(actor_.mark)) cell->write = {};
      if (!cell->read.same_block(actor_.mark)) cell->read = {};
      judge(*cell++, mask, kind, site, "shared", false);
    });
  }
  /// Enormous where p lies before.
  static std::size_t distance(const char* from, const char* p) {
    return reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(from);
  }
  /// f(which of the four bytes) for each cell that the access meets.
  template <class F> static void for_cells(const char* p, std::size_t bytes, const F& f) {
    std::size_t skip = reinterpret_cast<std::uintptr_t>(p) % 4;
    if (bytes == 4 && skip == 0) return f(15u);
    while (bytes > 0) {
      const std::size_t n = std::min(bytes, 4 - skip);
      f(((1u << n) - 1) << skip);
      bytes -= n, skip = 0;
    }
  }
  void judge(Cell& cell, unsigned mask, emulator_kind kind, const void* site, const char* memory,
             bool trusted) {
    Access other;
    const Problem problem = touch(cell, mask, kind, actor_, trusted, other);
    if (problem != Problem::none) [[unlikely]]
      say(problem, other, kind, site, memory);
  }
  [[gnu::noinline]] void say(Problem problem, const Access& other, emulator_kind kind, const void* site,
                             const char* memory) {
    if (problem == Problem::uninitialised)
      return sight("uninitialised", {site, {}, 0}, verb(kind), " uninitialised ", memory, " memory");
    const char* const did = problem == Problem::race_with_write ? " wrote" : " read";
    if (other.operation() != actor_.mark.operation())
      return sight("stream", {site, {}, 0}, verb(kind), " ", memory, " memory that ",
                   history().name(other.operation()), did, " on another stream, with no event between");
    if (other.block() != number_)
      return sight("block", {site, {}, 0}, verb(kind), " ", memory, " memory that block ", other.block(), did,
                   " in the same launch");
    sight("thread", {site, {}, 0}, verb(kind), " ", memory, " memory that thread ", other.thread(), did,
          ", with no barrier between");
  }

  Heap& heap_ = heap();
  Kernel* kernel_ = nullptr;
  int device_ = 0;
  bool checks_ = false;
  CUresult fault_ = CUDA_SUCCESS;
  char* dynamic_ = nullptr;
  std::size_t dynamic_bytes_ = 0;
  const char* shared_ = nullptr;
  std::size_t shared_bytes_ = 0;
  Actor actor_;
  std::uint32_t number_ = 0;  // of the block
  std::uint16_t epoch_ = 0;
  Publications publications_;
  std::vector<Warp> warps_;
  std::vector<Cell> shared_cells_;
  Allocation* allocation_ = nullptr;  // the last one that was met
  bool trusted_ = false;              // what it holds
  emulator_index block_{}, thread_{};
  const Fiber* fiber_ = nullptr;
  std::vector<Sighting> sightings_;
  std::map<std::pair<std::string, Place>, std::size_t> seen_;
};

}  // namespace gradus::test::emulator
