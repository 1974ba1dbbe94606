// SPDX-License-Identifier: MIT
#include <cmath>

#include <gradus/data/scale.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using data::MinMax;
using data::Standardize;

TEST_CASE("standardize gives mean 0 and deviation 1, and back") {
  const Array<double> x{{1, 10, 7}, {2, 30, 7}, {3, 20, 7}, {6, 60, 7}};
  const auto s = Standardize::fit(x);
  CHECK(s.shift == std::vector<double>{3, 30, 7});
  CHECK(s.scale[0] == Approx(std::sqrt(3.5)));
  CHECK(s.scale[2] == 1);  // a constant stays finite
  const auto z = s.transform(x);
  CHECK(z(0, 0) == Approx(-2 / std::sqrt(3.5)));
  CHECK(z(3, 2) == 0);
  const auto back = s.inverse(z);
  for (Index i = 0; i < x.size(); ++i) CHECK(back.data()[i] == Approx(x.data()[i]));
  CHECK(s.transform(Array<double>(Shape{0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("a constant that rounding makes look otherwise is a constant") {
  const auto s = Standardize::fit(full<double>({1000, 1}, 0.1));
  CHECK(s.scale[0] == 1);
  CHECK(s.transform(full<double>({1, 1}, 0.1)).item() == Approx(0).margin(1e-12));
}

TEST_CASE("min max maps onto 0 to 1") {
  const Array<float> x{{-2, 5}, {2, 5}, {0, 5}};
  const auto s = MinMax::fit(x);
  CHECK(s.transform(x) == Array<float>{{0, 0}, {1, 0}, {0.5f, 0}});
  CHECK(s.inverse(s.transform(x)) == x);
}

TEST_CASE("scales come back from metadata bit for bit") {
  const Array<double> x{{0.1, 1e-300}, {1.0 / 3, 3e200}, {-7, 0}};
  auto metadata = Standardize::fit(x).metadata();
  metadata.merge(MinMax::fit(x).metadata());
  CHECK(metadata.size() == 4);
  CHECK(Standardize::from_metadata(metadata) == Standardize::fit(x));
  CHECK(MinMax::from_metadata(metadata) == MinMax::fit(x));

  CHECK_THROWS_AS(Standardize::from_metadata({}), ValueError);
  CHECK_THROWS_WITH(Standardize::from_metadata({}), "metadata: there is no \"standardize.mean\"");
  CHECK_THROWS_WITH(MinMax::from_metadata({{"min_max.least", "1 x"}, {"min_max.range", "1"}}),
                    "metadata: \"min_max.least\" should be numbers with a space between, saw \"1 x\"");
  CHECK_THROWS_WITH(
      MinMax::from_metadata({{"min_max.least", "1 2"}, {"min_max.range", "1"}}),
      "metadata: \"min_max.least\" has 2 numbers, \"min_max.range\" has 1; both should have as many, "
      "the latter none of 0");
}

TEST_CASE("what cannot be scaled is refused in words") {
  CHECK_THROWS_AS(Standardize::fit(Array<float>{1, 2}), ShapeError);
  CHECK_THROWS_WITH(Standardize::fit(Array<float>{1, 2}),
                    "standardize: x is [2]; it should be [N, F] with rows to learn from");
  CHECK_THROWS_WITH(MinMax::fit(Array<float>(Shape{0, 2})),
                    "min_max: x is [0, 2]; it should be [N, F] with rows to learn from");
  CHECK_THROWS_AS(MinMax::fit(Array<float>{{1, 2}, {3, NAN}}), ValueError);
  CHECK_THROWS_WITH(MinMax::fit(Array<float>{{1, 2}, {3, INFINITY}}),
                    "min_max: x(1, 1) is inf; all should be finite");
  CHECK_THROWS_WITH(MinMax::fit(Array<float>{{1, 2}}).transform(Array<float>{{1, 2, 3}}),
                    "scale: x is [1, 3]; it should be [N, 2] as in the fit");
}
