// SPDX-License-Identifier: MIT
// Metrics by name, averaged over the samples that they have seen. Computed on the CPU, from each batch's
// output.
#pragma once

#include <cmath>

#include <gradus/core/view.hpp>
#include <gradus/train/loss.hpp>

namespace gradus::train {

/// What a batch adds to a metric: a sum, and the number of cases it is over.
struct Tally {
  double sum = 0, count = 0;
  double value() const { return count > 0 ? sum / count : 0; }
  Tally& operator+=(const Tally& o) { return sum += o.sum, count += o.count, *this; }
};

/// One batch as metrics see it: output y [B, K], targets t [B, K] or labels [B].
template <class T> struct Scored {
  View<T> y, t;
  View<std::int32_t> labels;
  T threshold;        ///< above it an output says "yes"
  nn::Head left_out;  ///< y are the logits of this
};

template <class T> struct NamedMetric {
  const char* name;
  Tally (*of)(const Scored<T>&);
};

namespace detail {

template <class T> Index largest(const T* x, Index n) {
  Index best = 0;
  for (Index k = 1; k < n; ++k)
    if (x[k] > x[best]) best = k;
  return best;
}

/// Binary: output > threshold (strictly) as the target > ½. Classes: the largest output is the label's.
template <class T> Tally accuracy(const Scored<T>& s) {
  const Index B = s.y.shape.rows(), K = s.y.shape.columns();
  double hits = 0;
  if (s.labels.data || K > 1) {
    for (Index b = 0; b < B; ++b) {
      const Index truth = s.labels.data ? s.labels.data[b] : largest(s.t.data + b * K, K);
      hits += largest(s.y.data + b * K, K) == truth ? 1 : 0;
    }
  } else {
    for (Index b = 0; b < B; ++b) hits += (s.y.data[b] > s.threshold) == (s.t.data[b] > T(0.5)) ? 1 : 0;
  }
  return {hits, double(B)};
}
/// Of those that are (predicted) positive, how many are both. Binary only.
template <class T, bool precision> Tally positives(const Scored<T>& s) {
  Tally r;
  for (Index i = 0; i < s.y.size(); ++i) {
    const bool predicted = s.y.data[i] > s.threshold, actual = s.t.data[i] > T(0.5);
    r.count += (precision ? predicted : actual) ? 1 : 0;
    r.sum += predicted && actual ? 1 : 0;
  }
  return r;
}
/// y as the model gives it: the last layer that the loss left out is made up for.
template <class T> double given(const Scored<T>& s, Index i) {
  if (s.left_out == nn::Head::none) return double(s.y.data[i]);
  const double z = double(s.y.data[i]);
  if (s.left_out == nn::Head::sigmoid) return 1 / (1 + std::exp(-z));
  const Index K = s.y.shape.columns();
  const T* const row = s.y.data + i / K * K;
  double sum = 0;  // of e^(zₖ − zᵢ): may be infinite, and yᵢ is then 0
  for (Index k = 0; k < K; ++k) sum += std::exp(double(row[k]) - z);
  return 1 / sum;
}
template <class T, bool squared> Tally error(const Scored<T>& s) {
  Tally r{0, double(s.y.size())};
  for (Index i = 0; i < s.y.size(); ++i) {
    const double d = given(s, i) - double(s.t.data[i]);
    r.sum += squared ? d * d : std::fabs(d);
  }
  return r;
}

template <class T> constexpr NamedMetric<T> metrics[] = {
    {"accuracy", &accuracy<T>}, {"precision", &positives<T, true>}, {"recall", &positives<T, false>},
    {"mse", &error<T, true>},   {"mae", &error<T, false>},
};

}  // namespace detail

/// Throws ValueError for a name that is not known, or where it needs targets and the data has labels.
template <class T> const NamedMetric<T>& metric_named(const std::string& name, const data::Layout& layout) {
  std::string known;
  for (const auto& m : detail::metrics<T>) {
    if (name == m.name) {
      detail::require<ValueError>(!layout.labels || name == "accuracy", "metric \"", name,
                                  "\": the data has class labels; it needs targets");
      return m;
    }
    known.append(known.empty() ? "" : ", ").append(m.name);
  }
  detail::fail<ValueError>("metric \"", name, "\" is unknown; known are ", known);
}

}  // namespace gradus::train
