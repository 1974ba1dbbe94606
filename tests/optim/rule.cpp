// SPDX-License-Identifier: MIT
#include <gradus/optim/optimizer.hpp>

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

TEST_CASE("every rule can be held by value, and says its name") {
  const auto name = [](const optim::Rule& rule) {
    return std::string(std::visit([](const auto& r) { return r.name; }, rule));
  };
  CHECK(name(optim::Sgd{}) == "sgd");
  CHECK(name(optim::Adam{}) == "adam");
  CHECK(name(optim::AdamW{}) == "adamw");
  CHECK(name(optim::RmsProp{}) == "rmsprop");
  CHECK(name(optim::Adagrad{}) == "adagrad");
}
