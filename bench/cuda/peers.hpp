// SPDX-License-Identifier: MIT
// PyTorch and JAX, each in a process of its own (bench/peers), and what their results are worth: a peer whose
// losses are others than ours has trained something else, and its time does not count.
#pragma once

#include <fstream>
#include <sstream>
#include <sys/wait.h>

#include "bench/cuda/nets.hpp"

#ifndef GRADUS_PYTHON
#define GRADUS_PYTHON "python3"
#endif

namespace bench {

/// How far a loss may be from ours, relative to it. Tensor cores round factors to 10 or 7 bits; in bf16
/// what passes between layers is rounded as well, not by everybody in the same places.
inline double loss_bound(Precision p) {
  constexpr double bounds[] = {1e-4, 1e-3, 5e-3};
  return bounds[int(p)];
}

/// The largest relative difference; infinite where one of them is not finite or missing.
inline double loss_difference(const std::vector<double>& ours, const io::Json& theirs) {
  if (theirs.size() != ours.size()) return HUGE_VAL;
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const io::Json& x = theirs.at(i);
    const double d = x.is_null() ? HUGE_VAL : std::abs(x.number() - ours[i]) / std::abs(ours[i]);
    largest = std::max(largest, std::isnan(d) ? HUGE_VAL : d);
  }
  return largest;
}

/// Adds to a row what one peer has to say of it: {"torch eager": {"us": 210.4, "losses": […]}, …}. A variant
/// is skipped with its reason, refused for its losses, or counts. False: one was refused.
inline bool add_peers(io::Json& row, const io::Json& variants, const std::vector<double>& losses,
                      double bound) {
  bool all_agree = true;
  for (const std::string& name : variants.keys()) {
    const io::Json& variant = variants.at(name);
    if (const io::Json* why = variant.find("skipped")) {
      row["skipped"][name] = *why;
      continue;
    }
    const double d = loss_difference(losses, variant.at("losses"));
    row["loss differences"][name] = d;
    if (!(d <= bound)) {
      row["refused"][name] =
          message("its losses are up to ", d, " from ours, relatively; at most ", bound, " is agreement");
      all_agree = false;
    } else if (const io::Json* us = variant.find("us"))
      row["peers"][name] = *us;
  }
  return all_agree;
}

/// The quickest one's name and time; an empty name: there is none.
inline std::pair<std::string, double> best_peer(const io::Json& row) {
  std::pair<std::string, double> best{"", HUGE_VAL};
  if (const io::Json* peers = row.find("peers"))
    for (const std::string& name : peers->keys())
      if (const double us = peers->at(name).number(); us < best.second) best = {name, us};
  return best;
}

inline std::string in_quotes(const std::string& s) {
  std::string to = "'";
  for (const char c : s) to += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return to + "'";
}

/// Runs bench/peers/<script> on folder/rows.json. Whatever goes wrong, what it has written so far is had.
inline io::Json run_peer(const std::string& script, int seconds, const fs::path& folder, const Arguments& a) {
  const char* const chosen = std::getenv("GRADUS_PYTHON");
  const std::string results = folder / (script + ".json");
  fs::remove(results);
  const std::string command =
      message("timeout -k 5 ", seconds + 60, " ", in_quotes(chosen && *chosen ? chosen : GRADUS_PYTHON), " ",
              in_quotes(GRADUS_SOURCE_DIR "/bench/peers/" + script), " ", in_quotes(folder / "rows.json"),
              " ", in_quotes(results), " --device ", in_quotes(a.device), " --seconds ", seconds,
              a.quick ? " --quick" : "", a.times ? "" : " --no-times");
  std::printf("\n%s\n", command.c_str());
  std::fflush(stdout);
  const int status = std::system(command.c_str());
  io::Json found;
  if (fs::exists(results)) {
    std::ifstream file(results);
    std::ostringstream text;
    text << file.rdbuf();
    found = io::Json::parse(text.str(), script);
  }
  found["status"] = status < 0 ? status : WEXITSTATUS(status);
  return found;
}

}  // namespace bench
