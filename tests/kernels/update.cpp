// SPDX-License-Identifier: MIT
#include <gradus/kernels/update.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
struct Momentum {  // m ← b m + g   w ← w − a m
  static constexpr const char* name = "momentum";
  static constexpr int states = 1;
  template <class X, class S, class H> static void update(X& w, const X& g, S& s, const H& h) {
    s[0] = h[1] * s[0] + g;
    w = w - h[0] * s[0];
  }
};
}  // namespace

TEST_CASE("update runs a rule over every element, in place, with the same bits at any number of threads") {
  constexpr Index n = 64 * 4001;
  const auto g = numbers({n}), start = numbers({n}, -1, 1, 2);
  const double numbers_of_rule[] = {0.5, 0.25};
  const auto two_steps = [&] {
    auto w = start.copy();
    Array<double> m(Shape{n});
    double* const state[cpu::most_states] = {m.mutable_data()};  // the others: none
    for (int k = 0; k < 2; ++k)
      kernels::update<double>(kernels::update_rule<Momentum, 2, double>, {}, w.mutable_data(), g.data(),
                              state, numbers_of_rule, n);
    return w;
  };
  same_at_any_number_of_threads(two_steps);
  const auto w = two_steps();
  bool equal = true;
  for (Index i = 0; i < n; ++i) equal &= w(i) == start(i) - 0.5 * g(i) - 0.5 * (0.25 * g(i) + g(i));
  CHECK(equal);
}
