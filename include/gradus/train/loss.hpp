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
  nn::Head head = nn::Head::none;                  ///< the last layer that the loss can do without
  bool needs_labels = false;                       ///< true: labels or distributions; false: targets
  bool around_zero = false;                        ///< an output above 0, not ½, says "yes"
  const ops::LossFormula<T>* formula = nullptr;    ///< nullptr: softmax_cross_entropy
  const ops::LossFormula<T>* of_logits = nullptr;  ///< of binary cross-entropies, which weigh and smooth
  double number = 0;                               ///< the formula's own
  bool by_rows = false;                            ///< one loss for each distribution along the last axis

  /// `learns`: backward may follow; without it no slope is computed.
  Outcome<T> operator()(const nn::Module<T>& model, const Sample<T>& s, bool learns = true) const {
    const bool logits = head != nn::Head::none && model.head() == head;
    Tensor<T> y = logits ? model.logits(s.inputs) : model.forward(s.inputs);
    if (!learns && y.step()) y = Tensor<T>(y.view(), *y.step(), nullptr);  // the same as a constant
    return {y, of(y, s, logits), logits ? head : nn::Head::none, T(around_zero || logits ? 0 : 0.5)};
  }

  Tensor<T> of(const Tensor<T>& y, const Sample<T>& s, bool logits) const {
    if (of_logits) return ops::binary<T>(logits ? *of_logits : *formula, y, s.targets, s.options);
    if (formula) return ops::loss<T>(*formula, y, s.targets, s.options, number, by_rows);
    if (s.labels.size() > 0) return softmax_cross_entropy(y, s.labels, s.options);
    return softmax_cross_entropy(y, s.targets, s.options);
  }
};

namespace detail {

using gradus::detail::fail;
using gradus::detail::require;

/// Targets are data here: no gradient of them is compiled.
template <class T, class F> inline constexpr auto* formula = &ops::loss_formula<F, T, Array<T>>;

template <class T> constexpr NamedLoss<T> losses[] = {
    {.name = "binary_cross_entropy",
     .head = nn::Head::sigmoid,
     .formula = formula<T, ops::ProbabilityCrossEntropy>,
     .of_logits = formula<T, ops::BinaryCrossEntropy>},
    {.name = "binary_cross_entropy_from_logits",
     .around_zero = true,
     .formula = formula<T, ops::BinaryCrossEntropy>,
     .of_logits = formula<T, ops::BinaryCrossEntropy>},
    {.name = "softmax_cross_entropy", .head = nn::Head::softmax, .needs_labels = true},
    {.name = "mse", .formula = formula<T, ops::SquaredError>},
    {.name = "mae", .formula = formula<T, ops::AbsoluteError>},
    {.name = "huber", .formula = formula<T, ops::Huber>, .number = 1},
    {.name = "hinge", .around_zero = true, .formula = formula<T, ops::Hinge>},
    {.name = "kl_divergence", .formula = formula<T, ops::KlDivergence>, .by_rows = true},
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
