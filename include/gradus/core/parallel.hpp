// SPDX-License-Identifier: MIT
// parallel_for: one loop split over a small pool of threads.
//
// Work is split over results, never over sums: f must compute each of its results from the inputs alone, in
// an order that does not depend on where its range begins or ends. Then the bits are the same at any number
// of threads.
//
// One call at a time has the pool; who finds it busy (a nested call, another thread of the user) runs inline.
// Nothing waits for a worker to wake: the caller takes every part that no worker has begun.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>  // has std::chrono's clocks everywhere; <chrono> takes 0.03 s more to compile
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

#include <gradus/core/processors.hpp>
#include <gradus/fwd.hpp>

namespace gradus {

namespace detail {

inline constinit std::atomic<int> thread_count{0};        // 0: not yet known
inline constinit thread_local bool inside_parts = false;  // in a worker, and in the caller while it works

[[gnu::noinline, gnu::cold]] inline int find_threads() {
  const int n = environment_threads();
  thread_count.store(n ? n : usable_processors(), std::memory_order_relaxed);
  return thread_count.load(std::memory_order_relaxed);
}

/// Seconds, on a clock that only goes forward.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Waits with the core in hand until done(), or until the time is over; says whether done().
template <class Done> bool spin(double seconds, Done&& done) {
  if (done()) return true;
  if (seconds == 0) return false;
  const double end = seconds_now() + seconds;
  do {
    for (int k = 0; k < 16; ++k) {
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
      if (done()) return true;
    }
  } while (seconds_now() < end);
  return false;
}

/// The threads and the one job they share. Immortal: never destroyed, its threads are not joined at exit.
class Pool {
 public:
  using Body = void (*)(void* context, Index begin, Index end);

  static Pool& instance() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  /// Runs body over [0, n) in parts that begin at multiples of unit; or returns false: the pool is busy.
  bool run(Index n, Index unit, int parts, Body body, void* context) {
    if (busy_.load(std::memory_order_relaxed) || busy_.exchange(true, std::memory_order_acquire))
      return false;
    resize(parts - 1, std::max(parts, thread_count.load(std::memory_order_relaxed)) - 1);
    n_ = n, unit_ = unit, body_ = body, context_ = context, failed_part_ = parts;
    left_.store(parts, std::memory_order_relaxed);
    const std::uint64_t number = (job_.load(std::memory_order_relaxed) >> 16) + 1;
    const std::uint64_t job = number << 16 | static_cast<std::uint64_t>(parts);
    job_.store(job);  // sequentially consistent, as sleepers_ is: a worker sees the job, or is seen asleep
    if (const int asleep = sleepers_.load(); asleep > 0) wake(asleep, parts - 1);
    inside_parts = true;
    work(job, 0);
    inside_parts = false;
    const auto done = [this] { return left_.load() == 0; };
    if (!spin(patience(), done)) {
      std::unique_lock lock(mutex_);
      caller_sleeps_.store(true);
      finished_.wait(lock, done);
      caller_sleeps_.store(false);
    }
    const std::exception_ptr error = std::exchange(error_, nullptr);
    busy_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
    return true;
  }

  /// Ends the workers beyond `most`. A busy pool is left alone: its next job ends them.
  void trim(int most) {
    if (busy_.exchange(true, std::memory_order_acquire)) return;
    resize(0, most);
    busy_.store(false, std::memory_order_release);
  }

 private:
  double patience() const { return 1e-6 * patience_.load(std::memory_order_relaxed); }
  void resize(int least, int most) {
    if (have_ >= least && have_ <= most) return;
    if (have_ > most) {
      wanted_.store(most);
      { const std::lock_guard lock(mutex_); }  // who has looked at wanted_ too early is asleep now
      work_.notify_all();
      while (have_ > most) workers_[--have_].join();
    }
    try {
      for (; have_ < least; ++have_) {
        wanted_.store(have_ + 1);
        workers_[have_] = std::thread([this, id = have_, seen = job_.load()] { worker(id, seen); });
      }
      // with more threads than processors, who spins keeps another from working
      patience_.store(have_ < usable_processors() ? 20 : 0, std::memory_order_relaxed);
    } catch (...) {}  // no more threads to be had: those that are there do the work
  }
  void wake(int asleep, int wanted) {
    const std::lock_guard lock(mutex_);
    if (asleep <= wanted) return work_.notify_all();
    for (int k = 0; k < wanted; ++k) work_.notify_one();
  }
  /// Begins at the thread's own part, so that it meets its numbers in its own cache again; then helps.
  void work(std::uint64_t job, int first) {
    const int parts = static_cast<int>(job & 0xffff);
    for (int k = 0; k < parts; ++k) {
      const int part = (first + k) % parts;
      std::uint64_t last = taken_[part].load(std::memory_order_relaxed);
      // no job ends before its last part is taken, so who comes late to an old job finds nothing to take
      if (last < job && taken_[part].compare_exchange_strong(last, job)) do_part(part, parts);
    }
  }
  void do_part(int part, int parts) {
    const Index units = n_ / unit_, each = units / parts, more = units % parts;
    const auto begin = [&](Index p) { return p == parts ? n_ : (p * each + std::min(p, more)) * unit_; };
    try {
      body_(context_, begin(part), begin(part + 1));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (part < failed_part_) failed_part_ = part, error_ = std::current_exception();
    }
    if (left_.fetch_sub(1) == 1 && caller_sleeps_.load()) {
      const std::lock_guard lock(mutex_);
      finished_.notify_one();
    }
  }
  void worker(int id, std::uint64_t seen) {
    inside_parts = true;
    const auto called = [&] { return job_.load() != seen || id >= wanted_.load(); };
    for (;;) {
      if (!spin(patience(), called)) {
        std::unique_lock lock(mutex_);
        sleepers_.fetch_add(1);
        work_.wait(lock, called);
        sleepers_.fetch_sub(1);
      }
      if (id >= wanted_.load()) return;
      seen = job_.load();
      work(seen, id + 1);
    }
  }

