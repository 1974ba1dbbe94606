// SPDX-License-Identifier: MIT
// The memory of the emulated devices: one reserved region, whose fresh pages read as NaN (0xff) at no cost,
// and its shadow. Addresses are taken again only when the region has been used up, so that use after free is
// seen.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "tests/support/emulator/clocks.hpp"
#include "tests/support/emulator/shadow.hpp"

namespace gradus::test::emulator {

struct Allocation {
  char* begin = nullptr;
  std::size_t size = 0;
  int device = 0;
  bool live = true;
  bool leaving = false;  // its free is in a queue
  std::size_t number = 0;
  Stamp made;
  Clock used;  // the last operation of each track that touched it

  char* end() const { return begin + size; }
};

/// begin rounded up and end rounded down to whole pages.
inline void drop_pages(char* begin, char* end) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto last = reinterpret_cast<std::uintptr_t>(end) / page * page;
  if (last > first) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

class Heap {
 public:
  static constexpr std::size_t size = std::size_t{8} << 30, unit = 256;

  Heap() : base_(reserve(size)), cells_(reinterpret_cast<Cell*>(reserve(size / 4 * sizeof(Cell)))) {
    fill_with_nans();
  }

  bool contains(const void* p) const {
    return static_cast<const char*>(p) >= base_ && static_cast<const char*>(p) < base_ + size;
  }
  Cell* cell(const void* p) const { return cells_ + (static_cast<const char*>(p) - base_) / 4; }

  /// nullptr: the region has no gap that large. 256-byte aligned, with 256 bytes to the next one that nobody
  /// owns.
  Allocation* allocate(std::size_t bytes, int device) {
    const std::size_t taken = (bytes + unit - 1) / unit * unit + unit;
    char* const p = gap(taken);
    if (!p) return nullptr;
    forget(p, p + taken);
    next_ = p + taken;
    Allocation& a = all_[p];
    a.begin = p, a.size = bytes, a.device = device, a.number = ++made_;
    return &a;
  }
  void release(Allocation& a) {
    a.live = false, a.used = {};
    blank(a.begin, a.end());
  }

  /// The allocation, living or dead, that p is in, or that ends before p. nullptr: there is none.
  Allocation* near(const void* p) {
    auto at = all_.upper_bound(static_cast<char*>(const_cast<void*>(p)));
    return at == all_.begin() ? nullptr : &std::prev(at)->second;
  }
  Allocation* at_begin(const void* p) {
    Allocation* const a = near(p);
    return a && a->begin == p ? a : nullptr;
  }
  /// A kernel ran whose writes nobody saw: what lives now is no longer called uninitialised.
  void trust_all() { trusted_ = made_; }
  bool trusted(const Allocation& a) const { return a.number <= trusted_; }
  template <class F> void each_live(const F& f) {
    for (auto& [p, a] : all_)
      if (a.live) f(a);
  }

 private:
  static char* reserve(std::size_t bytes) {
    void* const p =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    return static_cast<char*>(p);
  }

  // Each piece is a private map of one small file of 0xff; pages that are dropped read as the file again.
  void fill_with_nans() {
    constexpr std::size_t piece = std::size_t{8} << 20;
    const int file = ::memfd_create("gradus-nan", MFD_CLOEXEC);
    const std::string nans(piece, '\xff');
    if (file < 0 || ::write(file, nans.data(), piece) != static_cast<ssize_t>(piece)) throw std::bad_alloc();
    for (char* p = base_; p < base_ + size; p += piece)
      if (::mmap(p, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, file, 0) ==
          MAP_FAILED)
        throw std::bad_alloc();
    ::close(file);
  }

  void blank(char* begin, char* end) {
    char* const whole = begin + (end - begin + 3) / 4 * 4;
    drop_pages(begin, end);
    drop_pages(reinterpret_cast<char*>(cell(begin)), reinterpret_cast<char*>(cell(whole)));
    // What shares its page with others. A dropped page would be made anew by writing to it: leave those.
    const auto edges = [](char* from, char* to, int value) {
      const auto page = ::sysconf(_SC_PAGESIZE);
      const auto head = (page - reinterpret_cast<std::intptr_t>(from) % page) % page;
      if (head >= to - from) return void(std::memset(from, value, static_cast<std::size_t>(to - from)));
      std::memset(from, value, static_cast<std::size_t>(head));
      const auto tail = reinterpret_cast<std::intptr_t>(to) % page;
      if (tail <= to - from - head) std::memset(to - tail, value, static_cast<std::size_t>(tail));
    };
    edges(begin, end, 0xff);
    edges(reinterpret_cast<char*>(cell(begin)), reinterpret_cast<char*>(cell(whole)), 0);
  }

  char* gap(std::size_t bytes) {
    char* p = next_ ? next_ : base_ + unit;
    for (bool wrapped = false;;) {
      if (bytes > static_cast<std::size_t>(base_ + size - p)) {
        if (wrapped) return nullptr;
        wrapped = true, p = base_ + unit;
        continue;
      }
      char* const blocked_until = after_what_lives_in(p, p + bytes);
      if (!blocked_until) return p;
      p = blocked_until;
    }
  }
  char* after_what_lives_in(char* begin, char* end) {
    for (auto at = all_.lower_bound(begin); at != all_.end() && at->first < end; ++at)
      if (at->second.live) return at->first + (at->second.size + unit - 1) / unit * unit + unit;
    return nullptr;
  }
  void forget(char* begin, char* end) { all_.erase(all_.lower_bound(begin), all_.lower_bound(end)); }

  char* base_;
  Cell* cells_;
  char* next_ = nullptr;
  std::size_t made_ = 0, trusted_ = 0;
  std::map<char*, Allocation> all_;
};

inline Heap& heap() {
  static auto& h = *new Heap;
  return h;
}

}  // namespace gradus::test::emulator
