// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <gradus/data/batches.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using data::Batches;

namespace {
std::vector<std::int32_t> copy(std::span<const std::int32_t> rows) { return {rows.begin(), rows.end()}; }
}  // namespace

TEST_CASE("batches cover every row once, the last one keeps the rest") {
  Batches batches(10, 4, true, 7);
  CHECK(batches.size() == 10);
  CHECK(batches.count() == 3);
  CHECK(batches[0].size() == 4);
  CHECK(batches[2].size() == 2);
  std::vector<std::int32_t> all;
  for (Index k = 0; k < batches.count(); ++k) all.insert(all.end(), batches[k].begin(), batches[k].end());
  CHECK(all == copy(batches.rows()));
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

  CHECK(Batches(8, 4).count() == 2);
  CHECK(Batches(3, 32)[0].size() == 3);
  CHECK(Batches(0, 32).count() == 0);
}

TEST_CASE("the order depends on seed and epoch alone") {
  Batches a(100, 32, true, 7), b(100, 32, true, 7), other(100, 32, true, 8);
  const auto epoch0 = copy(a.rows());
  CHECK(copy(other.rows()) != epoch0);
  for (Index e = 1; e < 5; ++e) a.begin_epoch(e);
  b.begin_epoch(4);  // as if training went on after a pause
  CHECK(copy(a.rows()) == copy(b.rows()));
  CHECK(copy(a.rows()) != epoch0);
  a.begin_epoch(0);
  CHECK(copy(a.rows()) == epoch0);

  Batches few(6, 6, true, 1);  // the same on every machine
  few.begin_epoch(1);
  CHECK(copy(few.rows()) == std::vector<std::int32_t>{1, 3, 0, 4, 5, 2});

  Batches fixed(5, 2, false, 7);
  fixed.begin_epoch(3);
  CHECK(copy(fixed.rows()) == std::vector<std::int32_t>{0, 1, 2, 3, 4});
}

TEST_CASE("every order is as likely as any other") {
  Batches batches(4, 4, true, 3);
  std::map<std::vector<std::int32_t>, int> seen;
  constexpr int epochs = 24'000;
  for (Index e = 0; e < epochs; ++e) batches.begin_epoch(e), ++seen[copy(batches.rows())];
  REQUIRE(seen.size() == 24);
  double chi_square = 0;  // 23 degrees of freedom: above 49.7 once in a thousand
  for (const auto& [order, n] : seen) chi_square += (n - 1000.0) * (n - 1000.0) / 1000;
  CHECK(chi_square < 49.7);
}

TEST_CASE("batches that cannot be are refused in words") {
  CHECK_THROWS_AS(Batches(10, 0), ValueError);
  CHECK_THROWS_WITH(Batches(10, 0), "batches: batch size is 0; it should be at least 1");
  CHECK_THROWS_WITH(Batches(Index(1) << 31, 1), "batches: 2147483648 samples; 0 to 2147483647 are possible");
}

TEST_CASE("a copy of batches goes its own way") {
  Batches a(10, 4, true, 7), b = a;
  const auto epoch0 = copy(a.rows());
  b.begin_epoch(1);
  CHECK(copy(a.rows()) == epoch0);
  CHECK(copy(b.rows()) != epoch0);
  a.begin_epoch(1);
  CHECK(copy(a.rows()) == copy(b.rows()));
}
