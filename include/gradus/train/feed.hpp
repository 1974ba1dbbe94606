// SPDX-License-Identifier: MIT
// Samples on their way from a Source to the model.
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/kernels/gather.hpp>
#include <gradus/train/metrics.hpp>

namespace gradus::train {

/// Brings samples to the model: arrays by a gather on the device, where they lie from the beginning; a user's
/// Source by way of host arrays.
template <class T> class Feed {
 public:
  Feed(const data::Source<T>& source, Index batch_size, const LossOptions<T>& options,
       const Array<T>& weights, Device device)
      : source_(source),
        memory_(source.in_memory()),
        layout_(source.layout()),
        device_(device),
        weights_(weights.to(device)),
        sample_{std::vector<Tensor<T>>(layout_.inputs.size()), {}, {}, options} {
    sample_.options.class_weights = options.class_weights.to(device);
    if (!device.is_cpu()) rows_ = Array<std::int32_t>(Shape{batch_size}, device);
    if (memory_) settle();
    if (memory_) return;
    const auto rows = [&](const Shape& one) {
      Shape s{batch_size};
      for (const Index n : one.sizes()) s.append(n);
      return s;
    };
    for (const Shape& s : layout_.inputs) arrays_.inputs.push_back(Array<T>(rows(s)));
    if (layout_.labels)
      arrays_.labels = Array<std::int32_t>(Shape{batch_size});
    else
      arrays_.targets = Array<T>(rows(layout_.targets));
  }

  const data::Layout& layout() const { return layout_; }
  bool in_memory() const { return memory_; }

  /// Throws IndexError for a label that the model has no class for, wherever it is: found by its own batch,
  /// the parameters would have changed already.
  void expect_labels_below(Index classes) const {
    if (!memory_ || !layout_.labels) return;
    Array<std::int32_t> room;
    const View<std::int32_t> label = readable(memory_->labels.view(), room);
    for (Index row = 0; row < memory_->size(); ++row)
      gradus::detail::require<IndexError>(label.data[row] < classes, "fit: label ", label.data[row],
                                          " of row ", row, " is outside the model's ", classes, " classes");
  }

  /// The samples of these rows, in the memory of the tape's next step.
  const Sample<T>& load(Tape& tape, std::span<const std::int32_t> rows) {
    if (memory_) return load(tape, on_device(rows));
    tape.next_step();
    read(tape, rows);
    Gathering gathering(tape, on_device(rows));
    return weigh(gathering);
  }
  /// The same for rows that lie on the device already; of data in memory.
  const Sample<T>& load(Tape& tape, const View<std::int32_t>& at) {
    tape.next_step();
    Gathering gathering(tape, at);
    for (std::size_t i = 0; i < sample_.inputs.size(); ++i)
      sample_.inputs[i] = gathering.take(arrays_.inputs[i]);
    if (layout_.labels)
      sample_.labels = gathering.take(arrays_.labels);
    else
      sample_.targets = gathering.take(arrays_.targets);
    return weigh(gathering);
  }

  /// Targets or labels of these rows where the host can read them; of data in memory.
  void truth(std::span<const std::int32_t> rows, Scored<T>& to) {
    const auto take = [rows](const auto& all, auto& room) {
      if (all.size() == 0) return room.view();
      const auto from = all.view();

      const Shape s = from.shape.with(0, Index(rows.size()));
      if (room.shape() != s) room = std::remove_cvref_t<decltype(all)>(s);
      const Index bytes = from.shape.inner(0) * Index(sizeof *from.data);
      gradus::detail::gather_rows({room.mutable_data(), from.data, bytes}, rows);
      return room.view();
    };
    to.t = take(truth_.targets, targets_), to.labels = take(truth_.labels, labels_);
  }

 private:
  /// Rows of arrays as tensors of the tape; what is in them is there after run().
  class Gathering {
   public:
    Gathering(Tape& tape, const View<std::int32_t>& rows) : tape_(tape), rows_(rows) {}
    /// `axes` of size 1 are appended to the shape.
    template <class U> Tensor<U> take(const Array<U>& from, int axes = 0) {
      if (n_ == RowLookup::most) run();
      Shape s = from.shape().with(0, rows_.size());
      for (; axes > 0; --axes) s.append(1);
      const Sink<U> to = tape_.allocate<U>(s, rows_.device);
      arrays_[n_++] = {to.data, from.data(), from.shape().inner(0) * Index(sizeof(U))};
      return tape_.input(to.view());
    }
    void run() { kernels::gather_rows(rows_.device, arrays_, std::exchange(n_, 0), rows_); }

   private:
    Tape& tape_;
    View<std::int32_t> rows_;
    RowLookup arrays_[RowLookup::most];
    int n_ = 0;
  };

  const Sample<T>& weigh(Gathering& gathering) {
    if (weights_.size() > 0) {  // [B, 1 …]: against losses of [B, K]
      const int rank = layout_.labels ? 1 : sample_.targets.shape().rank();
      sample_.options.sample_weights = gathering.take(weights_, rank - 1);
    }
    gathering.run();
    return sample_;
  }

  void settle() {
    for (const Array<T>& x : memory_->inputs) arrays_.inputs.push_back(x.to(device_));
    arrays_.targets = memory_->targets.to(device_), arrays_.labels = memory_->labels.to(device_);
    if (!device_.is_cpu()) truth_ = {{}, memory_->targets.to(Device()), memory_->labels.to(Device())};
  }
  /// The rows where the device's gather reads them.
  View<std::int32_t> on_device(std::span<const std::int32_t> rows) {
    const Shape n{Index(rows.size())};
    if (device_.is_cpu()) return {rows.data(), n, {}};
    gradus::detail::copy_bytes(device_, rows_.mutable_data(), {}, rows.data(), rows.size_bytes());
    return {rows_.data(), n, device_};
  }
  void read(Tape& tape, std::span<const std::int32_t> rows) {
    const Index B = Index(rows.size());
    sample_.targets = {}, sample_.labels = {};
    for (auto& x : sample_.inputs)
      x = {};  // the tensors of the last step share the arrays that are written now
    const auto fitted = [B](auto& a) {
      if (a.rank() > 0 && a.shape()[0] != B) a = std::remove_reference_t<decltype(a)>(a.shape().with(0, B));
    };
    for (auto& x : arrays_.inputs) fitted(x);
    fitted(arrays_.targets), fitted(arrays_.labels);
    source_.read(rows, arrays_);
    for (std::size_t i = 0; i < sample_.inputs.size(); ++i)
      sample_.inputs[i] = tape.input(arrays_.inputs[i].to(device_));
    if (layout_.labels)
      sample_.labels = tape.input(arrays_.labels.to(device_));
    else
      sample_.targets = tape.input(arrays_.targets.to(device_));
  }

  const data::Source<T>& source_;
  const data::Dataset<T>* memory_;
  data::Layout layout_;
  Device device_;
  Array<T> weights_;
  data::Batch<T> arrays_;  // all samples, on the device; or those of a batch, on their way from a Source
  data::Batch<T> truth_;   // where the host can read it, for metrics
  Array<std::int32_t> rows_, labels_;
  Array<T> targets_;
  Sample<T> sample_;
};

}  // namespace gradus::train
