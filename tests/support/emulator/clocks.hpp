// SPDX-License-Identifier: MIT
// Which operation is known to have ended before which other one begins: vector clocks over tracks. A track is
// a stream, or a branch of a captured graph; what is enqueued on one track runs in order, and events carry
// one track's knowledge to another. So a missing event is found whatever order the emulator happens to run
// things in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gradus::test::emulator {

/// How many operations of each track are known to have ended.
class Clock {
 public:
  std::uint32_t operator[](std::size_t track) const { return track < ended_.size() ? ended_[track] : 0; }
  void set(std::size_t track, std::uint32_t number) {
    if (ended_.size() <= track) ended_.resize(track + 1);
    ended_[track] = number;
  }
  void join(const Clock& other) {
    if (ended_.size() < other.ended_.size()) ended_.resize(other.ended_.size());
    for (std::size_t i = 0; i < other.ended_.size(); ++i) ended_[i] = std::max(ended_[i], other.ended_[i]);
  }
  bool covers(const Clock& other) const {
    for (std::size_t i = 0; i < other.ended_.size(); ++i)
      if ((*this)[i] < other[i]) return false;
    return true;
  }

 private:
  std::vector<std::uint32_t> ended_;
};

/// The number'th operation of a track.
struct Stamp {
  std::uint32_t track = 0, number = 0;
};

/// An operation in a queue or in a graph: what it is called, and what it may take for done.
struct Operation {
  std::string name;
  Stamp stamp;
  Clock known;
};

/// The operations that ran, and the one that runs now. Memory remembers who touched it by the operation's id.
class History {
 public:
  void begin(const Operation& operation) {
    now_ = &operation;
    stamps_.push_back(operation.stamp);
    if (names_.empty() || names_[last_name_] != operation.name) remember(operation.name);
    name_of_.push_back(last_name_);
  }
  std::uint32_t id() const { return static_cast<std::uint32_t>(stamps_.size() - 1); }
  const Operation& now() const { return *now_; }
  bool ended(std::uint32_t id) const { return now_->known[stamps_[id].track] >= stamps_[id].number; }
  const std::string& name(std::uint32_t id) const { return names_[name_of_[id]]; }
  std::uint32_t new_track() { return tracks_++; }

 private:
  void remember(const std::string& name) {
    const auto at = std::find(names_.begin(), names_.end(), name);
    last_name_ = static_cast<std::uint32_t>(at - names_.begin());
    if (at == names_.end()) names_.push_back(name);
  }
  const Operation* now_ = nullptr;
  std::vector<Stamp> stamps_ = {{}};  // id 0: nobody
  std::vector<std::uint32_t> name_of_ = {0};
  std::vector<std::string> names_;
  std::uint32_t last_name_ = 0, tracks_ = 0;
};

inline History& history() {
  static auto& h = *new History;
  return h;
}

}  // namespace gradus::test::emulator
