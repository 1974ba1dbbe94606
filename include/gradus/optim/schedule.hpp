// SPDX-License-Identifier: MIT
// Learning rates that change: a factor for each step (from 0) by which the rule's learning rate is
// multiplied.
#pragma once

#include <cmath>
#include <functional>
#include <numbers>

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Empty: constant. A function of one's own does as well: [](std::int64_t step) { return 1.0 / double(1 +
/// step); }
using Schedule = std::function<double(std::int64_t step)>;

namespace schedule {

using gradus::detail::require;

/// 1, always.
inline Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}
/// factor^⌊step / every⌋
inline Schedule step(std::int64_t every, double factor) {
  require<ValueError>(every >= 1, "schedule: every is ", every, "; it must be at least 1");
  return [=](std::int64_t s) { return std::pow(factor, double(s / every)); };
}
/// rate^(step / every)
inline Schedule exponential(double rate, std::int64_t every = 1) {
  require<ValueError>(every >= 1, "schedule: every is ", every, "; it must be at least 1");
  return [=](std::int64_t s) { return std::pow(rate, double(s) / double(every)); };
}
/// From 1 to `floor` along half a cosine, and then `floor` (Loshchilov, Hutter, ICLR 2017).
inline Schedule cosine(std::int64_t steps, double floor = 0) {
  require<ValueError>(steps >= 1, "schedule: steps is ", steps, "; it must be at least 1");
  return [=](std::int64_t s) {
    const double x = s < steps ? double(s) / double(steps) : 1;
    return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * x));
  };
}
/// (step + 1) / steps for the first `steps`, and then `after`, whose steps count from there.
inline Schedule warm_up(std::int64_t steps, Schedule after = constant()) {
  require<ValueError>(steps >= 1, "schedule: steps is ", steps, "; it must be at least 1");
  return
      [steps, after](std::int64_t s) { return s < steps ? double(s + 1) / double(steps) : after(s - steps); };
}
/// From 1/start up to 1 over the share `rise` of all steps, and down to 1/(start·end), both along half a
/// cosine: the rule's learning rate is the highest (Smith, Topin, 2018; the defaults are PyTorch's).
inline Schedule one_cycle(std::int64_t steps, double rise = 0.3, double start = 25, double end = 1e4) {
  require<ValueError>(steps >= 2, "schedule: steps is ", steps, "; it must be at least 2");
  require<ValueError>(rise > 0 && rise < 1, "schedule: rise is ", rise, "; it must be between 0 and 1");
  const auto anneal = [](double from, double to, double x) {
    return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * x));
  };
  const double top = rise * double(steps) - 1, last = double(steps) - 1;
  return [=](std::int64_t step_now) {
    const double s = std::min(double(step_now), last);
    return top > 0 && s <= top ? anneal(1 / start, 1, s / top)
                               : anneal(1, 1 / (start * end), (s - top) / (last - top));
  };
}

}  // namespace schedule
}  // namespace gradus::optim
