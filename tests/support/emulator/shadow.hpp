// SPDX-License-Identifier: MIT
// What is remembered of each four bytes of device and shared memory: their last write and last read. From
// these an access tells whether it is initialised, and whether it races with another thread or another
// stream.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "tests/support/emulator/clocks.hpp"
#include "tests/support/emulator/seam.hpp"

namespace gradus::test::emulator {

/// An access that is remembered. Two words, since this is written for every access of every thread; and not
/// more, since a device's shadow is eight times its memory.
class Access {
 public:
  enum Flag : std::uint64_t {
    none = 0,
    atomic = 1 << 8,  // so it does not race with another atomic
    many = 1 << 9     // reads: others, whom nothing orders, read too
  };
  Access() = default;
  /// epoch: the barriers that the block had passed; stamp: the warp's, see Warp.
  Access(std::uint32_t operation, std::uint32_t block, std::uint16_t epoch, std::uint16_t thread,
         std::uint16_t stamp)
      : who_(std::uint64_t{operation} << 32 | block),
        when_(std::uint64_t{epoch} << 48 | std::uint64_t{stamp} << 32 | std::uint64_t{thread} << 16) {}

  std::uint32_t operation() const { return static_cast<std::uint32_t>(who_ >> 32); }
  std::uint32_t block() const { return static_cast<std::uint32_t>(who_); }
  std::uint16_t epoch() const { return static_cast<std::uint16_t>(when_ >> 48); }
  std::uint16_t stamp() const { return static_cast<std::uint16_t>(when_ >> 32); }
  std::uint16_t thread() const { return static_cast<std::uint16_t>(when_ >> 16); }
  unsigned bytes() const { return when_ & 15; }       // which of the four
  unsigned known() const { return when_ >> 4 & 15; }  // writes: the bytes that were ever written
  bool is(Flag flag) const { return when_ & flag; }
  bool same_block(const Access& other) const { return who_ == other.who_; }

  Access with(unsigned bytes, unsigned known, Flag flag) const {
    Access result = *this;
    result.when_ |= flag | known << 4 | bytes;
    return result;
  }
  void set_known(unsigned known) { when_ = (when_ & ~std::uint64_t{0xf0}) | known << 4; }

 private:
  std::uint64_t who_ = 0, when_ = 0;
};
struct Cell {
  Access write, read;
};
static_assert(sizeof(Cell) == 32);

/// Which lane of a warp knows what of another one, through shuffles. An exchange is the warp's next number T:
/// of all that its lanes did before T, each of them now knows. One that all lanes take part in is a single
/// number.
class Warp {
 public:
  void reset() {
    if (number_) *this = {};
  }
  std::uint16_t stamp() const { return number_; }
  bool knows(unsigned lane, unsigned of, std::uint16_t stamp) const {
    return full_ > stamp || overflow_ || (known_[lane][of] > stamp);
  }
  void exchange(std::uint32_t lanes, bool all) {
    if (number_ == 0xffff)
      overflow_ = true;  // no false alarm; the next barrier begins anew
    else
      ++number_;
    if (all) return void(full_ = number_);
    std::array<std::uint16_t, 32> joined{};
    for (unsigned k = 0; k < 32; ++k)
      for (unsigned i = 0; i < 32; ++i)
        if (lanes >> i & 1) joined[k] = lanes >> k & 1 ? number_ : std::max(joined[k], known_[i][k]);
    for (unsigned i = 0; i < 32; ++i)
      if (lanes >> i & 1) known_[i] = joined;
  }

 private:
  std::uint16_t number_ = 0, full_ = 0;
  bool overflow_ = false;
  std::array<std::array<std::uint16_t, 32>, 32> known_{};
};

/// A thread that did __threadfence() and then an atomic has published what it wrote before, and what its
/// block wrote before the last barrier; a block whose later atomic meets the same cell knows of it. (The last
/// block of a reduction reads the others' partial sums this way.)
class Publications {
 public:
  void begin_launch() { of_cell_.clear(), seen_.clear(); }
  void begin_block() { seen_.clear(), fenced_ = false; }
  void fence() { fenced_ = true; }
  bool any() const { return !of_cell_.empty(); }
  void atomic(const void* address, const Access& by) {
    if (!fenced_ && of_cell_.empty()) return;
    auto& published = of_cell_[reinterpret_cast<std::uintptr_t>(address) / 4];
    merge(seen_, published);
    if (!fenced_) return;
    merge(seen_, {{by.block(), {by.epoch(), by.thread()}}});
    merge(published, seen_);
  }
  bool seen(const Access& old) const {
    const auto at = seen_.find(old.block());
    if (at == seen_.end() || old.epoch() > at->second.epoch) return false;
    return old.epoch() < at->second.epoch || at->second.thread == old.thread() ||
           at->second.thread == several;
  }

