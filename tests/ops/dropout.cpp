// SPDX-License-Identifier: MIT
#include <gradus/core/parallel.hpp>
#include <gradus/ops/dropout.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("dropout keeps everything where nothing trains") {
  expect_op([](auto x) { return dropout(x, 0.5); }, [](Real x) { return x; }, grid({-2, 0, 0.1, 3}));
  const Array<float> x = {1, 2, 3};
  CHECK(dropout(x, 0.9).array() == x);
  Tape tape(false);
  CHECK(dropout(tape.input(x), 0.9).array() == x);
}

TEST_CASE("dropout in training: survivors are scaled, and so is their gradient") {
  constexpr Index n = 100001;
  Tape tape;
  const auto x = tape.variable(ones<double>({n}));
  const auto y = dropout(x, 0.25);
  const auto values = y.array();
  tape.backward(sum(y));
  const auto d = tape.gradient(x);
  Index kept = 0;
  for (Index i = 0; i < n; ++i) {
    kept += values(i) != 0;
    if ((values(i) != 0 && values(i) != 1 / 0.75) || d(i) != values(i)) FAIL("at " << i);
  }
  // a binomial count: 5 standard deviations of √(n p q) = 137
  CHECK(std::abs(double(kept) - 0.75 * n) < 5 * 137);
}

TEST_CASE("dropout draws anew in every use and every step, and the same ones again from the start") {
  const auto x = ones<float>({257});
  const auto three_draws = [&](std::uint64_t seed) {
    Tape tape;
    std::vector<Array<float>> draws;
    const auto v = tape.variable(x);
    draws.push_back(dropout(v, 0.5, seed).array());
    const auto second = dropout(v, 0.5, seed);
    draws.push_back(second.array());
    tape.backward(sum(second));
    draws.push_back(dropout(tape.variable(x), 0.5, seed).array());  // the next step
    return draws;
  };
  const auto a = three_draws(7), b = three_draws(7), c = three_draws(8);
  CHECK(a == b);
  CHECK_FALSE(a[0] == a[1]);
  CHECK_FALSE(a[1] == a[2]);
  CHECK_FALSE(a[0] == a[2]);
  CHECK_FALSE(a[0] == c[0]);
}

TEST_CASE("dropout draws the same at any number of threads") {
  const auto x = ones<float>({20011});
  std::vector<Array<float>> y;
  for (const int n : {1, 2, 3, 8}) {
    set_threads(n);
    Tape tape;
    y.push_back(dropout(tape.input(x), 0.3).array());
  }
  set_threads(0);
  CHECK((y[0] == y[1] && y[0] == y[2] && y[0] == y[3]));
}

TEST_CASE("dropout: p has bounds") {
  const Array<float> x = {1};
  CHECK(words<ValueError>([&] { dropout(x, 1); }) ==
        "dropout: p is 1; it must be at least 0 and less than 1");
  CHECK(words<ValueError>([&] { dropout(x, -0.5); }) ==
        "dropout: p is -0.5; it must be at least 0 and less than 1");
  CHECK(words<ValueError>([&] { dropout(x, NAN); }) ==
        "dropout: p is nan; it must be at least 0 and less than 1");
  Tape tape;
  CHECK(dropout(tape.input(x), 0).array() == x);
}
