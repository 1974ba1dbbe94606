// SPDX-License-Identifier: MIT
// Losses by name, as fit() and evaluate() take them.
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/nn/module.hpp>
#include <gradus/ops/loss.hpp>
#include <gradus/ops/softmax_cross_entropy.hpp>

namespace gradus::train {

/// The tensors of one step.
template <class T> struct Sample {
  std::vector<Tensor<T>> inputs;
  Tensor<T> targets;
  Tensor<std::int32_t> labels;
  LossOptions<T> options;
};

/// What a loss is computed from, and the loss.
template <class T> struct Outcome {
  Tensor<T> output;  ///< the model's, or its logits where a last layer was left out
  Tensor<T> loss;
  nn::Head left_out = nn::Head::none;
  T threshold = T(0.5);  ///< above it an output says "yes": ½ of probabilities, 0 of logits
};

/// A loss by name. One that works on logits leaves the model's last sigmoid or softmax out, so that no digit
/// is lost.
template <class T> struct NamedLoss {
  const char* name;
  nn::Head head;      ///< the last layer that the loss can do without
  bool needs_labels;  ///< true: labels or distributions; false: targets
  bool around_zero;   ///< an output above 0, not ½, says "yes"
  Tensor<T> (*of)(const Tensor<T>& output, const Sample<T>&, bool logits);

  Outcome<T> operator()(const nn::Module<T>& model, const Sample<T>& s) const {
    const bool logits = head != nn::Head::none && model.head() == head;
    const Tensor<T> y = logits ? model.logits(s.inputs) : model.forward(s.inputs);
    return {y, of(y, s, logits), logits ? head : nn::Head::none, T(around_zero || logits ? 0 : 0.5)};
  }
};

namespace detail {

using gradus::detail::fail;
using gradus::detail::require;

template <class T> ops::Constant<T> data(const Sample<T>& s) { return {s.targets}; }

template <class T> constexpr NamedLoss<T> losses[] = {
    {"binary_cross_entropy", nn::Head::sigmoid, false, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool logits) -> Tensor<T> {
       if (logits) return gradus::binary_cross_entropy(y, data(s), s.options);
       return gradus::binary_cross_entropy_of_probabilities(y, data(s), s.options);
     }},
    {"binary_cross_entropy_from_logits", nn::Head::none, false, true,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::binary_cross_entropy(y, data(s), s.options);
     }},
    {"softmax_cross_entropy", nn::Head::softmax, true, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       if (s.labels.size() > 0) return gradus::softmax_cross_entropy(y, s.labels, s.options);
       return gradus::softmax_cross_entropy(y, s.targets, s.options);
     }},
    {"mse", nn::Head::none, false, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::mse(y, data(s), s.options);
     }},
    {"mae", nn::Head::none, false, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::mae(y, data(s), s.options);
     }},
    {"huber", nn::Head::none, false, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::huber(y, data(s), 1, s.options);
     }},
    {"hinge", nn::Head::none, false, true,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::hinge(y, data(s), s.options);
     }},
    {"kl_divergence", nn::Head::none, false, false,
     [](const Tensor<T>& y, const Sample<T>& s, bool) -> Tensor<T> {
       return gradus::kl_divergence(y, data(s), s.options);
     }},
};

}  // namespace detail

/// Throws ValueError for a name that is not known, and where the loss does not fit the data.
template <class T> const NamedLoss<T>& loss_named(const std::string& name, const data::Layout& layout) {
  std::string known;
  for (const auto& l : detail::losses<T>) {
    if (name == l.name) {
      detail::require<ValueError>(
          l.needs_labels || !layout.labels, "loss \"", name,
          "\": the data has class labels; it needs targets (or take softmax_cross_entropy)");
      return l;
    }
    known.append(known.empty() ? "" : ", ").append(l.name);
  }
  detail::fail<ValueError>("loss \"", name, "\" is unknown; known are ", known);
}

}  // namespace gradus::train
