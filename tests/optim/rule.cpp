// SPDX-License-Identifier: MIT
#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/reduce.hpp>
#include <gradus/optim/optim.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using optim::detail::in_range;

TEST_CASE("the range of a hyper-parameter includes its ends, and no NaN") {
  CHECK_NOTHROW(in_range("rule", "x", 0, 0, 1));
  CHECK_NOTHROW(in_range("rule", "x", 1, 0, 1));
  CHECK_NOTHROW(in_range("rule", "x", 1e300, 0));
  CHECK(words<ValueError>([] { in_range("rule", "x", -1, 0); }) == "rule: x is -1; it must be at least 0");
  CHECK(words<ValueError>([] { in_range("rule", "x", 2, 0, 1); }) ==
        "rule: x is 2; it must be within 0 and 1");
  CHECK(words<ValueError>([] { in_range("rule", "x", NAN, 0, 1); }) ==
        "rule: x is nan; it must be within 0 and 1");
  CHECK(words<ValueError>([] { in_range("rule", "x", HUGE_VAL, 0); }) ==
        "rule: x is inf; it must be at least 0");
}

TEST_CASE("numbers are rounded as the scalar type rounds them") {
  CHECK(optim::detail::rounded<double>(0.999) == 0.999);
  CHECK(optim::detail::rounded<float>(0.999) == double(0.999f));
}

TEST_CASE("a float's moments use the rounded β throughout, or parameters drift") {
  optim::Powers powers;
  const auto numbers = optim::Adam{}.numbers<float>(10, powers);
  CHECK(numbers[3] == double(0.9f));
  CHECK(numbers[4] == double(0.999f));
  const double root = std::sqrt(1 - std::pow(double(0.999f), 10));
  CHECK(numbers[0] == Approx(1e-3 / (1 - std::pow(double(0.9f), 10)) * root).epsilon(1e-14));  // ten products
}

TEST_CASE("powers: a function of base and step alone, however they are met") {
  optim::Powers steady;
  double last = 0;
  for (int t = 1; t <= 5000; ++t) last = steady.second.at(0.999, t);
  CHECK(last == Approx(std::pow(0.999, 5000)).epsilon(1e-12));  // 5000 products, each off by 2^-53 at most
  optim::Powers resumed;
  CHECK(resumed.second.at(0.999, 5000) == last);
  CHECK(steady.second.at(0.5, 3) == 0.125);  // another base, an earlier step
  CHECK(steady.second.at(0.5, 2) == 0.25);
}

namespace {

struct SignSgd {  // w ← w − η sign(g)   (Bernstein et al., ICML 2018): as a user would write it
  double learning_rate = 0.01;

  static constexpr const char* name = "sign_sgd";
  static constexpr int states = 0;
  void check() const { optim::detail::in_range(name, "learning_rate", learning_rate, 0); }
  template <class T> std::array<double, 1> numbers(std::int64_t, optim::Powers&) const {
    return {learning_rate};
  }
  template <class X> static void update(X& w, X g, std::array<X, 0>&, const std::array<X, 1>& h) {
    w = w - h[0] * math::sign(g);
  }
};

}  // namespace

TEST_CASE("a rule of one's own is as good as the library's") {
  Parameter<float> w(Array<float>{1, -2, 0.5f});
  optim::Optimizer<float> optimizer({&w}, SignSgd{.learning_rate = 0.25}, {}, optim::schedule::step(1, 0.5));
  Tape tape;
  for (int t = 0; t < 2; ++t) {
    const auto v = tape.watch(w);
    tape.backward(sum(v * v));
    optimizer.step();
  }
  CHECK(w.value() == Array<float>{1 - 0.375f, -2 + 0.375f, 0.5f - 0.375f});
  CHECK(std::string(optimizer.rule().name()) == "sign_sgd");
  CHECK(optimizer.learning_rate() == 0.0625);
  optimizer.set_learning_rate(1);
  CHECK(optimizer.rule().learning_rate() == 1);
  CHECK_THROWS_AS(optimizer.set_learning_rate(-1), ValueError);
  CHECK(optimizer.rule().learning_rate() == 1);  // as before the error
}

TEST_CASE("every rule can be held by value, and says its name") {
  const auto name = [](const optim::Rule<float>& rule) { return std::string(rule.name()); };
  CHECK(name(optim::Sgd{}) == "sgd");
  CHECK(name(optim::Adam{}) == "adam");
  CHECK(name(optim::AdamW{}) == "adamw");
  CHECK(name(optim::AmsGrad{}) == "amsgrad");
  CHECK(name(optim::Adamax{}) == "adamax");
  CHECK(name(optim::Nadam{}) == "nadam");
  CHECK(name(optim::RmsProp{}) == "rmsprop");
  CHECK(name(optim::CenteredRmsProp{}) == "centered_rmsprop");
  CHECK(name(optim::Adadelta{}) == "adadelta");
  CHECK(name(optim::Adagrad{}) == "adagrad");
}