 private:
  static constexpr std::uint16_t several = 0xffff;
  struct Until {
    std::uint16_t epoch = 0, thread = several;
  };
  using Blocks = std::unordered_map<std::uint32_t, Until>;
  static void join(Until& to, const Until& from) {
    if (from.epoch > to.epoch)
      to = from;
    else if (from.epoch == to.epoch && from.thread != to.thread)
      to.thread = several;  // no false alarm
  }
  static void merge(Blocks& to, const Blocks& from) {
    for (const auto& [block, until] : from) {
      const auto [at, is_new] = to.try_emplace(block, until);
      if (!is_new) join(at->second, until);
    }
  }
  std::unordered_map<std::uintptr_t, Blocks> of_cell_;
  Blocks seen_;
  bool fenced_ = false;
};

/// Who touches memory now: a thread of a kernel, or (with no more than the operation) a copy.
struct Actor {
  Access mark;  // what it leaves behind, but for the bytes
  const Warp* warp = nullptr;
  const Publications* publications = nullptr;
};

enum class Problem { none, uninitialised, race_with_write, race_with_read };

/// Whether an earlier access is known to be over.
inline bool ordered(const Access& old, const Actor& now) {
  const Access& me = now.mark;
  if (old.operation() != me.operation()) return history().ended(old.operation());
  if (old.block() != me.block()) return now.publications && now.publications->seen(old);
  if (old.epoch() != me.epoch() || old.thread() == me.thread()) return true;
  return old.thread() / 32 == me.thread() / 32 && now.warp &&
         now.warp->knows(me.thread() % 32u, old.thread() % 32u, old.stamp());
}

/// Several readers, whom only a barrier of the block (or the launch's end) would order: the next write meets
/// all.
inline bool joins_readers(const Access& old, unsigned bytes, const Access& me) {
  if (old.operation() != me.operation() || !(old.bytes() & bytes)) return false;
  if (old.block() != me.block()) return true;
  return old.epoch() == me.epoch() && (old.is(Access::many) || old.thread() / 32 != me.thread() / 32);
}
inline bool meets_readers(const Access& read, const Actor& now) {
  if (!read.is(Access::many) || read.operation() != now.mark.operation()) return false;
  if (read.block() == now.mark.block()) return read.epoch() == now.mark.epoch();
  return !now.publications || !now.publications->any();
}

/// Judges an access of the given bytes of a cell, and remembers it. Where it races, with whom is left in
/// `other`.
inline Problem touch(Cell& cell, unsigned bytes, emulator_kind kind, const Actor& now, bool trusted,
                     Access& other) {
  const bool writes = kind != emulator_reads, atomic = kind >= emulator_updates;
  const Access write = cell.write, read = cell.read;
  Problem problem = Problem::none;
  if (write.bytes() & bytes && !(atomic && write.is(Access::atomic)) && !ordered(write, now))
    problem = Problem::race_with_write, other = write;
  else if (writes && read.bytes() & bytes && (!ordered(read, now) || meets_readers(read, now)))
    problem = Problem::race_with_read, other = read;
  else if (bytes & ~write.known() && !trusted && (kind == emulator_reads || kind == emulator_updates))
    problem = Problem::uninitialised;
  if (writes)
    cell.write = now.mark.with(bytes, write.known() | bytes, atomic ? Access::atomic : Access::none);
  else
    cell.read = now.mark.with(bytes, 0, joins_readers(read, bytes, now.mark) ? Access::many : Access::none);
  return problem;
}

}  // namespace gradus::test::emulator
