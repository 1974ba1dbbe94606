// SPDX-License-Identifier: MIT
// Samples to learn from: one row of every array is one sample.
//
//   Source    what fit() asks for samples: derive from it for data that is not in memory
//   Dataset   a Source in memory; a value
//   Batch     the samples of one step
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/core/random.hpp>
#include <gradus/core/rows.hpp>

namespace gradus::data {

namespace detail {
using gradus::detail::fail;

/// Throws IndexError unless all are within 0 … n − 1.
inline void expect_rows(std::span<const std::int32_t> rows, Index n, const char* who) {
  std::uint32_t largest = 0;  // of the unsigned values: a negative one is larger than all
  for (std::size_t i = 0; i < rows.size(); ++i)
    largest = std::max(largest, static_cast<std::uint32_t>(rows[i]));
  if (!rows.empty() && Index(largest) >= n)
    fail<IndexError>(who, ": row ", static_cast<std::int32_t>(largest), " is outside 0 to ", n - 1);
}

}  // namespace detail

/// The samples of one step: inputs [B, F…], one array per input of the model; targets [B, K] or labels [B].
template <class T = float> struct Batch {
  std::vector<Array<T>> inputs;
  Array<T> targets;
  Array<std::int32_t> labels;
};

/// The shapes of one sample. {.inputs = {{784}}, .labels = true} or {.inputs = {{2}}, .targets = {1}}.
struct Layout {
  std::vector<Shape> inputs;  ///< one for every input of the model
  Shape targets{0};           ///< without labels: numbers to hit
  bool labels = false;        ///< true: a class index, and no targets
};

template <class T> struct Dataset;

/// Where fit() takes its samples from. What is const here may be called by several threads at once.
template <class T = float> struct Source {
  virtual ~Source() = default;
  virtual Index size() const = 0;  ///< samples
  virtual Layout layout() const = 0;

  /// Sample rows[i] becomes row i of every array of `to`. The arrays are there already, with as many rows as
  /// are asked for, in the shapes of layout(), on the CPU, and owned by `to` alone: write to mutable_data().
  virtual void read(std::span<const std::int32_t> rows, Batch<T>& to) const = 0;

  /// The samples themselves where all of them are arrays: batches are then gathered from there.
  virtual const Dataset<T>* in_memory() const { return nullptr; }
};

/// Samples in memory. Copies share the arrays. Exactly one of targets and labels is not empty.
template <class T = float> struct Dataset : Source<T> {
  std::vector<Array<T>> inputs;  ///< [N, F…] each
  Array<T> targets;              ///< [N, K]: regression, or 0 and 1
  Array<std::int32_t> labels;    ///< [N]: class indices
  std::vector<std::string> feature_names, class_names;

  Dataset() = default;

  /// Targets of [N] become [N, 1]. Throws ShapeError where the arrays differ in their number of rows,
  /// IndexError for a negative label.
  Dataset(std::vector<Array<T>> x, Array<T> y) : inputs(std::move(x)), targets(std::move(y)) {
    if (targets.rank() == 1) targets = targets.reshape({-1, 1});
    check();
  }
  Dataset(std::vector<Array<T>> x, Array<std::int32_t> y) : inputs(std::move(x)), labels(std::move(y)) {
    check();
  }
  Dataset(Array<T> x, Array<T> y) : Dataset(one(std::move(x)), std::move(y)) {}
  Dataset(Array<T> x, Array<std::int32_t> y) : Dataset(one(std::move(x)), std::move(y)) {}

  bool has_labels() const { return targets.size() == 0 && labels.size() > 0; }

  const Dataset* in_memory() const override { return this; }
  Index size() const override { return inputs.empty() || inputs[0].rank() == 0 ? 0 : inputs[0].shape()[0]; }

  Layout layout() const override {
    Layout sizes{.inputs = std::vector<Shape>(inputs.size())};
    for (std::size_t i = 0; i < inputs.size(); ++i) sizes.inputs[i] = inputs[i].shape().without(0);
    if (has_labels())
      sizes.labels = true;
    else if (targets.rank() > 0)
      sizes.targets = targets.shape().without(0);
    return sizes;
  }

  void read(std::span<const std::int32_t> rows, Batch<T>& to) const override {
    detail::expect_rows(rows, size(), "dataset: read");
    for (std::size_t i = 0; i < inputs.size(); ++i) gather(to.inputs[i], inputs[i], rows);
    if (has_labels())
      gather(to.labels, labels, rows);
    else
      gather(to.targets, targets, rows);
  }

  /// Copies of these rows, in this order. Throws IndexError.
  Dataset select(std::span<const std::int32_t> rows) const {
    detail::expect_rows(rows, size(), "dataset: select");
    return each([&]<class U>(const Array<U>& a) {
      auto to = Array<U>::uninitialized(a.shape().with(0, Index(rows.size())));
      gather(to, a, rows);
      return to;
    });
  }
  Dataset select(std::initializer_list<std::int32_t> rows) const {
    return select(std::span(rows.begin(), rows.size()));
  }

  /// Rows first … last − 1, sharing memory; −1 is the last row. Throws IndexError.
  Dataset slice(Index first, Index last) const {
    return each([&](const auto& a) { return a.slice(first, last); });
  }

  /// Shuffled and cut: {the first `fraction`, the rest}. The same seed gives the same parts on every machine.
  /// Throws ValueError where a part would be empty.
  std::pair<Dataset, Dataset> split(double fraction, std::uint64_t seed = 0) const {
    expect_fraction(fraction, "split");
    const auto first = static_cast<Index>(std::llround(fraction * double(size())));
    if (first == 0 || first == size()) empty_part("split", fraction);
    const Array<std::int32_t> rows = order(seed);
    return {select(rows.values().first(std::size_t(first))),
            select(rows.values().subspan(std::size_t(first)))};
  }

  /// As split, with the classes in both parts as they are in the whole: each to the nearest number of
  /// samples, and at least one in either part where there are two. Classes are labels, or targets of 0 and 1.
  /// Throws ValueError.
  std::pair<Dataset, Dataset> stratified_split(double fraction, std::uint64_t seed = 0) const {
    expect_fraction(fraction, "stratified_split");
    std::map<Index, Index>
        left;  // by class: first its samples, then how many of them the first part still takes
    for (Index i = 0; i < size(); ++i) ++left[class_of(i)];
    for (auto& [k, n] : left)
      n = std::clamp(static_cast<Index>(std::llround(fraction * double(n))), Index(n > 1),
                     std::max(n - 1, Index(1)));
    std::vector<std::int32_t> parts[2];
    for (const std::int32_t row : order(seed)) parts[left[class_of(row)]-- > 0 ? 0 : 1].push_back(row);
    if (parts[0].empty() || parts[1].empty()) empty_part("stratified_split", fraction);
    return {select(parts[0]), select(parts[1])};
  }

  /// Keras' validation_split: the last `fraction`, not shuffled, sharing memory: {the samples before it, it}.
  /// Throws ValueError where a part would be empty.
  std::pair<Dataset, Dataset> split_last(double fraction) const {
    expect_fraction(fraction, "split_last");
    const auto first = static_cast<Index>(double(size()) * (1 - fraction));  // down, as Keras rounds
    if (first == 0) empty_part("split_last", fraction);
    return {slice(0, first), slice(first, size())};
  }

  /// Throws as the constructors do: for those who change the members.
  void check() const {
    if (inputs.empty())
      detail::fail<ShapeError>("dataset: there is no input; at least one array [N, ...] is needed");
    const Index n = size();
    const auto expect = [&](const auto& a, const std::string& what) {
      if (a.rank() == 0)
        detail::fail<ShapeError>("dataset: ", what, " is a scalar; it should have a row per sample");
      if (a.shape()[0] != n)
        detail::fail<ShapeError>("dataset: ", what, " is ", a.shape(), ", inputs[0] is ", inputs[0].shape(),
                                 "; both should have as many rows");
    };
    for (std::size_t i = 0; i < inputs.size(); ++i)
      expect(inputs[i], gradus::detail::message("inputs[", i, "]"));
    if (targets.size() > 0 && labels.size() > 0)
      detail::fail<ShapeError>("dataset: targets are ", targets.shape(), " and labels ", labels.shape(),
                               "; one of them should be empty");
    if (n > std::numeric_limits<std::int32_t>::max())
      detail::fail<ShapeError>("dataset: ", n, " rows; at most 2147483647 are possible");
    if (labels.size() == 0) return expect(targets, "targets");
    expect(labels, "labels");
    if (labels.rank() != 1)
      detail::fail<ShapeError>("dataset: labels are ", labels.shape(), "; they should be [N]");
    const std::int32_t* const label = labels.begin();
    for (Index row = 0; row < n; ++row)
      if (label[row] < 0)
        detail::fail<IndexError>("dataset: label ", label[row], " of row ", row, " should be at least 0");
  }

 private:
  static std::vector<Array<T>> one(Array<T> x) {
    std::vector<Array<T>> inputs;
    inputs.push_back(std::move(x));
    return inputs;
  }
  template <class U>
  static void gather(Array<U>& to, const Array<U>& from, std::span<const std::int32_t> rows) {
    const Shape& shape = from.shape();
    if (to.rank() != shape.rank() || to.shape().size() != Index(rows.size()) * shape.inner(0))
      detail::fail<ShapeError>("dataset: the batch's array is ", to.shape(), "; it should be ",
                               shape.with(0, Index(rows.size())));
    const Index bytes = shape.inner(0) * Index(sizeof(U));
    gradus::detail::gather_rows({to.mutable_data(), from.data(), bytes}, rows);
  }

  template <class F> Dataset each(F&& f) const {
    Dataset result = *this;
    for (Array<T>& x : result.inputs) x = f(x);
    if (has_labels())
      result.labels = f(labels);
    else
      result.targets = f(targets);
    return result;
  }

  static void expect_fraction(double fraction, const char* who) {
    if (!(fraction > 0 && fraction < 1))
      detail::fail<ValueError>("dataset: ", who, ": fraction is ", fraction,
                               "; it should be between 0 and 1");
  }
  [[noreturn]] void empty_part(const char* who, double fraction) const {
    detail::fail<ValueError>("dataset: ", who, ": a fraction of ", fraction, " of ", size(),
                             " samples leaves one part empty");
  }

  Array<std::int32_t> order(std::uint64_t seed) const {
    auto rows = Array<std::int32_t>::uninitialized(Shape{size()});
    random::Stream(seed, "data/split").permutation(rows.mutable_data(), size());
    return rows;
  }

  Index class_of(Index row) const {
    if (has_labels()) return labels.data()[row];
    const Index k = targets.shape().inner(0);
    const T* const y = targets.data() + row * k;
    if (!std::all_of(y, y + k, [](const T& v) { return v == T(0) || v == T(1); }))
      detail::fail<ValueError>("dataset: stratified_split needs classes: labels, or targets of 0 and 1; row ",
                               row, " of the targets has other numbers");
    return k == 1 ? Index(y[0] == T(1)) : Index(std::max_element(y, y + k) - y);
  }
};

}  // namespace gradus::data
