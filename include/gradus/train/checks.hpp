// SPDX-License-Identifier: MIT
// What fit() finds wrong with data, model and options, in words.
#pragma once

#include <cmath>

#include <gradus/train/loss.hpp>

namespace gradus::train {

/// For a message: NaN has a sign that says nothing.
inline double unsigned_nan(double x) { return std::isnan(x) ? std::fabs(x) : x; }

/// Names the first thing that is not finite, in the order in which a step meets them.
template <class T> std::string culprit(const nn::Module<T>& model, const Sample<T>& s, const Outcome<T>& o) {
  using gradus::detail::message;
  std::string found;
  const auto look = [&](const char* what, const std::string& name, const View<T>& there) {
    Array<T> room;
    const View<T> v = readable(there, room);
    const Index columns = std::max<Index>(1, v.shape.columns());
    for (Index i = 0; i < v.size() && found.empty(); ++i) {
      const double x = double(v.data[i]);
      if (std::isfinite(x)) continue;
      found = what ? message(what, name, " is ", unsigned_nan(x), " at row ", i / columns, ", column ",
                             i % columns, " of the batch")
                   : message("parameter \"", name, "\" is not finite (is the learning rate too high?)");
    }
  };
  for (std::size_t k = 0; k < s.inputs.size(); ++k) look("input ", std::to_string(k), s.inputs[k].view());
  look("the target", "", s.targets.view());
  model.each_parameter(
      [&](const std::string& name, const Parameter<T>& p) { look(nullptr, name, p.value().view()); });
  look("the model's output", "", o.output.view());
  return found.empty() ? "the loss itself overflows" : found;
}

/// A cross-entropy of probabilities clips what is none, and would hide the mistake.
template <class T> void expect_probabilities(const NamedLoss<T>& loss, const Outcome<T>& o) {
  if (std::string_view(loss.name) != "binary_cross_entropy" || o.left_out != nn::Head::none) return;
  Array<T> room;
  const View<T> y = readable(o.output.view(), room);
  for (Index i = 0; i < y.size(); ++i)
    gradus::detail::require<ValueError>(
        !(y.data[i] < T(0) || y.data[i] > T(1)), "loss \"binary_cross_entropy\": the model's output is ",
        double(y.data[i]),
        "; it must be a probability: end the model in Sigmoid, or take \"binary_cross_entropy_from_logits\"");
}

/// Cross-entropies take targets from 0 to 1, hinge −1 or 1: others give a loss that means nothing. Throws
/// ValueError. NaN is left to fit(), which says where.
template <class T> void expect_targets(const NamedLoss<T>& loss, const data::Source<T>& source) {
  const auto* const memory = source.in_memory();
  const std::string_view name = loss.name;
  const bool hinge = name == "hinge";
  if (!memory || memory->has_labels() || (!hinge && !name.starts_with("binary_cross_entropy"))) return;
  Array<T> room;
  const View<T> t = readable(memory->targets.view(), room);
  for (Index i = 0; i < t.size(); ++i) {
    const double x = double(t.data[i]);
    const bool wrong = hinge ? x < -1 || (x > -1 && x < 1) || x > 1 : x < 0 || x > 1;
    detail::require<ValueError>(!wrong, "loss \"", loss.name, "\": the target of row ", i / t.shape.inner(0),
                                " is ", x, "; it must be ", hinge ? "-1 or 1" : "within 0 and 1");
  }
}

/// Throws ShapeError or ValueError where validation would fail after an epoch of training.
inline void expect_alike(const data::Layout& validation, const data::Layout& training) {
  using gradus::detail::require;
  const auto kind = [](const data::Layout& l) { return l.labels ? "labels" : "targets"; };
  require<ShapeError>(validation.inputs.size() == training.inputs.size(), "fit: the validation data has ",
                      validation.inputs.size(), " inputs, the training data ", training.inputs.size());
  for (std::size_t i = 0; i < training.inputs.size(); ++i)
    require<ShapeError>(validation.inputs[i] == training.inputs[i], "fit: input ", i,
                        " of a validation sample is ", validation.inputs[i], ", of a training sample ",
                        training.inputs[i]);
  require<ValueError>(validation.labels == training.labels, "fit: the validation data has ", kind(validation),
                      ", the training data ", kind(training));
  require<ShapeError>(training.labels || validation.targets == training.targets,
                      "fit: the target of a validation sample is ", validation.targets,
                      ", of a training sample ", training.targets);
}

}  // namespace gradus::train
