// SPDX-License-Identifier: MIT
// Learning rates that change: a factor for each step (from 0) by which the rule's learning rate is
// multiplied, and one for its momentum.
#pragma once

#include <cmath>
#include <functional>
#include <numbers>
#include <type_traits>
#include <utility>

#include <gradus/optim/rule.hpp>

namespace gradus::optim {

/// Empty: constant. A function of one's own does as well: [](std::int64_t step) { return 1.0 / double(1 +
/// step); }
struct Schedule {
  using Factor = std::function<double(std::int64_t step)>;
  Factor rate, momentum;  ///< of learning_rate; of momentum, or of β₁ where a rule has that instead

  Schedule() = default;
  template <class F>
    requires(!std::is_same_v<F, Schedule> && std::is_constructible_v<Factor, F>)
  Schedule(F of_rate, Factor of_momentum = {}) : rate(std::move(of_rate)), momentum(std::move(of_momentum)) {}

  double operator()(std::int64_t step) const { return rate ? rate(step) : 1; }
  double momentum_at(std::int64_t step) const { return momentum ? momentum(step) : 1; }
};

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
/// From 1 to `floor` along half a cosine, and then `floor` (Loshchilov, Hutter, ICLR 2017), as Keras'
/// CosineDecay(η, steps, alpha = floor). With `back` it rises again as it fell, and so on: PyTorch's
/// CosineAnnealingLR(T_max = steps, eta_min = floor · η).
inline Schedule cosine(std::int64_t steps, double floor = 0, bool back = false) {
  require<ValueError>(steps >= 1, "schedule: steps is ", steps, "; it must be at least 1");
  return [=](std::int64_t s) {
    const double x = s < steps || back ? double(s) / double(steps) : 1;
    return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * x));
  };
}
/// (step + 1) / steps for the first `steps`, and then `after`, whose steps count from there.
inline Schedule warm_up(std::int64_t steps, Schedule after = constant()) {
  require<ValueError>(steps >= 1, "schedule: steps is ", steps, "; it must be at least 1");
  Schedule::Factor momentum;
  if (after.momentum)
    momentum = [steps, after](std::int64_t s) { return after.momentum(s < steps ? 0 : s - steps); };
  return {
      [steps, after](std::int64_t s) { return s < steps ? double(s + 1) / double(steps) : after(s - steps); },
      momentum};
}
/// From 1/start up to 1 over the share `rise` of all steps, and down to 1/(start·end), both along half a
/// cosine: the rule's learning rate is the highest (Smith, Topin, 2018; the defaults are PyTorch's). Momentum
/// goes the other way, from 1 down to `momentum` and back. OneCycleLR(max_lr, total_steps) of PyTorch's is
/// one_cycle(steps, 0.3, 25, 1e4, 0.85 / 0.95) beside .learning_rate = max_lr, .momentum = 0.95 (or .beta1);
/// with cycle_momentum = False, one_cycle(steps). A β₁ that changes costs `step` multiplications a step.
inline Schedule one_cycle(std::int64_t steps, double rise = 0.3, double start = 25, double end = 1e4,
                          double momentum = 1) {
  require<ValueError>(steps >= 2, "schedule: steps is ", steps, "; it must be at least 2");
  require<ValueError>(rise > 0 && rise < 1, "schedule: rise is ", rise, "; it must be between 0 and 1");
  require<ValueError>(momentum >= 0 && momentum <= 1, "schedule: momentum is ", momentum,
                      "; it must be within 0 and 1");
  const double top = rise * double(steps) - 1, last = double(steps) - 1;
  const auto cycle = [=](double first, double middle, double end_of_all) {
    const auto anneal = [](double from, double to, double x) {
      return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * x));
    };
    return [=](std::int64_t step_now) {
      const double s = std::min(double(step_now), last);
      return top > 0 && s <= top ? anneal(first, middle, s / top)
                                 : anneal(middle, end_of_all, (s - top) / (last - top));
    };
  };
  const auto rate = cycle(1 / start, 1, 1 / (start * end));
  return momentum == 1 ? Schedule(rate) : Schedule(rate, cycle(1, momentum, 1));
}

}  // namespace schedule
}  // namespace gradus::optim
