// SPDX-License-Identifier: MIT
#include <gradus/ops/gather.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Indices = Array<std::int32_t>;

TEST_CASE("take") {
  for (const int axis : {0, 1, 2, -1})
    for (const Indices& indices :
         {Indices{1, 0, 1, 1}, Indices{{0, 1}, {1, 1}}, Indices(Shape{0}), Indices(Shape{})}) {
      const auto reference = [&](const Array<double>& x) {
        const int at = axis < 0 ? axis + x.rank() : axis;
        std::vector<Index> sizes;
        for (int i = 0; i < x.rank(); ++i)
          if (i != at)
            sizes.push_back(x.shape()[i]);
          else
            for (const Index n : indices.shape().sizes()) sizes.push_back(n);
        Array<double> y{Shape(std::span<const Index>(sizes))};
        const Index outer = x.shape().outer(at), n = x.shape()[at], inner = x.shape().inner(at),
                    m = indices.size();
        for (Index o = 0; o < outer; ++o)
          for (Index k = 0; k < m; ++k)
            for (Index i = 0; i < inner; ++i)
              y.mutable_data()[(o * m + k) * inner + i] = x.data()[(o * n + indices.data()[k]) * inner + i];
        return y;
      };
      expect_op([&](auto x) { return take(x, indices.to(x.device()), axis); }, reference,
                {{numbers({2, 2, 2})}, {numbers({3, 5, 7})}});
    }
}

TEST_CASE("take adds up the gradients of repeated indices") {
  Tape tape;
  const auto table = tape.variable(Array<float>{{1, 2}, {3, 4}, {5, 6}});
  const auto y = take(table, Indices{2, 0, 2});
  CHECK(y.array() == Array<float>{{5, 6}, {1, 2}, {5, 6}});
  tape.backward(sum(y * Array<float>{{1, 10}, {2, 20}, {3, 30}}));
  CHECK(tape.gradient(table) == Array<float>{{2, 20}, {0, 0}, {4, 40}});
}

TEST_CASE("take: indices are checked") {
  const Array<float> x(Shape{3, 4});
  CHECK(words<IndexError>([&] { take(x, Indices{0, 3}); }) == "take: index 3 at place 1 is outside 0 to 2");
  CHECK(words<IndexError>([&] { take(x, Indices{-1}, 1); }) == "take: index -1 at place 0 is outside 0 to 3");
  CHECK(words<ShapeError>([&] { take(x, Indices{0}, 2); }) ==
        "take: axis 2 is outside [3, 4], whose axes are -2 to 1");
  CHECK(take(Array<float>(Shape{0, 4}), Indices(Shape{0})).shape() == Shape{0, 4});
}

TEST_CASE("one_hot") {
  CHECK(one_hot(Indices{1, 0}, 3).array() == Array<float>{{0, 1, 0}, {1, 0, 0}});
  CHECK(one_hot<double>(Indices{{2}, {0}}, 3).array() == Array<double>{{{0, 0, 1}}, {{1, 0, 0}}});
  CHECK(one_hot(Indices(Shape{0}), 3).shape() == Shape{0, 3});
  CHECK(one_hot<std::int32_t>(Indices(Shape{}), 2).array() == Indices{1, 0});
  Tape tape;
  const auto labels = tape.input(Indices{1});
  CHECK_FALSE(one_hot(labels, 2).wants_gradient());
  CHECK(words<IndexError>([&] {
          one_hot(Indices{0, 4}, 4);
        }) == "one_hot: label 4 at place 1 is outside 0 to 3");
}
