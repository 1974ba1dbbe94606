// SPDX-License-Identifier: MIT
// fit, evaluate, predict. Behaviour and defaults are Keras'.
#pragma once

#include <cmath>
#include <concepts>
#include <functional>

#include <gradus/data/batches.hpp>
#include <gradus/optim/adam.hpp>
#include <gradus/optim/optimizer.hpp>
#include <gradus/train/checks.hpp>
#include <gradus/train/progress.hpp>
#include <gradus/train/repeat.hpp>
#include <gradus/train/scores.hpp>

namespace gradus {

/// Samples by value: copies a Dataset (its arrays are shared) or a Source of the user's own.
template <class T> class Samples {
 public:
  Samples() = default;
  template <std::derived_from<data::Source<T>> S> Samples(const S& source) {
    struct Held final : detail::Block {
      S held;
      explicit Held(const S& s) : Block{[](Block* b) { delete static_cast<Held*>(b); }, nullptr}, held(s) {}
    };
    auto* const copy = new Held(source);
    owner_ = detail::Share(copy);
    source_ = &copy->held;
  }
  const data::Source<T>* source() const { return source_; }  ///< nullptr: none

 private:
  detail::Share owner_;
  const data::Source<T>* source_ = nullptr;
};

/// What fit() tells a callback after each epoch; `stop = true` ends the training there.
template <class T> struct Epoch {
  int number;  ///< from 0
  const History& history;
  nn::Module<T>& model;
  optim::Optimizer<T>& optimizer;
  bool stop = false;
};

template <class T = float> struct FitOptions {
  std::string loss = "mse";  ///< by name: see train/loss.hpp
  optim::Rule<T> optimizer = optim::Adam{};
  optim::Schedule schedule = {};  ///< of learning rate and momentum, by optimizer steps
  optim::Clip clip = {};
  int epochs = 1;
  Index batch_size = 32;  ///< the last batch of an epoch keeps what is left over
  bool shuffle = true;    ///< anew in each epoch
  Samples<T> validation = {};
  double validation_split = 0;  ///< the last samples, taken before shuffling; `validation` goes before it
  std::vector<std::string> metrics = {};  ///< by name: see train/metrics.hpp
  Array<T> class_weights = {};            ///< [classes]; of training only
  Array<T> sample_weights = {};           ///< [N]
  double label_smoothing = 0;
  std::string device = "auto";
  Precision precision = Precision::strict;  ///< of float32 products on a GPU; the CPU is always strict
  bool run_eagerly = false;  ///< true: a GPU does not repeat recorded steps by itself; for a forward() that
                             ///< decides anew in each step, or that a callback changes
  std::uint64_t seed = 0;    ///< of the shuffling and of dropout's draws
  Verbose verbose = Verbose::automatic;
  std::function<void(Epoch<T>&)> after_epoch = {};
};

namespace train {

template <class T> void check(const FitOptions<T>& o, Index samples) {
  using gradus::detail::require;
  require<ValueError>(samples > 0, "fit: the data has no samples");
  require<ValueError>(o.epochs >= 1, "fit: epochs is ", o.epochs, "; it must be at least 1");
  require<ValueError>(o.batch_size >= 1, "fit: batch_size is ", o.batch_size, "; it must be at least 1");
  require<ValueError>(o.validation_split >= 0 && o.validation_split < 1, "fit: validation_split is ",
                      o.validation_split, "; it must be at least 0 and less than 1");
  require<ValueError>(o.label_smoothing >= 0 && o.label_smoothing < 1, "fit: label_smoothing is ",
                      o.label_smoothing, "; it must be at least 0 and less than 1");
  require<ShapeError>(o.sample_weights.size() == 0 || o.sample_weights.shape() == Shape{samples},
                      "fit: sample_weights are ", o.sample_weights.shape(), "; they must be [", samples, "]");
}

/// Everything that lives as long as one call of fit().
template <class T> class Trainer {
 public:
  Trainer(nn::Module<T>& model, const data::Source<T>& data, const Array<T>& weights, const FitOptions<T>& o)
      : model_(model),
        o_(o),
        device_(Device::choose(o.device)),
        loss_(loss_named<T>(o.loss, data.layout())),
        feed_(data, o.batch_size, {.label_smoothing = o.label_smoothing, .class_weights = o.class_weights},
              weights, device_.device),
        batches_(data.size(), o.batch_size, o.shuffle, o.seed),
        scores_(o.metrics, feed_.layout()) {
    expect_targets(loss_, data);
    gradus::detail::require<ValueError>(o.precision == Precision::strict || !device_.device.is_cpu(),
                                        "fit: precision ", name(o.precision),
                                        " is a GPU's; the device is cpu");
    if (!device_.device.is_cpu())
      device_.reason = gradus::detail::message(device_.reason, "; products in ", name(o.precision));
    if (make_repetition<T> && !device_.device.is_cpu() && feed_.in_memory() && !o.run_eagerly)
      repetition_ = make_repetition<T>(device_.device, batches_, scores_.looks());
  }

  Trainer(const Trainer&) = delete;
  ~Trainer() { delete repetition_; }

  History run() { return run(nullptr); }
  /// After each epoch the model is judged by this data, too.
  History run(const data::Source<T>& data) {
    gradus::detail::require<ValueError>(data.size() > 0, "fit: the validation data has no samples");
    expect_alike(data.layout(), feed_.layout());
    expect_targets(loss_, data);
    Evaluation<T> validation(data, o_.batch_size, o_.metrics, {.label_smoothing = o_.label_smoothing}, {},
                             device_.device);
    return run(&validation);
  }

 private:
  History run(Evaluation<T>* validation) {
    const Stay stay{model_};
    const PrecisionScope precision(o_.precision);
    model_.to(device_.device);
    optim::Optimizer<T> optimizer(model_, o_.optimizer, o_.clip, o_.schedule);
    Progress progress(o_.verbose, o_.epochs);
    const std::size_t n = scores_.count();
    History h{.series = std::vector<History::Series>(validation ? 2 * n : n), .device = device_.reason};
    for (std::size_t i = 0; i < h.series.size(); ++i) {
      h.series[i].name = gradus::detail::message(i < n ? "" : "val_", scores_.name(i % n));
      h.series[i].values.reserve(std::size_t(std::min(o_.epochs, 1 << 16)));  // a callback may stop early
    }
    for (int e = 0; e < o_.epochs; ++e) {
      train_epoch(e, optimizer, validation);
      if (validation) validation->run(model_, loss_);
      for (std::size_t i = 0; i < h.series.size(); ++i)
        h.series[i].values.push_back((i < n ? scores_ : validation->scores).value(i % n));
      h.steps = optimizer.steps();
      if (repetition_) {
        const std::string why_not = repetition_->why_not();
        h.device = gradus::detail::message(device_.reason, why_not.empty() ? "" : "; ", why_not);
      }
      h.seconds = progress.seconds();
      bool stop = e + 1 == o_.epochs;
      if (o_.after_epoch) {
        Epoch<T> now{e, h, model_, optimizer};
        o_.after_epoch(now);
        stop = stop || now.stop;
      }
      progress.epoch(e + 1, h, stop);
      if (stop) break;
    }
    model_.to(stay.home);  // here it may throw
    return h;
  }

  void train_epoch(int e, optim::Optimizer<T>& optimizer, const Evaluation<T>* validation) {
    batches_.begin_epoch(e);
    scores_.reset();
    Part steps(*this, optimizer, validation, e);
    if (!repetition_)
      for (Index k = 0; k < batches_.count(); ++k) steps.by_host(k);
    else {
      if (std::exchange(learning_, optimizer.learning()) != optimizer.learning()) repetition_->forget();
      optimizer.expect_ownership();
      repetition_->epoch(steps);
    }
  }

  /// One epoch's steps: by the host, or as a device that repeats them wants them.
  struct Part final : Steps<T> {
    Trainer& t;
    optim::Optimizer<T>& optimizer;
    const Evaluation<T>* validation;
    const int e;
    Part(Trainer& trainer, optim::Optimizer<T>& o, const Evaluation<T>* v, int epoch)
        : t(trainer), optimizer(o), validation(v), e(epoch) {}

    Shape by_host(Index k) override {
      const Sample<T>& s = t.feed_.load(t.tape_, t.batches_[k]);
      const Outcome<T> o = t.loss_(t.model_, s);
      if (e == 0 && k == 0) t.expect_sense(o, validation);
      const double loss = double(o.loss.item());
      if (!std::isfinite(loss))
        diverged(k, loss, s, o);  // before the update: the parameters stay as they were
      t.tape_.backward(o.loss);
      optimizer.step();
      t.scores_.add(o, s, loss);
      return o.output.shape();
    }
    Outcome<T> record(const StepMemory<T>& m) override {
      const Outcome<T> o = t.loss_(t.model_, t.feed_.load(t.tape_, m.rows));
      t.tape_.backward(o.loss);
      kernels::Watch watch = m.watch;
      watch.loss = o.loss.view().data;
      optimizer.record(m.numbers, watch);
      return o;
    }
    void done(Index k, double loss, const Scored<T>& output) override {
      const auto rows = t.batches_[k];
      if (!std::isfinite(
              loss)) {  // since then no update has done anything: the step can be looked at once more
        const Sample<T>& s = t.feed_.load(t.tape_, rows);
        diverged(k, loss, s, t.loss_(t.model_, s));
      }
      Scored<T> scored = output;
      if (t.scores_.looks()) t.feed_.truth(rows, scored);
      t.scores_.add(scored, loss, Index(rows.size()));
    }
    void numbers(Index ahead, T* to) override { optimizer.numbers(ahead, to); }
    void advance(Index n) override { optimizer.advance(n); }
    void ready() override { t.tape_.clear(); }
    void undo() override { optimizer.forget_gradients(); }
    std::uint64_t draws(std::uint64_t first, const std::uint64_t* added) override {
      return t.tape_.count_draws(first, added);
    }

   private:
    [[noreturn]] void diverged(Index k, double loss, const Sample<T>& s, const Outcome<T>& o) {
      gradus::detail::fail<DivergenceError>("fit: the loss is ", unsigned_nan(loss), " in epoch ", e + 1,
                                            ", batch ", k + 1, ": ", culprit(t.model_, s, o));
    }
  };

  /// What only a first output shows.
  void expect_sense(const Outcome<T>& o, const Evaluation<T>* validation) const {
    expect_probabilities(loss_, o);
    const Index classes = o.output.shape().columns();
    feed_.expect_labels_below(classes);
    if (validation) validation->feed.expect_labels_below(classes);
  }

  /// The model is on the device while it is trained, and afterwards, whatever happens, where it was.
  struct Stay {
    nn::Module<T>& model;
    const Device home = model.device();
    ~Stay() {
      try {
        model.to(home);
      } catch (const Error&) {  // the device is lost, and the parameters with it
      }
    }
  };

  nn::Module<T>& model_;
  const FitOptions<T>& o_;
  Device::Choice device_;
  const NamedLoss<T>& loss_;
  Feed<T> feed_;
  data::Batches batches_;
  Scores<T> scores_;
  Tape tape_{true, o_.seed};
  Repetition<T>* repetition_ = nullptr;  // owned
  std::uint64_t learning_ = 0;           // which parameters do
};

}  // namespace train

/// Trains the model and returns the history. Deterministic: the same model, data and options give the same
/// bits, at any number of threads. Throws ValueError, ShapeError … before the first step, and DivergenceError
/// where the loss is not finite: the parameters are then as before that batch. After warm-up an epoch
/// allocates nothing.
template <class T> History fit(nn::Module<T>& model, const data::Source<T>& data,
                               const std::type_identity_t<FitOptions<T>>& options = {}) {
  train::check(options, data.size());
  const Array<T>& weights = options.sample_weights;
  if (const auto* validation = options.validation.source())
    return train::Trainer<T>(model, data, weights, options).run(*validation);
  if (options.validation_split == 0) return train::Trainer<T>(model, data, weights, options).run();
  const auto* memory = data.in_memory();
  detail::require<ValueError>(memory,
                              "fit: validation_split needs data in memory; give `validation` instead");
  const auto [first, last] = memory->split_last(options.validation_split);
  const Array<T> of_first = weights.size() > 0 ? weights.slice(0, first.size()) : weights;
  return train::Trainer<T>(model, first, of_first, options).run(last);
}

/// Loss and metrics over all samples, one value each: evaluate(model, test, {.loss = …})["accuracy"][0].
template <class T> History evaluate(const nn::Module<T>& model, const data::Source<T>& data,
                                    const std::type_identity_t<FitOptions<T>>& options = {}) {
  train::check(options, data.size());
  const PrecisionScope precision(options.precision);
  const auto& loss = train::loss_named<T>(options.loss, data.layout());
  train::expect_targets(loss, data);
  train::Evaluation<T> e(data, options.batch_size, options.metrics,
                         {.label_smoothing = options.label_smoothing, .class_weights = options.class_weights},
                         options.sample_weights, model.device());
  e.run(model, loss);
  History h{.series = {}, .device = model.device().name()};
  for (std::size_t i = 0; i < e.scores.count(); ++i)
    h.series.push_back({e.scores.name(i), {e.scores.value(i)}});
  return h;
}

/// The model's output for every row of the inputs, in batches, on the CPU, wherever model and inputs are.
/// Safe from many threads at once.
template <class T>
Array<T> predict(const nn::Module<T>& model, std::span<const Array<T>> inputs, Index batch_size = 256) {
  detail::require<ValueError>(!inputs.empty() && inputs[0].rank() > 0,
                              "predict: there is no input with rows");
  detail::require<ValueError>(batch_size >= 1, "predict: batch_size is ", batch_size,
                              "; it must be at least 1");
  const Index n = inputs[0].shape()[0];
  const Device device = model.device();
  Tensor<T> few[4];  // a model of up to four inputs costs no allocation
  std::vector<Tensor<T>> many(inputs.size() > std::size(few) ? inputs.size() : 0);
  const std::span<Tensor<T>> x(many.empty() ? few : many.data(), inputs.size());
  Array<T> all;
  Index first = 0;
  do {  // once at least: an empty input has an output shape, too
    const Index last = std::min(n, first + batch_size);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = inputs[i].slice(first, last).to(device);
    const Array<T> y = model.forward(std::span<const Tensor<T>>(x)).array().to(Device());
    if (first == 0 && last == n) return y;
    if (first == 0) all = Array<T>::uninitialized(y.shape().with(0, n));
    std::copy(y.begin(), y.end(), all.mutable_data() + first * y.shape().inner(0));
    first = last;
  } while (first < n);
  return all;
}
template <class T>
Array<T> predict(const nn::Module<T>& model, const Array<T>& input, Index batch_size = 256) {
  return predict(model, std::span<const Array<T>>(&input, 1), batch_size);
}

}  // namespace gradus
