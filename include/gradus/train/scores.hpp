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
    for (const auto& name : metrics) {
      const NamedMetric<T>& metric = metric_named<T>(name, layout);
      for (std::size_t i = 1; i < count_; ++i)
        gradus::detail::require<ValueError>(columns_[i].metric.of != metric.of, "metric \"", name,
                                            "\" is named twice");
      columns_[count_++].metric = metric;
    }
  }
  void reset() {
    for (Column& c : columns_) c.tally = {};
  }
  void add(const Outcome<T>& o, const Sample<T>& s, double loss) {
    const Index B = o.output.shape().rank() > 0 ? o.output.shape()[0] : 1;
    const Scored<T> scored{o.output.view(), s.targets.view(), s.labels.view(), o.threshold, o.left_out};
    for (std::size_t i = 0; i < count_; ++i) {
      Column& c = columns_[i];
      c.tally += c.metric.of ? c.metric.of(scored) : Tally{loss * double(B), double(B)};
    }
  }
  std::size_t count() const { return count_; }
  std::string name(std::size_t i) const { return columns_[i].metric.name; }
  double value(std::size_t i) const { return columns_[i].tally.value(); }

 private:
  struct Column {
    NamedMetric<T> metric{"loss", nullptr};
    Tally tally;
  };
  Column columns_[1 + std::size(detail::metrics<T>)];  // the loss first
  std::size_t count_ = 1;
};

/// A data set to be judged by: what validation and evaluate() are.
template <class T> struct Evaluation {
  Feed<T> feed;
  Scores<T> scores;
  Tape tape{false};

  Evaluation(const data::Source<T>& source, Index batch_size, const std::vector<std::string>& metrics,
             const LossOptions<T>& options, const Array<T>& weights)
      : feed(source, batch_size, options, weights), scores(metrics, feed.layout()) {}

  /// Runs the samples through the model without training it.
  void run(const nn::Module<T>& model, const NamedLoss<T>& loss, Index batch_size) {
    scores.reset();
    static thread_local std::vector<std::int32_t> rows;  // 0, 1, 2 …: grows once
    for (Index first = 0; first < feed.size(); first += batch_size) {
      const Index B = std::min(batch_size, feed.size() - first);
      rows.resize(std::size_t(B));
      std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(first));
      const Sample<T>& s = feed.load(tape, rows);
      const Outcome<T> o = loss(model, s);
      scores.add(o, s, double(o.loss.item()));
    }
  }
};

}  // namespace gradus::train
