// SPDX-License-Identifier: MIT
// Nets whose steps are timed, their first weights and their data, and the files in which peers find both.
//
// Dense layers with ReLU between them; the last one gives logits, or what mse compares. Adam as PyTorch has
// it. Inputs are normal, never zeros: a GPU draws less power for these, and runs faster.
#pragma once

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <gradus/gradus.hpp>

namespace bench {

using namespace gradus;
using gradus::detail::message;
namespace fs = std::filesystem;

/// A net and how it is trained.
struct Setup {
  std::vector<Index> widths;
  Index batch;
  Index batches = 1;  ///< many where steps are short: an epoch's end is counted, and must not hide them
  double learning_rate = 1e-4;
  Index compared_steps = 48;
  std::string loss = widths.back() == 1 ? "binary_cross_entropy_from_logits" : "softmax_cross_entropy";

  Index layers() const { return Index(widths.size()) - 1; }
  /// "784-128-10", "8x4096"
  std::string net() const {
    std::string s = message(widths[0]);
    if (std::count(widths.begin(), widths.end(), widths[0]) == layers() + 1)
      return message(layers(), "x", widths[0]);
    for (Index l = 1; l <= layers(); ++l) s += message("-", widths[std::size_t(l)]);
    return s;
  }
  std::string name() const { return message(net(), " b", batch); }
  /// Multiplications and additions of a step's matrix products; the first layer's inputs have no gradient.
  double operations() const {
    double n = 0;
    for (Index l = 0; l < layers(); ++l)
      n += (l ? 6.0 : 4.0) * double(batch * widths[std::size_t(l)] * widths[std::size_t(l) + 1]);
    return n;
  }
  /// Bytes that must live from forward to backward, whoever writes the program: what each layer gives.
  double activations() const {
    return double(std::accumulate(widths.begin() + 1, widths.end(), Index(0)) * batch) * sizeof(float);
  }
  /// Losses are compared over the first batches, again and again.
  Index compared_batches() const { return std::min({batches, compared_steps, Index(8)}); }
  int compared_epochs() const { return int(compared_steps / compared_batches()); }

  /// The same net, small: for a rehearsal.
  Setup quick() const {
    Setup s = *this;
    for (Index& w : s.widths) w = std::min(w, Index(64));  // no less: on a GPU these still go to cublasLt
    s.batch = std::min(s.batch, Index(16)), s.batches = std::min(s.batches, Index(8));
    s.compared_steps = std::min(s.compared_steps, Index(16));
    return s;
  }

  io::Json json() const {
    io::Json row;
    row["name"] = name(), row["widths"] = widths, row["loss"] = loss;
    row["learning_rate"] = learning_rate, row["batch"] = batch, row["batches"] = batches;
    row["compared_batches"] = compared_batches(), row["compared_epochs"] = compared_epochs();
    return row;
  }
  static Setup from(const io::Json& row) {
    Setup s{.widths = {},
            .batch = row.at("batch").integer(),
            .batches = row.at("batches").integer(),
            .learning_rate = row.at("learning_rate").number(),
            .compared_steps = row.at("compared_batches").integer() * row.at("compared_epochs").integer(),
            .loss = row.at("loss").string()};
    for (const io::Json& width : row.at("widths").items()) s.widths.push_back(width.integer());
    return s;
  }
};

/// Those of the CPU, from a step of a microsecond to one of a tenth of a second.
inline std::vector<Setup> cpu_setups() {
  return {{{2, 16, 1}, 32, 512, 1e-3},
          {{30, 64, 1}, 32, 512, 1e-3},
          {{784, 128, 10}, 64, 64},
          {{784, 512, 512, 10}, 256, 16},
          {{1024, 1024, 1024, 1024, 10}, 1024, 4, 1e-4, 8}};
}

inline Array<float> normal(const Shape& shape, std::uint64_t seed, float deviation = 1) {
  auto x = Array<float>::uninitialized(shape);
  float* const to = x.mutable_data();
  parallel_for(x.size(), 1 << 16, [&](Index first, Index last) {
    random::fill_normal(to + first, last - first, random::Stream(seed), 0.f, deviation, first);
  });
  return x;
}

/// One batch after the other, in the order in which everybody takes them.
inline data::Dataset<float> samples(const Setup& s) {
  const Index n = s.batch * s.batches, outputs = s.widths.back();
  const auto x = normal(Shape{n, s.widths[0]}, 1);
  if (s.loss == "mse") return {x, normal(Shape{n, outputs}, 2)};
  if (s.loss == "softmax_cross_entropy") {
    auto labels = Array<std::int32_t>::uninitialized(Shape{n});
    const random::Stream stream(2);
    for (Index i = 0; i < n; ++i)
      labels.mutable_data()[i] = std::int32_t(stream.uniform01<float>(i) * float(outputs));
    return {x, labels};
  }
  auto t = Array<float>::uninitialized(Shape{n, 1});
  for (Index i = 0; i < n; ++i) t.mutable_data()[i] = x(i, 0) * x(i, 1) > 0 ? 1.f : 0.f;
  return {x, t};
}

/// A setup with its numbers.
struct Net {
  Setup setup;
  nn::Sequential<float> model;
  data::Dataset<float> data;

  explicit Net(const Setup& s) : setup(s), data(samples(s)) {
    for (Index l = 0; l < s.layers(); ++l) {
      model.add(nn::Dense{s.widths[std::size_t(l)], s.widths[std::size_t(l) + 1]});
      auto drawn = model.named_parameters();
      for (auto& p : std::span(drawn).last(2))  // what is set is not drawn anew at each add() and each fit()
        p.set_value(p.value().copy());
      if (l + 1 < s.layers()) model.add(nn::Relu{});
    }
  }
  optim::Adam adam() const {
    return {.learning_rate = setup.learning_rate, .epsilon = 1e-8, .epsilon_hat = false};
  }
  FitOptions<float> options(const std::string& device = "cpu", Precision p = Precision::strict) const {
    return {.loss = setup.loss,
            .optimizer = adam(),
            .batch_size = setup.batch,
            .shuffle = false,
            .device = device,
            .precision = p,
            .verbose = Verbose::silent};
  }
};

/// Weights and data of a net as files in `folder`, and what a peer must know of it.
inline io::Json write_row(const Net& net, const fs::path& folder) {
  const Setup& s = net.setup;
  std::string stem = s.name();
  std::replace(stem.begin(), stem.end(), ' ', '_');
  const std::string weights = folder / (stem + ".weights.safetensors"),
                    data = folder / (stem + ".data.safetensors");
  io::save(net.model, weights);
  const std::vector<io::Entry> entries{
      io::entry("x", net.data.inputs[0]),
      net.data.has_labels() ? io::entry("t", net.data.labels) : io::entry("t", net.data.targets)};
  io::write_safetensors(data, entries);
  io::Json row = s.json();
  row["precision"] = "strict";
  row["weights"] = weights, row["data"] = data;
  return row;
}

}  // namespace bench
