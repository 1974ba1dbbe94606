// SPDX-License-Identifier: MIT
// Loss and metrics over many batches.
#pragma once

#include <numeric>

#include <gradus/train/feed.hpp>
#include <gradus/train/metrics.hpp>

namespace gradus::train {

/// Loss and metrics over the samples seen since reset().
template <class T> class Scores {
 public:
  Scores(const std::vector<std::string>& metrics, const data::Layout& layout) {
    columns_.push_back({{"loss", nullptr}, {}});
    for (const auto& name : metrics) columns_.push_back({metric_named<T>(name, layout), {}});
  }
  void reset() {
    for (Column& c : columns_) c.tally = {};
  }
  void add(const Outcome<T>& o, const Sample<T>& s, double loss) {
    const Index B = o.output.shape().rank() > 0 ? o.output.shape()[0] : 1;
    const Scored<T> scored{o.output.view(), s.targets.view(), s.labels.view(), o.threshold, o.left_out};
    for (Column& c : columns_)
      c.tally += c.metric.of ? c.metric.of(scored) : Tally{loss * double(B), double(B)};
  }
  std::size_t count() const { return columns_.size(); }
  std::string name(std::size_t i) const { return columns_[i].metric.name; }
  double value(std::size_t i) const { return columns_[i].tally.value(); }

 private:
  struct Column {
    NamedMetric<T> metric;
    Tally tally;
  };
  std::vector<Column> columns_;  // the loss first
};

/// Runs the samples through the model without training it.
template <class T> void score(const nn::Module<T>& model, Feed<T>& feed, const NamedLoss<T>& loss,
                              Index batch_size, Tape& tape, Scores<T>& to) {
  to.reset();
  static thread_local std::vector<std::int32_t> rows;  // 0, 1, 2 …: grows once
  for (Index first = 0; first < feed.size(); first += batch_size) {
    const Index B = std::min(batch_size, feed.size() - first);
    rows.resize(std::size_t(B));
    std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(first));
    const Sample<T>& s = feed.load(tape, rows);
    const Outcome<T> o = loss(model, s);
    to.add(o, s, double(o.loss.item()));
  }
}

}  // namespace gradus::train
