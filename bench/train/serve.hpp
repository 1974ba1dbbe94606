// SPDX-License-Identifier: MIT
// A program that bench/peers/steps.py asks how long its training steps take: a line of JSON in, a line out.
//
//                                                            {}: it is there
//   {"variant": "gradus fit", "row": {…}, "threads": 1}      {"losses": […], "versions": {…}}
//                                                         or {"skipped": "why"}
//   {"time": 0.1}                                            {"us": 0.87, "steps": 114688}
//
// and so on, until its input ends. A program serves one row: its memory is that row's.
#pragma once

#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/train/nets.hpp"

namespace bench {

inline void answer(const io::Json& line) {
  std::printf("%s\n", line.str().c_str());
  std::fflush(stdout);
}

/// The time of whole epochs. The first one, in which memory is taken, is nobody's.
class Laps {
 public:
  /// After every epoch. Where the seconds that were asked for are over, it answers and waits for the next
  /// question; false: there is none any more.
  bool lap(Index steps) {
    const double elapsed = gradus::detail::seconds_now() - begin_;
    steps_ += steps;
    if (asked_ >= 0 && elapsed < asked_) return true;
    if (asked_ >= 0) {
      io::Json time;
      time["us"] = 1e6 * elapsed / double(steps_), time["steps"] = steps_;
      answer(time);
    }
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    asked_ = io::Json::parse(line).at("time").number(), steps_ = 0;
    begin_ = gradus::detail::seconds_now();
    return true;
  }

 private:
  double asked_ = -1, begin_ = 0;
  Index steps_ = 0;
};

/// A net, its optimizer and its data, by one of the ways that are compared.
struct Contestant {
  virtual ~Contestant() = default;
  virtual std::vector<double> losses() = 0;  ///< from the first weights: the mean of each compared epoch
  virtual void train(Laps& laps) = 0;        ///< epoch after epoch, until laps.lap() has enough
};

/// One that takes a batch by its number.
struct StepByStep : Contestant {
  const Setup setup;
  explicit StepByStep(const Setup& s) : setup(s) {}

  virtual double step(Index batch) = 0;  ///< gives the loss

  std::vector<double> losses() override {
    std::vector<double> means;
    for (int e = 0; e < setup.compared_epochs(); ++e) means.push_back(epoch(setup.compared_batches()));
    return means;
  }
  void train(Laps& laps) override {
    do
      if (!std::isfinite(epoch(setup.batches))) gradus::detail::fail<ValueError>("the loss is not finite");
    while (laps.lap(setup.batches));
  }

 private:
  double epoch(Index batches) {
    double total = 0;
    for (Index k = 0; k < batches; ++k) total += step(k);
    return total / double(batches);
  }
};

/// By the variant's name; what it throws is why this row is skipped.
using Make =
    std::function<std::unique_ptr<Contestant>(const std::string& variant, const Setup&, int threads)>;

inline int serve(const Make& make, const io::Json& versions) {
  std::string line;
  answer(io::Json::object());
  if (!std::getline(std::cin, line)) return 0;
  io::Json reply;
  std::unique_ptr<Contestant> contestant;
  try {
    const auto asked = io::Json::parse(line);
    contestant =
        make(asked.at("variant").string(), Setup::from(asked.at("row")), int(asked.at("threads").integer()));
    reply["losses"] = contestant->losses(), reply["versions"] = versions;
  } catch (const std::exception& e) {
    contestant.reset(), reply = {};
    reply["skipped"] = e.what();
  }
  answer(reply);
  Laps laps;
  if (contestant) contestant->train(laps);
  return 0;
}

}  // namespace bench
