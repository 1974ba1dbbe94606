// SPDX-License-Identifier: MIT
// Page-locked host memory: copies from and to it really are asynchronous, and kernels may read it.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>

namespace gradus::test::emulator {

class Pinned {
 public:
  void* allocate(std::size_t bytes) {
    void* const p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (p) all_[static_cast<char*>(p)] = bytes;
    return p;
  }
  bool release(void* p) {
    if (all_.erase(static_cast<char*>(p)) == 0) return false;
    std::free(p);
    return true;
  }
  bool contains(const void* p) const {
    const auto at = all_.upper_bound(static_cast<const char*>(p));
    return at != all_.begin() && static_cast<const char*>(p) < std::prev(at)->first + std::prev(at)->second;
  }
  std::size_t count() const { return all_.size(); }

 private:
  std::map<char*, std::size_t, std::less<>> all_;
};

inline Pinned& pinned() {
  static auto& p = *new Pinned;
  return p;
}

}  // namespace gradus::test::emulator
