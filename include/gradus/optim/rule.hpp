// SPDX-License-Identifier: MIT
// What an optimizer's rule is: hyper-parameters as a plain struct, and one formula over w, its gradient g and its state.
//
//   static constexpr int states                        numbers kept for each parameter, 0 at first
//   array<double, n> numbers<T>(int64 step, Powers&)   what changes from step to step; step counts from 1
//   template <class X> static void update(X& w, X g, array<X, states>& s, const array<X, n>& numbers)
//
// 1 − β and the bias correction's power are computed from β as T rounds it: otherwise w drifts many times more.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include <gradus/core/error.hpp>
#include <gradus/core/math.hpp>

namespace gradus::optim {
namespace detail {

using gradus::detail::require;

/// Throws ValueError unless lowest ≤ x (≤ highest).
inline void in_range(const char* who, const char* what, double x, double lowest, double highest = HUGE_VAL) {
  if (x >= lowest && x <= highest && std::isfinite(x)) return;
  gradus::detail::fail<ValueError>(who, ": ", what, " is ", x, "; it must be ",
                                   highest < HUGE_VAL
                                       ? gradus::detail::message("within ", lowest, " and ", highest)
                                       : gradus::detail::message("at least ", lowest));
}
template <class T> double rounded(double x) { return static_cast<double>(static_cast<float>(x)); }
template <> inline double rounded<double>(double x) { return x; }

/// bᵗ for t = 1, 2, 3 … as a running product, since std::pow is 3 % of a small net's step. A function of b
/// and t alone: training that is taken up at t multiplies from 1 again and meets the same bits.
class RunningPower {
 public:
  double at(double b, std::int64_t t) {
    if (b != base_ || t < n_) base_ = b, n_ = 0, value_ = 1;
    for (; n_ < t; ++n_) value_ *= b;
    return value_;
  }

 private:
  double base_ = 0, value_ = 1;
  std::int64_t n_ = 0;
};

}  // namespace detail

/// What a rule may keep between steps to compute its numbers quickly.
struct Powers {
  detail::RunningPower first, second;
};

}  // namespace gradus::optim
