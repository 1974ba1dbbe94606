// SPDX-License-Identifier: MIT
// A kind of device whose memory is the host's, and which counts what is asked of it: "fake:0" and "fake:1".
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <gradus/core/device.hpp>

namespace fake {

struct Counts {
  int allocations = 0, releases = 0, uploads = 0, downloads = 0, copies = 0, zeros = 0;
  bool operator==(const Counts&) const = default;
};

struct Memory final : gradus::Backend {
  explicit Memory(int i) : index(i) {}
  std::string name() const override { return "fake:" + std::to_string(index); }
  void* allocate(std::size_t bytes) override {
    ++counts.allocations, last_bytes = bytes;
    return ::operator new(bytes, std::align_val_t(256));
  }
  void release(void* data, std::size_t) override {
    ++counts.releases;
    ::operator delete(data, std::align_val_t(256));
  }
  void upload(void* to, const void* host, std::size_t bytes) override {
    ++counts.uploads;
    std::memcpy(to, host, bytes);
  }
  void download(void* host, const void* from, std::size_t bytes) override {
    ++counts.downloads;
    std::memcpy(host, from, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    ++counts.copies;
    std::memcpy(to, from, bytes);
  }
  void zero(void* data, std::size_t bytes) override {
    ++counts.zeros;
    std::memset(data, 0, bytes);
  }
  const int index;
  Counts counts;
  std::size_t last_bytes = 0;  // of the last allocation
};

inline Memory& memory(int index = 0) {
  static Memory devices[] = {Memory(0), Memory(1)};
  return devices[index];
}
inline Counts& counts(int index = 0) { return memory(index).counts; }

inline bool broken = false;  // tests may say so

// as a header adds a kind of device: one inline variable, however many units include it
inline gradus::DeviceKind kind{
    "fake",
    [](int index) -> std::string {
      if (broken) return "fake: no usable device: the test says so";
      return index < 2 ? "" : "fake:" + std::to_string(index) + ": there are 2, fake:0 and fake:1";
    },
    [](int index) -> gradus::Backend& { return memory(index); }};

}  // namespace fake
