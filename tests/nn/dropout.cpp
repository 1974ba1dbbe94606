// SPDX-License-Identifier: MIT
#include <gradus/nn/dropout.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
const Array<double> x = numbers({40, 50}, 0.5, 1.5);
}

TEST_CASE("dropout does nothing off the tape, and on one that does not train") {
  const nn::Dropout<double> layer(0.5);
  CHECK(same_bits(layer(x).array(), x));
  Tape tape(false);
  CHECK(same_bits(layer(tape.input(x)).array(), x));
}

TEST_CASE("dropout zeroes a share and scales the rest, forward and backward alike") {
  const nn::Dropout<double> layer(0.25);
  Tape tape;
  const auto v = tape.variable(x);
  const auto y = layer(v);
  tape.backward(sum(y));
  const auto dx = tape.gradient(v), kept = y.array();
  double zeros = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double scale = kept.data()[i] == 0 ? 0 : 1 / 0.75;
    zeros += scale == 0 ? 1 : 0;
    CHECK(kept.data()[i] == Approx(x.data()[i] * scale).epsilon(1e-14));
    CHECK(dx.data()[i] == Approx(scale).epsilon(1e-14));
  }
  CHECK(zeros / double(x.size()) == Approx(0.25).margin(0.04));  // four deviations of 2000 draws
}

TEST_CASE("draws differ from step to step and repeat with the seed") {
  const nn::Dropout<double> layer(0.5), other(0.5, 1);
  const auto twice = [&](const nn::Dropout<double>& l, std::uint64_t seed) {
    Tape tape(true, seed);
    std::vector<Array<double>> y{l(tape.input(x)).array()};
    tape.clear();
    y.push_back(l(tape.input(x)).array());
    return y;
  };
  const auto a = twice(layer, 7), b = twice(layer, 7), c = twice(layer, 8), d = twice(other, 7);
  CHECK_FALSE(a[0] == a[1]);
  CHECK(same_bits(a[0], b[0]));
  CHECK(same_bits(a[1], b[1]));
  CHECK_FALSE(a[0] == c[0]);
  CHECK_FALSE(a[0] == d[0]);
}

TEST_CASE("dropout of nothing is the identity; what is no probability is refused") {
  Tape tape;
  CHECK(same_bits(nn::Dropout<double>(0.0)(tape.input(x)).array(), x));
  CHECK(words<ValueError>([] { nn::Dropout(1.0); }) ==
        "Dropout: p is 1; it must be at least 0 and less than 1");
  CHECK(words<ValueError>([] { nn::Dropout(-0.1); }) ==
        "Dropout: p is -0.1; it must be at least 0 and less than 1");
  CHECK(words<ValueError>([] { nn::Dropout{double(NAN)}; }) ==
        "Dropout: p is nan; it must be at least 0 and less than 1");
  CHECK(nn::Dropout(0.25).describe() == "Dropout(0.25)");
}
