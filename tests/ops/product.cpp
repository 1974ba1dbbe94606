// SPDX-License-Identifier: MIT
#include <gradus/ops/product.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// One after the other, over the axes whose bits are set.
Array<double> reference(const Array<double>& x, unsigned axes, bool keepdims) {
  Array<double> y = full<double>(ops::reduced(x.shape(), axes, keepdims), 1);
  std::vector<Real> exact(std::size_t(y.size()), 1);
  for (Index at = 0; at < x.size(); ++at) {
    Index rest = at, to = 0, stride = 1;
    for (int i = x.rank() - 1; i >= 0; --i) {
      const Index k = rest % x.shape()[i];
      rest /= x.shape()[i];
      if (axes >> i & 1) continue;
      to += k * stride;
      stride *= x.shape()[i];
    }
    exact[std::size_t(to)] *= x.data()[at];
  }
  for (Index i = 0; i < y.size(); ++i) y.mutable_data()[i] = double(exact[std::size_t(i)]);
  return y;
}

}  // namespace

TEST_CASE("prod over all axes, one, some") {
  for (const bool keepdims : {false, true}) {
    for (const Shape& s :
         {Shape{}, Shape{1}, Shape{2}, Shape{7}, Shape{16}, Shape{33}, Shape{3, 5}, Shape{0}, Shape{2, 0}})
      expect_op([=](auto x) { return prod(x, {}, keepdims); },
                [=](const Array<double>& x) { return reference(x, (1u << x.rank()) - 1, keepdims); },
                {{numbers(s, 0.5, 1.5)}});
    for (const auto& [axes, bits] :
         {std::pair{Axes(0), 1u}, {Axes(1), 2u}, {Axes(-1), 4u}, {Axes{0, 2}, 5u}, {Axes{-1, 1}, 6u}})
      for (const Shape& s : {Shape{3, 4, 5}, Shape{7, 1, 2}, Shape{2, 3, 0}})
        expect_op([=, over = axes](auto x) { return prod(x, over, keepdims); },
                  [=, over = bits](const Array<double>& x) { return reference(x, over, keepdims); },
                  {{numbers(s, -1.5, 1.5)}});
  }
  CHECK(words<ShapeError>([] {
          prod(Array<float>(Shape{2, 3}), 2);
        }) == "prod: axis 2 is outside [2, 3], whose axes are -2 to 1");
}

TEST_CASE("prod: the gradient is right where numbers are 0") {
  const auto gradient = [](const Array<double>& at) {
    Tape tape;
    const auto x = tape.variable(at);
    tape.backward(prod(x));
    return tape.gradient(x);
  };
  CHECK(gradient({2, 3, 5}) == Array<double>{15, 10, 6});
  CHECK(gradient({2, 0, 5}) == Array<double>{0, 10, 0});
  CHECK(gradient({0, 3, 0}) == Array<double>{0, 0, 0});
}

TEST_CASE("prod of nothing is 1; NaN stays; whole numbers are exact") {
  CHECK(prod(Array<float>(Shape{0})).item() == 1);
  CHECK(prod(Array<float>(Shape{2, 0}), 1).array() == Array<float>{1, 1});
  CHECK(std::isnan(prod(Array<float>{1, NAN, 0}).item()));
  CHECK(prod(Array<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}).item() == 1307674368000);
}
