// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include <gradus/data/dataset.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;
using data::Batch;
using data::Dataset;

namespace {

/// Row i is (i, 10 i), its target i.
Dataset<float> counted(Index n) {
  auto x = Array<float>::uninitialized({n, 2});
  for (Index i = 0; i < n; ++i) x.ref(i, 0) = float(i), x.ref(i, 1) = float(10 * i);
  return {x, arange<float>(n)};
}
std::multiset<float> targets(const Dataset<float>& d) { return {d.targets.begin(), d.targets.end()}; }

}  // namespace

TEST_CASE("a dataset knows its samples") {
  const Dataset<float> d = counted(5);
  CHECK(d.size() == 5);
  CHECK(d.targets.shape() == Shape{5, 1});  // [N] becomes [N, 1]
  CHECK_FALSE(d.has_labels());
  CHECK(d.layout().inputs == std::vector<Shape>{{2}});
  CHECK(d.layout().targets == Shape{1});
  CHECK_FALSE(d.layout().labels);

  const Dataset classes(Array<double>(Shape{3, 4, 5}), Array<std::int32_t>{0, 2, 1});
  CHECK(classes.has_labels());
  CHECK(classes.layout().inputs == std::vector<Shape>{{4, 5}});
  CHECK(classes.layout().labels);
  CHECK(Dataset<float>().size() == 0);
}

TEST_CASE("a dataset whose parts do not fit is refused in words") {
  const Array<float> x(Shape{3, 2});
  CHECK_THROWS_AS(Dataset(x, Array<float>(Shape{4, 1})), ShapeError);
  CHECK_THROWS_WITH(Dataset(x, Array<float>(Shape{4, 1})),
                    "dataset: targets is [4, 1], inputs[0] is [3, 2]; both should have as many rows");
  CHECK_THROWS_WITH(Dataset(x, Array<std::int32_t>{0, 1}),
                    "dataset: labels is [2], inputs[0] is [3, 2]; both should have as many rows");
  CHECK_THROWS_WITH(Dataset<float>({x, Array<float>(Shape{2, 2})}, Array<float>(Shape{3})),
                    "dataset: inputs[1] is [2, 2], inputs[0] is [3, 2]; both should have as many rows");
  CHECK_THROWS_WITH(Dataset(x, Array<std::int32_t>(Shape{3, 1})),
                    "dataset: labels are [3, 1]; they should be [N]");
  CHECK_THROWS_WITH(Dataset<float>(std::vector<Array<float>>{}, Array<float>(Shape{3})),
                    "dataset: there is no input; at least one array [N, ...] is needed");
  CHECK_THROWS_WITH(Dataset(x, Array<std::int32_t>{0, 1, 1}.to(Device("fake:0"))),
                    "values: the array [3] is on fake:0; move it with .to(\"cpu\")");
  CHECK_THROWS_AS(Dataset(x, Array<std::int32_t>{0, -1, 1}), IndexError);
  CHECK_THROWS_WITH(Dataset(x, Array<std::int32_t>{0, -1, 1}),
                    "dataset: label -1 of row 1 should be at least 0");
  Dataset both(x, Array<std::int32_t>{0, 1, 2});
  both.targets = Array<float>(Shape{3, 1});
  CHECK_THROWS_WITH(both.check(), "dataset: targets are [3, 1] and labels [3]; one of them should be empty");
}

TEST_CASE("rows are selected, sliced and read") {
  const Dataset<float> d = counted(5);
  const auto picked = d.select({4, 0, 4});
  CHECK(picked.inputs[0] == Array<float>{{4, 40}, {0, 0}, {4, 40}});
  CHECK(picked.targets == Array<float>{{4}, {0}, {4}});
  const auto part = d.slice(1, -1);
  CHECK(part.size() == 3);
  CHECK(part.inputs[0].data() == d.inputs[0].data() + 2);  // shared

  Batch<float> batch{{Array<float>(Shape{2, 2})}, Array<float>(Shape{2, 1}), {}};
  d.read(std::vector<std::int32_t>{3, 1}, batch);
  CHECK(batch.inputs[0] == Array<float>{{3, 30}, {1, 10}});
  CHECK(batch.targets == Array<float>{{3}, {1}});

  for (const Index width : {1, 2, 3, 4, 7}) {  // each width may have code of its own
    const Dataset wide(arange<float>(4 * width).reshape({4, width}), Array<std::int32_t>{5, 6, 7, 8});
    Batch<float> to{{Array<float>(Shape{2, width})}, {}, Array<std::int32_t>(Shape{2})};
    wide.read(std::vector<std::int32_t>{2, 3}, to);
    CHECK(to.inputs[0] == wide.inputs[0].slice(2, 4));
    CHECK(to.labels == Array<std::int32_t>{7, 8});
  }

  CHECK_THROWS_AS(d.select({0, 5}), IndexError);
  CHECK_THROWS_WITH(d.select({0, 5}), "dataset: select: row 5 is outside 0 to 4");
  CHECK_THROWS_WITH(d.select({-1, 4}), "dataset: select: row -1 is outside 0 to 4");
  CHECK_THROWS_WITH(d.read(std::vector<std::int32_t>{1}, batch),
                    "dataset: the batch's array is [2, 2]; it should be [1, 2]");
}

