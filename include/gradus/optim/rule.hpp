// SPDX-License-Identifier: MIT
// What an optimizer's rule is: hyper-parameters as a plain struct, learning_rate among them (and momentum or
// beta1, where a schedule may change it), and one formula over w, its gradient g and its state. A rule of
// one's own is no different from those here.
//
//   static constexpr const char* name
//   static constexpr int states                        numbers kept for each parameter, 0 at first; 3 at most
//   void check() const                                 throws ValueError
//   array<double, n> numbers<T>(int64 step, Powers&)   what changes from step to step; step counts from 1
//   template <class X> static void update(X& w, X g, array<X, states>& s, const array<X, n>& numbers)
//
// 1 − β and the bias correction's power are computed from β as T rounds it: otherwise w drifts many times
// more.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <gradus/core/error.hpp>
#include <gradus/core/math.hpp>
#include <gradus/kernels/update.hpp>

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
template <class T> double rounded(double x, bool to_float) {
  return to_float ? rounded<float>(x) : rounded<T>(x);
}

template <class R>
concept with_momentum = requires(R r) {
  r.momentum;
};
template <class R>
concept with_beta1 = requires(R r) {
  r.beta1;
};

/// bᵗ for t = 1, 2, 3 … as a running product, since std::pow is 3 % of a small net's step. A function of b
/// and t alone: training that is taken up at t multiplies from 1 again and meets the same bits.
class RunningProduct {
 public:
  double at(double b, std::int64_t t) {
    return at(b, t, [b](double product, std::int64_t) { return product * b; });
  }
  /// f(… f(f(1, 1), 2) …, t): of another f where b is another.
  template <class F> double at(double b, std::int64_t t, const F& f) {
    if (b != base_ || t < n_) base_ = b, n_ = 0, value_ = 1;
    while (n_ < t) value_ = f(value_, ++n_);
    return value_;
  }

 private:
  double base_ = 0, value_ = 1;
  std::int64_t n_ = 0;
};

}  // namespace detail

/// What a rule may keep between steps to compute its numbers quickly.
struct Powers {
  detail::RunningProduct first, second;
};

/// A rule by value, its type forgotten: a program contains those that it names, and no other.
template <class T> class Rule {
 public:
  template <class R>
    requires requires(const R& r) { r.learning_rate, R::states; }
  Rule(const R& rule) : kind_(&Of<R>::kind) {
    static_assert(std::is_trivially_copyable_v<R> && sizeof(R) <= sizeof rule_,
                  "a rule is a plain struct of at most 96 bytes");
    static_assert(
        R::states <= cpu::most_states && std::tuple_size_v<typename Of<R>::Numbers> <= cpu::most_numbers,
        "a rule keeps at most 3 numbers for each parameter, and takes at most 8");
    new (rule_) R(rule);
  }

  const char* name() const { return kind_->update.name; }
  int states() const { return kind_->states; }
  /// Whether there is a momentum or β₁, which a schedule may change.
  bool has_momentum() const { return kind_->has_momentum; }
  double learning_rate() const { return kind_->learning_rate(rule_); }
  /// Throws ValueError, changing nothing.
  void set_learning_rate(double rate) { kind_->set_learning_rate(rule_, rate); }
  /// Throws ValueError for hyper-parameters outside their range.
  void check() const { kind_->check(rule_); }
  const kernels::UpdateRule<T>& update() const { return kind_->update; }
  /// The numbers of step t, with learning_rate · rate for learning_rate, and momentum (or β₁) · momentum.
  void numbers(double rate, double momentum, std::int64_t t, Powers& powers, T* to) const {
    kind_->numbers(rule_, rate, momentum, t, powers, to);
  }

 private:
  struct Kind {
    void (*check)(const void* rule);
    double (*learning_rate)(const void* rule);
    void (*set_learning_rate)(void* rule, double rate);
    void (*numbers)(const void* rule, double rate, double momentum, std::int64_t t, Powers&, T* to);
    kernels::UpdateRule<T> update;
    int states;
    bool has_momentum;
  };
  template <class R> struct Of {
    static const R& from(const void* rule) { return *static_cast<const R*>(rule); }
    static void check(const void* rule) { from(rule).check(); }
    static double learning_rate(const void* rule) { return from(rule).learning_rate; }
    static void set_learning_rate(void* rule, double rate) {
      R changed = from(rule);
      changed.learning_rate = rate;
      changed.check();
      *static_cast<R*>(rule) = changed;
    }
    static void numbers(const void* rule, double rate, double momentum, std::int64_t t, Powers& powers,
                        T* to) {
      R now = from(rule);
      now.learning_rate *= rate;
      if constexpr (detail::with_momentum<R>) {
        now.momentum *= momentum;
      } else if constexpr (detail::with_beta1<R>) {
        now.beta1 *= momentum;
      }
      for (const double x : now.template numbers<T>(t, powers)) *to++ = static_cast<T>(x);
    }
    using Numbers = decltype(std::declval<R>().template numbers<T>(0, std::declval<Powers&>()));
    static constexpr Kind kind = {&check,
                                  &learning_rate,
                                  &set_learning_rate,
                                  &numbers,
                                  kernels::update_rule<R, std::tuple_size_v<Numbers>, T>,
                                  R::states,
                                  detail::with_momentum<R> || detail::with_beta1<R>};
  };

  alignas(double) std::byte rule_[96];
  const Kind* kind_;
};

}  // namespace gradus::optim
