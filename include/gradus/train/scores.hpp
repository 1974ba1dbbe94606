// SPDX-License-Identifier: MIT
// Loss and metrics over many batches.
#pragma once

#include <gradus/data/batches.hpp>
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
    Scored<T> scored{o.output.view(), s.targets.view(), s.labels.view(), o.threshold, o.left_out};
    Array<T> y, t;
    Array<std::int32_t> labels;
    if (looks()) {
      scored.y = readable(scored.y, y), scored.t = readable(scored.t, t);
      scored.labels = readable(scored.labels, labels);
    }
    add(scored, loss, B);
  }
  /// Views that the host can read; none are looked at where looks() says so.
  void add(const Scored<T>& scored, double loss, Index B) {
    for (std::size_t i = 0; i < count_; ++i) {
      Column& c = columns_[i];
      c.tally += c.metric.of ? c.metric.of(scored) : Tally{loss * double(B), double(B)};
    }
  }
  bool looks() const { return count_ > 1; }  ///< at outputs and targets, not at the loss alone
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
  data::Batches batches;
  Tape tape{false};

  Evaluation(const data::Source<T>& source, Index batch_size, const std::vector<std::string>& metrics,
             const LossOptions<T>& options, const Array<T>& weights, Device device)
      : feed(source, batch_size, options, weights, device),
        scores(metrics, feed.layout()),
        batches(source.size(), batch_size, false) {}

  /// Runs the samples through the model without training it.
  void run(const nn::Module<T>& model, const NamedLoss<T>& loss) {
    scores.reset();
    for (Index k = 0; k < batches.count(); ++k) {
      const Sample<T>& s = feed.load(tape, batches[k]);
      const Outcome<T> o = loss(model, s, false);
      scores.add(o, s, double(o.loss.item()));
    }
  }
};

}  // namespace gradus::train
