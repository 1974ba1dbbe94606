// SPDX-License-Identifier: MIT
#include <gradus/ops/exponential.hpp>
#include <gradus/ops/grad.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("grad and value_and_grad") {
  const auto f = [](const auto& x) { return sum(square(x)); };
  CHECK(grad(f, Array<double>{1, -2, 3}) == Array<double>{2, -4, 6});
  const auto [y, d] = value_and_grad(f, Array<float>{1, -2, 3});
  CHECK(y == 14);
  CHECK(d == Array<float>{2, -4, 6});
  const auto [z, dz] = value_and_grad([](const auto& x) { return sum(exp(x) * x); }, Array<double>{0});
  CHECK(z == 0);
  CHECK(dz == Array<double>{1});
}

TEST_CASE("grad of a function that leaves its argument alone on the way is 0") {
  const auto f = [](const auto& x) { return sum(x * 0.0); };
  CHECK(grad(f, Array<double>{1, 2}) == Array<double>{0, 0});
  CHECK(grad([](const auto& x) { return sum(x); }, Array<double>(Shape{0})) == Array<double>(Shape{0}));
}

TEST_CASE("grad within grad: tapes nest") {
  const auto outer = [](const auto& x) {
    const auto inner =
        grad([](const auto& v) { return sum(square(v)); }, x.array());  // 2x, a constant out here
    return sum(x * inner);
  };
  CHECK(grad(outer, Array<double>{1, 3}) == Array<double>{2, 6});
}

TEST_CASE("grad says what backward says") {
  CHECK(words<ShapeError>([] {
          grad([](const auto& x) { return x * 2; }, Array<double>{1, 2});
        }) == "backward: the loss is [2]; it must be one number");
  CHECK(words<TapeError>([] {
          grad([](const auto& x) { return sum(x.detach()); }, Array<double>{1, 2});
        }) == "backward: the loss is not on a tape (start from tape.input(x))");
}