  // What one thread writes and others watch has its own cache line (64 bytes). job_: its number << 16 | its
  // parts; left_: parts not yet done; taken_: the last job in which each part was taken; patience_:
  // microseconds of spin.
  alignas(64) std::atomic<std::uint64_t> job_{0};
  std::atomic<int> wanted_{0}, patience_{0};
  alignas(64) std::atomic<int> left_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> caller_sleeps_{false};
  alignas(64) std::atomic<std::uint64_t> taken_[max_threads] = {};
  alignas(64) std::atomic<bool> busy_{false};
  // written by who holds busy_, read by who has taken a part
  std::thread workers_[max_threads];
  int have_ = 0;
  Index n_ = 0, unit_ = 1;
  Body body_ = nullptr;
  void* context_ = nullptr;
  // under mutex_
  int failed_part_ = 0;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable work_, finished_;
};

}  // namespace detail

/// The threads that parallel_for splits work over, the caller's among them. What set_threads said, else the
/// environment's GRADUS_NUM_THREADS, else the processors that this process may use (hardware, affinity,
/// cgroup quota). Throws ValueError if GRADUS_NUM_THREADS is no number from 0 to max_threads. Starts no
/// thread.
inline int threads() {
  const int n = detail::thread_count.load(std::memory_order_relaxed);
  return n ? n : detail::find_threads();
}

/// Sets threads(), from 1 to max_threads; 0 chooses anew, as at start. Takes effect at the next parallel_for.
/// Surplus workers end here, or with the next job if the pool is busy: set_threads(1) ends all, which a
/// process should do before it forks. Starts no thread. Throws ValueError.
inline void set_threads(int n) {
  if (n < 0 || n > max_threads)
    detail::fail<ValueError>("set_threads: n is ", n, "; it should be 1 to ", max_threads,
                             ", or 0: automatic");
  if (n) detail::thread_count.store(n, std::memory_order_relaxed);
  detail::Pool::instance().trim((n ? n : detail::find_threads()) - 1);
}

namespace detail {

template <class F> void call(void* f, Index begin, Index end) { (*static_cast<F*>(f))(begin, end); }

/// False if there is but one part, or the pool is busy: then nothing has been done.
[[gnu::noinline]] inline bool run_parts(Index n, Index grain, Pool::Body body, void* context) {
  grain = std::max<Index>(grain, 1);
  const Index parts = std::min<Index>(n / grain, threads());
  return parts > 1 &&
         Pool::instance().run(n, std::min<Index>(grain & -grain, 64), static_cast<int>(parts), body, context);
}

}  // namespace detail

/// Calls f(begin, end) on disjoint ranges that cover [0, n), on up to threads() threads at once, and returns
/// when all have returned. Each range has at least `grain` items, and begins at a multiple of the largest
/// power of two, up to 64, that divides grain: a grain of 64·k splits no block of 64.
///
/// The ranges depend on n, grain and threads() alone, but f(0, n) is called directly if n <= grain, if there
/// is one thread, inside another parallel_for, or when another thread is in one. So f's results must not
/// depend on the ranges. n >= 0; f(0, 0) is called for n = 0; a grain below 1 counts as 1.
///
/// If f throws, the other ranges still run; then the exception of the lowest range that threw is rethrown.
/// Throws ValueError where threads() does. Costs a compare if n <= grain, 0.2 µs with a warm worker, 25 µs to
/// wake it (workers sleep after 20 µs without work). Allocates only when the pool grows.
template <class F> void parallel_for(Index n, Index grain, F&& f) {
  void* const context = const_cast<void*>(static_cast<const void*>(&f));
  if (n <= grain || detail::inside_parts || threads() == 1 ||
      !detail::run_parts(n, grain, &detail::call<std::remove_reference_t<F>>, context))
    f(Index{0}, n);
}

}  // namespace gradus
