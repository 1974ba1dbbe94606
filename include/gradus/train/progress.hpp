// SPDX-License-Identifier: MIT
// What fit() shows while it runs: one line that is rewritten on a terminal, some twenty plain lines
// elsewhere.
#pragma once

#include <cstdio>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

#include <gradus/core/parallel.hpp>
#include <gradus/train/history.hpp>

namespace gradus {

/// `automatic`: a bar on a terminal, lines elsewhere.
enum class Verbose { silent, bar, lines, automatic };

namespace train {

class Progress {
 public:
  Progress(Verbose how, int epochs) : how_(how), epochs_(epochs), start_(gradus::detail::seconds_now()) {
    if (how_ == Verbose::automatic) how_ = terminal() ? Verbose::bar : Verbose::lines;
  }
  Progress(const Progress&) = delete;
  ~Progress() {
    if (open_) std::fputc('\n', stdout);
  }

  double seconds() const { return gradus::detail::seconds_now() - start_; }

  /// After epoch `done` (from 1) of this run; `last`: no other follows.
  void epoch(int done, const History& history, bool last) {
    if (how_ == Verbose::silent) return;
    const double now = seconds();
    if (how_ == Verbose::lines) {
      const int every = (epochs_ + 19) / 20;
      if (done != 1 && done % every != 0 && !last) return;
    } else if (!last && now - shown_ < 0.1) {
      return;
    }
    shown_ = now;
    const double left = now / done * (epochs_ - done);
    std::fputs(how_ == Verbose::bar ? "\r" : "", stdout);
    std::printf("epoch %*d/%d ", width(epochs_), done, epochs_);
    if (how_ == Verbose::bar) {
      constexpr int cells = 24;
      const int full = int(double(cells) * done / epochs_);
      std::printf("[%.*s%.*s] ", full, "========================", cells - full, "                        ");
    }
    for (const auto& s : history.series)
      if (!s.values.empty()) std::printf(" %s %.4f", s.name.c_str(), s.values.back());
    if (last)
      std::printf("  %.2f s", now);
    else
      std::printf("  ETA %.0f s", left);
    if (how_ == Verbose::bar)
      std::fputs("\033[K", stdout), open_ = true;
    else
      std::fputc('\n', stdout);
    std::fflush(stdout);
  }

 private:
  static bool terminal() {
#ifdef _WIN32
    return _isatty(_fileno(stdout)) != 0;
#else
    return isatty(fileno(stdout)) != 0;
#endif
  }
  static int width(int n) { return n < 10 ? 1 : 1 + width(n / 10); }

  Verbose how_;
  int epochs_;
  double start_;
  double shown_ = -1;
  bool open_ = false;
};

}  // namespace train
}  // namespace gradus
