// SPDX-License-Identifier: MIT
#include <gradus/ops/shape.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// y(i, j, …) = x(the indices that `from` gives for them).
template <class From> Array<double> moved(const Shape& shape, const Array<double>& x, const From& from) {
  Array<double> y(shape);
  for (Index at = 0; at < y.size(); ++at) {
    std::vector<Index> i(std::size_t(shape.rank()));
    for (Index axis = shape.rank() - 1, rest = at; axis >= 0; --axis) {
      i[std::size_t(axis)] = rest % shape[int(axis)];
      rest /= shape[int(axis)];
    }
    const std::vector<Index> j = from(i);
    Index offset = 0;
    for (std::size_t axis = 0; axis < j.size(); ++axis) offset = offset * x.shape()[int(axis)] + j[axis];
    y.mutable_data()[at] = x.data()[offset];
  }
  return y;
}

}  // namespace

TEST_CASE("reshape and flatten") {
  const auto same_order = [](const Array<double>& x, const Shape& s) {
    return Array<double>::from(x.values(), s);
  };
  expect_op(
      [](auto x) {
        return reshape(x, {5, -1});
      },
      [&](const Array<double>& x) {
        return same_order(x, {5, x.size() / 5});
      },
      {{numbers({5})}, {numbers({3, 5})}, {numbers({7, 5, 1})}, {numbers({5, 0})}});
  expect_op([](auto x) { return reshape(x, {}); }, [&](const Array<double>& x) { return same_order(x, {}); },
            {{numbers({1, 1})}});
  expect_op(
      [](auto x) { return flatten(x); },
      [&](const Array<double>& x) {
        return same_order(x, {x.shape()[0], x.shape().inner(0)});
      },
      {{numbers({3, 5, 7})}, {numbers({3, 5})}, {numbers({7})}, {numbers({0, 3, 2})}, {numbers({3, 0, 2})}});
}

TEST_CASE("permute") {
  const auto reference = [](const Array<double>& x) {
    return moved({x.shape()[2], x.shape()[0], x.shape()[1]}, x, [](const std::vector<Index>& i) {
      return std::vector{i[1], i[2], i[0]};
    });
  };
  const Samples cubes = {
      {numbers({3, 5, 7})}, {numbers({1, 17, 2})}, {numbers({2, 0, 3})}, {numbers({1, 1, 1})}};
  expect_op([](auto x) { return permute(x, {2, 0, 1}); }, reference, cubes);
  expect_op([](auto x) { return permute(x, {-1, 0, -2}); }, reference, cubes);
  expect_op([](auto x) { return permute(x, {}); }, [](const Array<double>& x) { return x; }, {{numbers({})}});
}

TEST_CASE("transpose") {
  expect_op([](auto x) { return transpose(x); },
            [](const Array<double>& x) {
              return moved({x.shape()[1], x.shape()[0]}, x, [](const std::vector<Index>& i) {
                return std::vector{i[1], i[0]};
              });
            },
            {{numbers({1, 1})}, {numbers({3, 7})}, {numbers({17, 33})}, {numbers({0, 4})}});
  expect_op([](auto x) { return transpose(x); },
            [](const Array<double>& x) {
              const Shape& s = x.shape();
              return moved({s[0], s[2], s[1]}, x, [](const std::vector<Index>& i) {
                return std::vector{i[0], i[2], i[1]};
              });
            },
            {{numbers({3, 5, 7})}});
}

TEST_CASE("slice") {
  expect_op([](auto x) { return slice(x, 1, 1, 6, 2); },
            [](const Array<double>& x) {
              const Shape& s = x.shape();
              return moved({s[0], 3, s[2]}, x, [](const std::vector<Index>& i) {
                return std::vector{i[0], 1 + 2 * i[1], i[2]};
              });
            },
            {{numbers({3, 7, 5})}, {numbers({1, 6, 1})}, {numbers({0, 7, 2})}});
  expect_op([](auto x) { return slice(x, -1, -3, -1); },
            [](const Array<double>& x) {
              return moved({2}, x,
                           [&](const std::vector<Index>& i) { return std::vector{x.size() - 3 + i[0]}; });
            },
            {{numbers({3})}, {numbers({17})}});
  CHECK(slice(Array<float>{1, 2, 3}, 0, 1, 1).shape() == Shape{0});
}

TEST_CASE("two slices of one tensor share its gradient") {
  Tape tape;
  const auto x = tape.variable(Array<float>{1, 2, 3, 4});
  tape.backward(sum(slice(x, 0, 0, 2) * slice(x, 0, 1, 3)));
  CHECK(tape.gradient(x) == Array<float>{2, 1 + 3, 2, 0});
}

