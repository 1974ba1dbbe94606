// SPDX-License-Identifier: MIT
#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include <gradus/core/shape.hpp>

#include "tests/support/catch.hpp"

using gradus::broadcast;
using gradus::Index;
using gradus::Shape;
using gradus::ShapeError;

static_assert(std::is_trivially_copyable_v<Shape> && std::is_trivially_destructible_v<Shape>);
static_assert(sizeof(Shape) == 64);

TEST_CASE("a shape knows its sizes") {
  const Shape scalar;
  CHECK(scalar.rank() == 0);
  CHECK(scalar.size() == 1);
  CHECK(scalar.rows() == 1);
  CHECK(scalar.columns() == 1);
  CHECK(scalar.str() == "[]");

  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.size() == 24);
  CHECK((s[0] == 2 && s[1] == 3 && s[2] == 4));
  CHECK(s.rows() == 6);
  CHECK(s.columns() == 4);
  CHECK((s.outer(0) == 1 && s.outer(1) == 2 && s.outer(2) == 6));
  CHECK((s.inner(0) == 12 && s.inner(1) == 4 && s.inner(2) == 1));
  CHECK(std::vector<Index>(s.sizes().begin(), s.sizes().end()) == std::vector<Index>{2, 3, 4});
  CHECK(s.str() == "[2, 3, 4]");
  CHECK(Shape{5}.rows() == 1);
  CHECK(Shape{5}.columns() == 5);
}

TEST_CASE("a shape without elements") {
  const Shape s{2, 0, 3};
  CHECK(s.size() == 0);
  CHECK(s.rows() == 0);
  CHECK(s.columns() == 3);
  CHECK(s.outer(1) == 2);
  CHECK(s.inner(1) == 3);
  CHECK(s.inner(0) == 0);
}

TEST_CASE("shapes are equal where rank and sizes are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{6} == Shape{2, 3});
  CHECK_FALSE(Shape{} == Shape{1});
  CHECK_FALSE(Shape{0, 2} == Shape{0, 3});
}

TEST_CASE("a shape that cannot be") {
  CHECK_THROWS_AS((Shape{2, -1}), ShapeError);
  CHECK_THROWS_WITH((Shape{2, -1}), "shape: size -1 of axis 1 is negative");
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1}), "shape: 7 axes; at most 6 are possible");
  Shape full{1, 2, 3, 4, 5, 6};
  CHECK(full.size() == 720);
  CHECK_THROWS_WITH(full.append(1), "shape: [1, 2, 3, 4, 5, 6] has 6 axes already");
  CHECK(full == Shape{1, 2, 3, 4, 5, 6});  // nothing is half-changed
  const std::array<Index, 8> many{};
  CHECK_THROWS_WITH(Shape(std::span<const Index>(many)), "shape: 8 axes; at most 6 are possible");
}

TEST_CASE("size arithmetic is checked") {
  constexpr Index big = Index(1) << 40, most = Index(1) << 56;
  CHECK(Shape{most}.size() == most);
  CHECK(Shape{most, 1, 1}.size() == most);
  CHECK_THROWS_WITH((Shape{most + 1}),
                    "shape: [] times 72057594037927937 is more elements than memory can hold");
  CHECK_THROWS_WITH((Shape{big, big}),
                    "shape: [1099511627776] times 1099511627776 is more elements than memory can hold");
  CHECK_THROWS_AS((Shape{std::numeric_limits<Index>::max(), 2}), ShapeError);
  CHECK_THROWS_AS((Shape{Index(1) << 32, Index(1) << 32}), ShapeError);  // the product is 0 in 64 bits
  // a 0 does not hide the others, wherever it stands: inner, outer and rows multiply them
  CHECK_THROWS_AS((Shape{0, big, big}), ShapeError);
  CHECK_THROWS_AS((Shape{big, 0, big}), ShapeError);
  CHECK_THROWS_AS((Shape{big, big, 0}), ShapeError);
  CHECK(Shape{0, most}.inner(0) == most);
}

TEST_CASE("axes count from either end") {
  const Shape s{2, 3, 4};
  for (int i = 0; i < 3; ++i) {
    CHECK(s.axis(i, "sum") == i);
    CHECK(s.axis(i - 3, "sum") == i);
  }
  CHECK_THROWS_AS(s.axis(3, "sum"), ShapeError);
  CHECK_THROWS_WITH(s.axis(3, "sum"), "sum: axis 3 is outside [2, 3, 4], whose axes are -3 to 2");
  CHECK_THROWS_WITH(s.axis(-4, "max"), "max: axis -4 is outside [2, 3, 4], whose axes are -3 to 2");
  CHECK_THROWS_AS(Shape{}.axis(0, "sum"), ShapeError);
  CHECK_THROWS_AS(Shape{}.axis(-1, "sum"), ShapeError);
}

TEST_CASE("a size is replaced or left out") {
  const Shape s{2, 3, 4};
  CHECK(s.with(1, 7) == Shape{2, 7, 4});
  CHECK(s.with(0, 0) == Shape{0, 3, 4});
  CHECK(s.without(0) == Shape{3, 4});
  CHECK(s.without(2) == Shape{2, 3});
  CHECK(Shape{5}.without(0) == Shape{});
  CHECK(Shape{0, 4}.without(0) == Shape{4});
  CHECK_THROWS_AS(s.with(0, -1), ShapeError);
}

TEST_CASE("broadcasting is NumPy's") {
  struct Row {
    Shape a, b, both;
  };
  const std::vector<Row> table = {
      {{}, {}, {}},
      {{}, {3}, {3}},
      {{1}, {}, {1}},
      {{1}, {3}, {3}},
      {{3}, {3}, {3}},
      {{5, 4}, {1}, {5, 4}},
      {{5, 4}, {4}, {5, 4}},
      {{256, 256, 3}, {3}, {256, 256, 3}},
      {{8, 1, 6, 1}, {7, 1, 5}, {8, 7, 6, 5}},
      {{15, 3, 5}, {15, 1, 5}, {15, 3, 5}},
      {{15, 3, 5}, {3, 5}, {15, 3, 5}},
      {{15, 3, 5}, {3, 1}, {15, 3, 5}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{1, 1, 1, 1, 1, 1}, {2}, {1, 1, 1, 1, 1, 2}},
      {{0}, {1}, {0}},
      {{0}, {}, {0}},
      {{2, 1}, {0}, {2, 0}},
      {{0, 3}, {1, 3}, {0, 3}},
      {{1}, {2, 0, 4}, {2, 0, 4}},
  };
  for (const auto& [a, b, both] : table) {
    CAPTURE(a.str(), b.str());
    CHECK(broadcast(a, b, "add") == both);
    CHECK(broadcast(b, a, "add") == both);
  }
  CHECK_THROWS_AS(broadcast({3}, {4}, "add"), ShapeError);
  CHECK_THROWS_WITH(broadcast({3}, {4}, "add"),
                    "add: a is [3], b is [4]; sizes must be equal or 1, but axis -1 has 3 and 4");
  CHECK_THROWS_WITH(broadcast({2, 1}, {8, 4, 3}, "where"),
                    "where: a is [2, 1], b is [8, 4, 3]; sizes must be equal or 1, but axis -2 has 2 and 4");
  CHECK_THROWS_WITH(broadcast({0}, {2}, "mul"),
                    "mul: a is [0], b is [2]; sizes must be equal or 1, but axis -1 has 0 and 2");
  CHECK_THROWS_AS(broadcast({Index(1) << 40, 1}, {1, Index(1) << 40}, "add"),
                  ShapeError);  // too large together
}
