// SPDX-License-Identifier: MIT
// Runs the threads of one block as fibers, in turn: each until it waits at a barrier or a shuffle, or
// returns. When all wait, what can be opened is opened: the shuffles whose lanes have all come, else the
// block's barrier.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/emulator/fiber.hpp"
#include "tests/support/emulator/watch.hpp"

namespace gradus::test::emulator {

class Block {
 public:
  Block(Watch& watch) : watch_(watch) { self_ = this; }

  /// seam: the module's; its sizes are set. False: the threads wait for each other for ever, or one faulted.
  bool run(const emulator_kernel& code, void** arguments, emulator_seam& seam,
           const std::vector<unsigned>& order) {
    code_ = &code, arguments_ = arguments, seam_ = &seam, late_ = false, stopped_ = false;
    main_ = Fiber();
    count_ = static_cast<unsigned>(order.size());
    if (threads_.size() < count_) threads_.resize(count_);
    for (unsigned i = 0; i < count_; ++i) prepare(i);
    running_ = count_;
    for (;;) {
      for (const unsigned i : order)
        if (threads_[i].state == State::ready) {
          resume(i);
          if (stopped_) return false;
        }
      if (running_ == 0) return true;
      if (!open_exchanges(false) && !open_barrier() && !open_exchanges(true)) return stuck(), false;
    }
  }

  /// How the seam's functions reach the block that runs.
  static Block& self() { return *self_; }

  int barrier(int vote, int line) {
    Thread& t = threads_[current_];
    t.value = vote != 0, t.line = line;
    wait(State::at_barrier);
    return votes_;
  }
  unsigned long long exchange(std::uint32_t mask, unsigned long long value, unsigned source, unsigned* ballot,
                              int line) {
    Thread& t = threads_[current_];
    t.mask = mask, t.value = value, t.source = source, t.line = line;
    wait(State::at_exchange);
    *ballot = t.ballot;
    return t.result;
  }
  /// Leaves the block for good.
  void stop() {
    stopped_ = true;
    Fiber::go(threads_[current_].fiber, main_);
  }

 private:
  enum class State : unsigned char { ready, at_barrier, at_exchange, done };
  struct Thread {
    Fiber fiber;
    State state = State::ready;
    int line = 0;
    std::uint32_t mask = 0, source = 0, ballot = 0;
    unsigned long long value = 0, result = 0;
    emulator_index index{};
  };

  void prepare(unsigned i) {
    const emulator_index& b = seam_->block_dim;
    threads_[i].state = State::ready;
    threads_[i].index = {i % b.x, i / b.x % b.y, i / b.x / b.y};
    threads_[i].fiber.start(&Block::enter);
  }
  static void enter() {
    Block& b = self();
    Fiber::entered(b.main_);
    b.code_->run(b.arguments_);
    b.threads_[b.current_].state = State::done;
    --b.running_;
    Fiber::go(b.threads_[b.current_].fiber, b.main_);
  }
  void resume(unsigned i) {
    become(i);
    Fiber::go(main_, threads_[i].fiber);
  }
  void become(unsigned i) {
    current_ = i;
    seam_->thread = threads_[i].index;
    watch_.resume(i, threads_[i].index, threads_[i].fiber);
  }
  void wait(State state) {
    threads_[current_].state = state;
    Fiber::go(threads_[current_].fiber, main_);
  }

  /// All whose lanes have come, at the same line with the same mask. Late: lanes that returned no longer
  /// count.
  bool open_exchanges(bool late) {
    bool any = false;
    for (unsigned first = 0; first < count_; first += 32)
      for (unsigned i = first; i < std::min(first + 32, count_); ++i)
        if (threads_[i].state == State::at_exchange) any |= open_exchange(first, i, late);
    return any;
  }
  bool open_exchange(unsigned first, unsigned i, bool late) {
    const Thread& t = threads_[i];
    const unsigned width = std::min(32u, count_ - first);
    const std::uint32_t there = width == 32 ? ~0u : (1u << width) - 1;
    std::uint32_t lanes = 0, gone = 0;
    if (!(t.mask >> (i - first) & 1)) return false;
    for (unsigned k = 0; k < width; ++k) {
      const Thread& other = threads_[first + k];
      if (!(t.mask >> k & 1)) continue;
      if (other.state == State::at_exchange && other.mask == t.mask && other.line == t.line)
        lanes |= 1u << k;
      else if (late && other.state == State::done)
        gone |= 1u << k;
      else
        return false;
    }
    if (gone && !late_) {
      become(i), late_ = true;
      watch_.sight("late", {nullptr, {}, static_cast<unsigned>(t.line)},
                   "a shuffle names lanes that have returned");
    }
    give(first, lanes);
    watch_.exchanged(first / 32, lanes, lanes == there);
    return true;
  }
  void give(unsigned first, std::uint32_t lanes) {
    std::uint32_t ballot = 0;
    for (unsigned k = 0; k < 32; ++k)
      if (lanes >> k & 1 && threads_[first + k].value) ballot |= 1u << k;
    for (unsigned k = 0; k < 32; ++k)
      if (lanes >> k & 1) {
        Thread& t = threads_[first + k];
        const bool has = t.source < 32 && (lanes >> t.source & 1);
        t.result = has ? threads_[first + t.source].value : ~0ull;  // nobody's value: NaN
        t.ballot = ballot, t.state = State::ready;
      }
  }

  bool open_barrier() {
    unsigned waiting = 0, done = 0, last = 0;
    int votes = 0, line = 0;
    for (unsigned i = 0; i < count_; ++i) {
      const Thread& t = threads_[i];
      done += t.state == State::done;
      if (t.state != State::at_barrier) continue;
      if (waiting++ && t.line != line) become(i), different(line, t.line);
      line = t.line, last = i, votes += t.value != 0;
    }
    if (waiting == 0 || waiting + done != count_) return false;
    become(last);
    if (done && !late_) {
      late_ = true;
      watch_.sight("late", {nullptr, {}, static_cast<unsigned>(line)}, "__syncthreads() after ", done,
                   " threads have returned");
    }
    votes_ = votes;
    for (unsigned i = 0; i < count_; ++i)
      if (threads_[i].state == State::at_barrier) threads_[i].state = State::ready;
    watch_.barrier_passed();
    return true;
  }
  void different(int one, int other) {
    watch_.sight("barriers", {nullptr, {}, static_cast<unsigned>(other)},
                 "threads wait at different __syncthreads(), of the lines ", one, " and ", other);
  }

  /// Nothing can be opened: some lanes wait for others that wait elsewhere.
  void stuck() {
    for (unsigned i = 0; i < count_; ++i) {
      if (threads_[i].state != State::at_exchange) continue;
      const Thread& t = threads_[i];
      become(i);
      const bool named = t.mask >> (i % 32) & 1;
      watch_.sight("stuck", {nullptr, {}, static_cast<unsigned>(t.line)},
                   named ? "a shuffle waits for lanes that never come"
                         : "a shuffle's mask does not name its own lane");
    }
  }

  static inline Block* self_ = nullptr;
  Watch& watch_;
  Fiber main_;
  std::vector<Thread> threads_;
  unsigned count_ = 0, current_ = 0, running_ = 0;
  int votes_ = 0;
  bool late_ = false, stopped_ = false;  // late: said once a block
  const emulator_kernel* code_ = nullptr;
  void** arguments_ = nullptr;
  emulator_seam* seam_ = nullptr;
};

}  // namespace gradus::test::emulator
