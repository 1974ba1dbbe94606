// SPDX-License-Identifier: MIT
#include <gradus/ops/matmul.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

Array<double> product(const Array<double>& a, const Array<double>& b) {
  const int ra = a.rank(), rb = b.rank();
  const Index M = a.shape()[ra - 2], K = a.shape()[ra - 1], N = b.shape()[rb - 1];
  Shape shape = (ra > 2 ? a.shape().with(ra - 2, M) : b.shape().with(rb - 2, M));
  shape = shape.with(shape.rank() - 1, N);
  Array<double> c(shape);
  for (Index i = 0; i < c.size(); ++i) {
    const Index batch = i / (M * N), m = i / N % M, n = i % N;
    Real s = 0;
    for (Index k = 0; k < K; ++k)
      s += Real(a.data()[(ra > 2 ? batch * M * K : 0) + m * K + k]) *
           b.data()[(rb > 2 ? batch * K * N : 0) + k * N + n];
    c.mutable_data()[i] = static_cast<double>(s);
  }
  return c;
}
Samples pairs(std::initializer_list<std::pair<Shape, Shape>> shapes) {
  Samples s;
  for (const auto& [a, b] : shapes) s.push_back({numbers(a), numbers(b, -1, 1, 2)});
  return s;
}
const auto op = [](auto a, auto b) { return matmul(a, b); };
// sums of up to 33 terms of size 1: their rounding does not shrink where the sum is near 0
constexpr Bounds sums = {.absolute = 64};

}  // namespace

TEST_CASE("matmul") {
  expect_op(op, product,
            pairs({{{1, 1}, {1, 1}},
                   {{2, 2}, {2, 2}},
                   {{3, 7}, {7, 1}},
                   {{1, 17}, {17, 5}},
                   {{7, 2}, {2, 33}},
                   {{5, 33}, {33, 3}},
                   {{0, 3}, {3, 2}},
                   {{2, 0}, {0, 3}},
                   {{2, 3}, {3, 0}}}),
            sums);
}

TEST_CASE("matmul of many matrices") {
  expect_op(op, product,
            pairs({{{3, 2, 5}, {3, 5, 4}},
                   {{2, 3, 1, 2}, {2, 3, 2, 1}},
                   {{1, 2, 3}, {1, 3, 2}},
                   {{3, 2, 5}, {5, 4}},
                   {{1, 2, 5}, {5, 4}},
                   {{2, 5}, {3, 5, 4}},
                   {{2, 5}, {1, 5, 4}},
                   {{0, 2, 5}, {0, 5, 4}},
                   {{0, 2, 5}, {5, 4}},
                   {{2, 5}, {0, 5, 4}}}),
            sums);
}

TEST_CASE("matmul(x, x) has both terms of its gradient") {
  Tape tape;
  const Array<double> a = {{1, 2}, {3, 4}};
  const auto x = tape.variable(a);
  const auto y = matmul(x, x);
  CHECK(y.array() == Array<double>{{7, 10}, {15, 22}});
  tape.backward(sum(y));
  CHECK(tape.gradient(x) == Array<double>{{7, 11}, {9, 13}});  // 1·Xᵀ + Xᵀ·1, by hand
}

TEST_CASE("matmul of whole numbers") {
  const Array<std::int64_t> a = {{1, 2}, {3, 4}}, b = {{5, 6}, {7, 8}};
  CHECK(matmul(a, b).array() == Array<std::int64_t>{{19, 22}, {43, 50}});
}

TEST_CASE("matmul: shapes that do not fit are named") {
  const auto say = [](const Shape& a, const Shape& b) {
    return words<ShapeError>([&] { matmul(Array<float>(a), Array<float>(b)); });
  };
  CHECK(say({64, 128}, {100, 10}) ==
        "matmul: a is [64, 128], b is [100, 10]; a's columns must equal b's rows");
  CHECK(say({3}, {3, 2}) == "matmul: a is [3], b is [3, 2]; both must have two axes or more");
  CHECK(say({3, 2}, {}) == "matmul: a is [3, 2], b is []; both must have two axes or more");
  CHECK(say({2, 3, 4}, {5, 4, 3}) ==
        "matmul: a is [2, 3, 4], b is [5, 4, 3]; the axes before the last two must be the same, or one "
        "operand a matrix");
}