TEST_CASE("concat and stack") {
  for (const int axis : {0, 1, -1}) {
    const auto reference = [&](const Array<double>& a, const Array<double>& b) {
      const int at = axis < 0 ? 1 : axis;
      const Index n = a.shape()[at];
      Array<double> y(a.shape().with(at, n + b.shape()[at]));
      for (Index i = 0; i < y.shape()[0]; ++i)
        for (Index j = 0; j < y.shape()[1]; ++j) {
          const Index k = at == 0 ? i : j;
          y.ref(i, j) = k < n ? a(i, j) : at == 0 ? b(i - n, j) : b(i, j - n);
        }
      return y;
    };
    expect_op(
        [&](auto a, auto b) {
          return concat({a, b}, axis);
        },
        reference,
        {{numbers({3, 3}), numbers({3, 3}, -1, 1, 2)},
         {numbers({17, 17}), numbers({17, 17}, 2, 3)},
         {numbers({0, 0}), numbers({0, 0})}});
  }
  expect_op(
      [&](auto a, auto b, auto c) {
        return stack({a, b, c}, 1);
      },
      [](const Array<double>& a, const Array<double>& b, const Array<double>& c) {
        Array<double> y(Shape{a.size(), 3});
        for (Index i = 0; i < a.size(); ++i) y.ref(i, 0) = a(i), y.ref(i, 1) = b(i), y.ref(i, 2) = c(i);
        return y;
      },
      {{numbers({1}), numbers({1}, 2, 3), numbers({1}, 4, 5)},
       {numbers({7}), numbers({7}, 2, 3), numbers({7}, 4, 5)}});
  const Tensor<float> a = Array<float>{{1, 2}}, b = Array<float>{{3, 4}, {5, 6}};
  CHECK(concat({a, b, a}).array() == Array<float>{{1, 2}, {3, 4}, {5, 6}, {1, 2}});
  CHECK(concat({a}).array() == a.array());
  CHECK(stack({a, a}, -1).array() == Array<float>{{{1, 1}, {2, 2}}});
}

TEST_CASE("shape ops: what does not fit is named") {
  const Array<float> x(Shape{2, 3});
  CHECK(words<ShapeError>([&] { reshape(x, {4, 2}); }) == "reshape: [2, 3] has 6 elements, [4, 2] has 8");
  CHECK(words<ShapeError>([&] {
          reshape(x, {4, -1});
        }) == "reshape: [2, 3] has 6 elements, which [4, -1] cannot hold");
  CHECK(words<ShapeError>([&] {
          reshape(x, {-1, -1});
        }) == "reshape: [-1, -1] has 2 sizes of -1; at most one is possible");
  CHECK(words<ShapeError>([&] { flatten(Array<float>(Shape{})); }) ==
        "flatten: x is a scalar; its first axis counts samples");
  CHECK(words<ShapeError>([&] { permute(x, {0}); }) == "permute: 1 axes are named, [2, 3] has 2");
  CHECK(words<ShapeError>([&] { permute(x, {0, -2}); }) == "permute: an axis of [2, 3] is named twice");
  CHECK(words<ShapeError>([&] {
          permute(x, {0, 2});
        }) == "permute: axis 2 is outside [2, 3], whose axes are -2 to 1");
  CHECK(words<ShapeError>([&] { transpose(Array<float>(Shape{3})); }) ==
        "transpose: x is [3]; it must have two axes or more");
  CHECK(words<IndexError>([&] { slice(x, 1, 2, 1); }) ==
        "slice: 2 to 1 by 1 is not within the 3 indices of axis 1 of [2, 3]");
  CHECK(words<IndexError>([&] { slice(x, 0, 0, 3); }) ==
        "slice: 0 to 3 by 1 is not within the 2 indices of axis 0 of [2, 3]");
  CHECK(words<IndexError>([&] { slice(x, 0, 0, 2, 0); }) ==
        "slice: 0 to 2 by 0 is not within the 2 indices of axis 0 of [2, 3]");
  const Tensor<float> a = x, b = Array<float>(Shape{3, 2}), c = Array<float>(Shape{3});
  CHECK(words<ShapeError>([&] {
          concat({a, b});
        }) == "concat: [2, 3] and [3, 2] must be the same but for axis 0");
  CHECK(words<ShapeError>([&] {
          concat({a, c});
        }) == "concat: [2, 3] and [3] must be the same but for axis 0");
  CHECK(words<ShapeError>([&] { concat(std::span<const Tensor<float>>()); }) ==
        "concat: no tensor was given; at least one is needed");
  CHECK(words<ShapeError>([&] { stack({a, b}); }) == "stack: [2, 3] and [3, 2]; all must have one shape");
  CHECK(words<ShapeError>([&] { stack({a, a}, 3); }) == "stack: axis 3 is not -3 to 2");
}
