// SPDX-License-Identifier: MIT
// The order in which an epoch meets the samples, cut into batches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <gradus/core/array.hpp>
#include <gradus/core/random.hpp>

namespace gradus::data {

/// for (epoch …) { batches.begin_epoch(epoch); for (k < batches.count()) … batches[k] … }
///
/// The order is a function of (seed, epoch) alone: training that is taken up again meets the samples as it
/// would have without the pause. The last batch keeps what is left over. Nothing is allocated after
/// construction.
class Batches {
 public:
  /// Throws ValueError for a batch size below 1 or more samples than 32 bits count. Epoch 0 has begun.
  Batches(Index n, Index batch_size, bool shuffle = true, std::uint64_t seed = 0)
      : stream_(seed, "data/batches"), batch_size_(batch_size), shuffle_(shuffle) {
    if (n < 0 || n > 0x7fffffff)
      detail::fail<ValueError>("batches: ", n, " samples; 0 to 2147483647 are possible");
    if (batch_size < 1)
      detail::fail<ValueError>("batches: batch size is ", batch_size, "; it should be at least 1");
    rows_ = arange<std::int32_t>(static_cast<std::int32_t>(n));
    begin_epoch(0);
  }

  /// O(n), some 2 ns a row.
  void begin_epoch(Index epoch) {
    if (!shuffle_) return;
    if (rows_.share().owners() > 1) rows_ = rows_.copy();  // a copy of this has its own epochs
    // Fisher-Yates. A block of Philox for each row would take as long as a small model's step: one keys the
    // epoch, and SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA'14) makes the draws. No order's odds are off
    // by more than n² 2⁻⁶⁴.
    __extension__ using Product = unsigned __int128;
    std::uint64_t key = stream_.child(std::uint64_t(epoch)).bits64(0);
    std::int32_t* const row = rows_.mutable_data();
    for (Index i = 0, n = size(); i < n; ++i) {
      std::uint64_t z = key += 0x9e3779b97f4a7c15;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
      z = (z ^ z >> 27) * 0x94d049bb133111eb;
      const auto j = static_cast<Index>(Product(z ^ z >> 31) * Product(i + 1) >> 64);  // 0 … i
      row[i] = row[j];
      row[j] = static_cast<std::int32_t>(i);
    }
  }

  Index size() const { return rows_.size(); }       ///< samples
  Index batch_size() const { return batch_size_; }  ///< of all batches but the last
  Index count() const { return size() / batch_size_ + (size() % batch_size_ != 0); }  ///< batches of an epoch

  /// All rows of this epoch, in order.
  std::span<const std::int32_t> rows() const { return rows_.values(); }
  /// The rows of batch k; 0 ≤ k < count().
  std::span<const std::int32_t> operator[](Index k) const {
    const Index first = k * batch_size_;
    return rows().subspan(std::size_t(first), std::size_t(std::min(batch_size_, size() - first)));
  }

 private:
  random::Stream stream_;
  Array<std::int32_t> rows_;
  Index batch_size_;
  bool shuffle_;
};

}  // namespace gradus::data
