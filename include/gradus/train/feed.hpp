// SPDX-License-Identifier: MIT
// Samples on their way from a Source to the model.
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/kernels/gather.hpp>
#include <gradus/train/loss.hpp>

namespace gradus::train {

/// Brings samples to the model: resident arrays by a gather on the device, a user's Source by way of host
/// arrays.
template <class T> class Feed {
 public:
  Feed(const data::Source<T>& source, Index batch_size, const LossOptions<T>& options,
       const Array<T>& weights)
      : source_(source),
        memory_(source.in_memory()),
        layout_(source.layout()),
        weights_(weights),
        sample_{std::vector<Tensor<T>>(layout_.inputs.size()), {}, {}, options} {
    const auto rows = [&](const Shape& one) {
      Shape s{batch_size};
      for (const Index n : one.sizes()) s.append(n);
      return s;
    };
    if (memory_) return;
    for (const Shape& s : layout_.inputs) host_.inputs.push_back(Array<T>(rows(s)));
    if (layout_.labels)
      host_.labels = Array<std::int32_t>(Shape{batch_size});
    else
      host_.targets = Array<T>(rows(layout_.targets));
  }

  const data::Layout& layout() const { return layout_; }

  /// Throws IndexError for a label that the model has no class for, wherever it is: found by its own batch,
  /// the parameters would have changed already.
  void expect_labels_below(Index classes) const {
    if (!memory_ || !layout_.labels) return;
    const std::int32_t* const label = memory_->labels.begin();
    for (Index row = 0; row < memory_->size(); ++row)
      gradus::detail::require<IndexError>(label[row] < classes, "fit: label ", label[row], " of row ", row,
                                          " is outside the model's ", classes, " classes");
  }

  /// The samples of these rows, in the memory of the tape's next step.
  const Sample<T>& load(Tape& tape, std::span<const std::int32_t> rows) {
    tape.clear();
    const View<std::int32_t> at{rows.data(), Shape{Index(rows.size())}, {}};
    if (memory_) {
      for (std::size_t i = 0; i < sample_.inputs.size(); ++i)
        sample_.inputs[i] = gather(tape, memory_->inputs[i], at);
      if (layout_.labels)
        sample_.labels = gather(tape, memory_->labels, at);
      else
        sample_.targets = gather(tape, memory_->targets, at);
    } else {
      read(tape, rows);
    }
    if (weights_.size() > 0) {
      const Tensor<T> w = gather(tape, weights_, at);
      const int rank = layout_.labels ? 1 : sample_.targets.shape().rank();
      Shape column{w.size()};  // [B, 1 …]: against losses of [B, K]
      for (int i = 1; i < rank; ++i) column.append(1);
      sample_.options.sample_weights = tape.input(View<T>{w.view().data, column, w.device()});
    }
    return sample_;
  }

 private:
  template <class U>
  static Tensor<U> gather(Tape& tape, const Array<U>& from, const View<std::int32_t>& rows) {
    const Sink<U> to = tape.allocate<U>(from.shape().with(0, rows.size()), from.device());
    kernels::gather(to, from.view(), kernels::Groups(from.shape(), 0), rows);
    return tape.input(to.view());
  }
  void read(Tape& tape, std::span<const std::int32_t> rows) {
    const Index B = Index(rows.size());
    sample_.targets = {}, sample_.labels = {};
    for (auto& x : sample_.inputs)
      x = {};  // the tensors of the last step share the arrays that are written now
    const auto fitted = [B](auto& a) {
      if (a.rank() > 0 && a.shape()[0] != B) a = std::remove_reference_t<decltype(a)>(a.shape().with(0, B));
    };
    for (auto& x : host_.inputs) fitted(x);
    fitted(host_.targets), fitted(host_.labels);
    source_.read(rows, host_);
    for (std::size_t i = 0; i < sample_.inputs.size(); ++i) sample_.inputs[i] = tape.input(host_.inputs[i]);
    if (layout_.labels)
      sample_.labels = tape.input(host_.labels);
    else
      sample_.targets = tape.input(host_.targets);
  }

  const data::Source<T>& source_;
  const data::Dataset<T>* memory_;
  data::Layout layout_;
  Array<T> weights_;
  data::Batch<T> host_;
  Sample<T> sample_;
};

}  // namespace gradus::train
