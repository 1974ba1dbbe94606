// SPDX-License-Identifier: MIT
#include <gradus/ops/pointwise.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

// a user's own op, its gradient and its use: ten lines
struct Swish {  // y = x σ(bx)   (Ramachandran et al., 2017)
  static constexpr const char* name = "swish";
  template <class X> static X value(X x, X b) { return x / (1 + math::exp(-b * x)); }
  template <class X> static X slope_at_x(X x, X b) {
    const X s = 1 / (1 + math::exp(-b * x));
    return s + b * x * s * (1 - s);
  }
};
template <Operand A> auto swish(const A& a, double b) { return pointwise<Swish>(a, b); }

struct Hypotenuse {  // c = √(a² + b²)
  static constexpr const char* name = "hypotenuse";
  template <class X> static X value(X a, X b) { return math::sqrt(a * a + b * b); }
  template <class X> static X da(X dc, X a, X b) { return dc * a / math::sqrt(a * a + b * b); }
  template <class X> static X db(X dc, X a, X b) { return dc * b / math::sqrt(a * a + b * b); }
};
struct Root {  // keeps y
  static constexpr const char* name = "root";
  template <class X> static X value(X x) { return math::sqrt(x); }
  template <class X> static X slope_at_y(X y) { return X(0.5) / y; }
};

}  // namespace

TEST_CASE("a user's own op of one operand") {
  expect_op([](auto x) { return swish(x, 1.5); }, [](Real x) { return x / (1 + std::exp(-1.5L * x)); },
            grid({-5, -1, 0, 0.25, 1, 20}));
  expect_op([](auto x) { return pointwise<Root>(x); }, [](Real x) { return std::sqrt(x); },
            grid({0.5, 1, 4, 100}));
}

TEST_CASE("a user's own op of two operands") {
  expect_op([](auto a, auto b) { return pairwise<Hypotenuse>(a, b); },
            [](Real a, Real b) { return std::sqrt(a * a + b * b); }, grid({-3, 0.5, 1}, {-4, 2, 7}));
  CHECK(words<ShapeError>([] { pairwise<Hypotenuse>(Array<float>(Shape{2}), Array<float>(Shape{3})); }) ==
        "hypotenuse: a is [2], b is [3]; sizes must be equal or 1, but axis -1 has 2 and 3");
}

TEST_CASE("a value does not depend on its place") {  // nor on the block or the tail that it is in
  const auto x = numbers({100}, -3, 3).to<float>();
  const auto y = swish(x, 1).array();
  for (Index i = 0; i < x.size(); ++i)
    for (const Index n : {Index(1), std::min<Index>(17, x.size() - i)})
      CHECK(swish(x.slice(i, i + n), 1).array()(0) == y(i));
}

TEST_CASE("broadcasting back sums over neighbouring and separate axes") {
  for (const auto& [a, b] : {std::pair{Shape{2, 3, 4, 5}, Shape{3, 1, 5}},
                             {{2, 3, 4, 5}, {2, 1, 4, 1}},
                             {{2, 3, 4, 5}, {1, 3, 1, 5}},
                             {{2, 3, 4, 5}, {1, 1, 1, 1}},
                             {{2, 1, 4, 1}, {1, 3, 1, 5}},
                             {{1, 1}, {1, 1, 1}}})
    expect_op([](auto x, auto y) { return pairwise<Hypotenuse>(x, y); },
              [](Real x, Real y) { return std::sqrt(x * x + y * y); },
              {{numbers(a, 1, 2), numbers(b, 1, 2, 2)}});
}
