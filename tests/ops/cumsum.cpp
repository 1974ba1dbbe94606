// SPDX-License-Identifier: MIT
#include <gradus/ops/cumsum.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
Array<double> reference(const Array<double>& x, int axis) {
  Array<double> y = x.copy();
  const Groups g(x.shape(), x.shape().axis(axis, "cumsum"));
  for (Index o = 0; o < g.outer; ++o)
    for (Index i = 0; i < g.inner; ++i) {
      Real s = 0;
      for (Index k = 0; k < g.n; ++k) {
        const Index at = (o * g.n + k) * g.inner + i;
        s += x.data()[at];
        y.mutable_data()[at] = double(s);
      }
    }
  return y;
}
}  // namespace

TEST_CASE("cumsum") {
  for (const auto& [shape, axis] : {std::pair{Shape{0}, -1},
                                    {Shape{1}, 0},
                                    {Shape{2}, 0},
                                    {Shape{7}, -1},
                                    {Shape{33}, -1},
                                    {Shape{3, 5}, 0},
                                    {Shape{3, 5}, 1},
                                    {Shape{2, 6, 3}, 1},
                                    {Shape{3, 0}, 0},
                                    {Shape{0, 3}, 1}})
    // sums near 0: within a few roundings of their terms, which are at most 1
    expect_op([along = axis](auto x) { return cumsum(x, along); },
              [along = axis](const Array<double>& x) { return reference(x, along); }, {{numbers(shape)}},
              {.absolute = 64});
  CHECK(words<ShapeError>([] { cumsum(Array<float>{1}, 1); }) ==
        "cumsum: axis 1 is outside [1], whose axes are -1 to 0");
}

TEST_CASE("cumsum: whole numbers are exact, an infinity or NaN reaches only what comes after it") {
  CHECK(cumsum(Array<float>{{1, 2, 3}, {4, 5, 6}}).array() == Array<float>{{1, 3, 6}, {4, 9, 15}});
  CHECK(cumsum(Array<float>{{1, 2, 3}, {4, 5, 6}}, 0).array() == Array<float>{{1, 2, 3}, {5, 7, 9}});
  const auto y = cumsum(Array<double>{1, 2, INFINITY, 3, NAN, 4});
  CHECK(y(1) == 3);
  CHECK(y(2) == INFINITY);
  CHECK(y(3) == INFINITY);
  CHECK(std::isnan(y(4)));
  CHECK(std::isnan(y(5)));
}