TEST_CASE("a split shuffles, loses nothing, and is the same for a seed") {
  const Dataset<float> d = counted(10);
  const auto [first, rest] = d.split(0.8, 7);
  CHECK(first.size() == 8);
  CHECK(rest.size() == 2);
  auto all = targets(first);
  all.merge(targets(rest));
  CHECK(all == targets(d));
  for (const auto& part : {first, rest})
    for (Index i = 0; i < part.size(); ++i) CHECK(part.inputs[0](i, 1) == 10 * part.targets(i, 0));
  CHECK(first.targets == d.split(0.8, 7).first.targets);
  CHECK_FALSE(first.targets == d.split(0.8, 8).first.targets);
  CHECK_FALSE(std::is_sorted(first.targets.begin(), first.targets.end()));

  CHECK_THROWS_AS(d.split(1.0), ValueError);
  CHECK_THROWS_WITH(d.split(0.0), "dataset: split: fraction is 0; it should be between 0 and 1");
  CHECK_THROWS_WITH(d.split(0.01), "dataset: split: a fraction of 0.01 of 10 samples leaves one part empty");
}

TEST_CASE("split_last takes the last samples, as Keras' validation_split does") {
  const Dataset<float> d = counted(10);
  const auto [train, validation] = d.split_last(0.25);
  CHECK(train.size() == 7);  // floor(10 · 0.75)
  CHECK(validation.targets == Array<float>{{7}, {8}, {9}});
  CHECK(validation.targets.data() == d.targets.data() + 7);
  CHECK(d.split_last(0.04).second.size() == 1);
  CHECK_THROWS_WITH(d.split_last(0.95),
                    "dataset: split_last: a fraction of 0.95 of 10 samples leaves one part empty");
}

TEST_CASE("a stratified split keeps the classes' shares") {
  std::vector<std::int32_t> y(100, 0);
  std::fill(y.begin() + 80, y.end(), 1);  // 80 : 17 : 3
  std::fill(y.begin() + 97, y.end(), 2);
  const Dataset d(arange<float>(100).reshape({-1, 1}), Array<std::int32_t>::from(y));
  const auto [first, rest] = d.stratified_split(0.75, 3);
  const auto count = [](const auto& part, int k) {
    return std::count(part.labels.begin(), part.labels.end(), k);
  };
  CHECK(count(first, 0) == 60);
  CHECK(count(rest, 0) == 20);
  CHECK(count(first, 1) == 13);
  CHECK(count(rest, 1) == 4);
  CHECK(count(first, 2) == 2);
  CHECK(count(rest, 2) == 1);
  CHECK(first.labels == d.stratified_split(0.75, 3).first.labels);
  CHECK_FALSE(std::is_sorted(first.labels.begin(), first.labels.end()));

  const Dataset binary(Array<float>(Shape{4, 1}), Array<float>{0, 1, 1, 0});
  const auto halves = binary.stratified_split(0.5);
  CHECK(std::accumulate(halves.first.targets.begin(), halves.first.targets.end(), 0.f) == 1);
  const Dataset one_hot(Array<float>(Shape{4, 1}), Array<float>{{0, 1}, {1, 0}, {1, 0}, {0, 1}});
  CHECK(one_hot.stratified_split(0.5).first.targets.size() == 4);
  CHECK_THROWS_WITH(counted(5).stratified_split(0.5),
                    "dataset: stratified_split needs classes: labels, or targets of 0 and 1; "
                    "row 2 of the targets has other numbers");
}

TEST_CASE("users write sources of their own") {
  struct Squares : data::Source<float> {
    Index size() const override { return 100; }
    data::Layout layout() const override { return {.inputs = {{1}}, .targets = {1}}; }
    void read(std::span<const std::int32_t> rows, Batch<float>& to) const override {
      float *const x = to.inputs[0].mutable_data(), *const y = to.targets.mutable_data();
      for (std::size_t i = 0; i < rows.size(); ++i) x[i] = float(rows[i]), y[i] = x[i] * x[i];
    }
  };
  const Squares squares;
  CHECK(squares.layout().inputs == std::vector<Shape>{{1}});
  Batch<float> batch{{Array<float>(Shape{2, 1})}, Array<float>(Shape{2, 1}), {}};
  squares.read(std::vector<std::int32_t>{3, 9}, batch);
  CHECK(batch.targets == Array<float>{{9}, {81}});
  const data::Layout image{.inputs = {{784}}, .labels = true};
  CHECK(image.inputs == std::vector<Shape>{{784}});
}
