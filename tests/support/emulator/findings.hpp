// SPDX-License-Identifier: MIT
// What the checks found, as sentences. Each mistake once: in a kernel it shows in thousands of threads.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>

namespace gradus::test::emulator {

class Findings {
 public:
  /// Two findings with the same key are one mistake; the first one's sentence stays.
  void count(const std::string& key, std::string sentence, std::size_t times) {
    const auto [at, is_new] = index_.try_emplace(key, all_.size());
    if (is_new)
      all_.emplace_back(std::move(sentence), times);
    else
      all_[at->second].second += times;
  }
  template <class... Parts> void add(const Parts&... parts) {
    const std::string sentence = gradus::detail::message(parts...);
    count(sentence, sentence, 1);
  }
  void clear() { index_.clear(), all_.clear(); }

  std::vector<std::string> sentences() const {
    std::vector<std::string> result;
    for (const auto& [sentence, times] : all_)
      result.push_back(times == 1 ? sentence : gradus::detail::message(sentence, ", ", times, " times"));
    return result;
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<std::pair<std::string, std::size_t>> all_;
};

inline Findings& findings() {
  static auto& f = *new Findings;
  return f;
}

/// A sentence for findings: found("cuMemFreeAsync", ": ", …).
template <class... Parts> void found(const Parts&... parts) { findings().add(parts...); }

}  // namespace gradus::test::emulator
