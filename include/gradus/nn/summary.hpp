// SPDX-License-Identifier: MIT
// The table of a model: its modules, the names and shapes of their parameters, and their number.
#pragma once

#include <gradus/nn/module.hpp>

namespace gradus::nn {

/// name, layer, parameters; and the total, with the frozen ones apart.
template <class T> std::string summary(const Module<T>& model) {
  struct Row {
    std::string name, layer, shapes;
    Index count;
  };
  struct Walk final : Members<T> {
    std::vector<Row> rows;
    std::string prefix;
    Index frozen = 0;
    void operator()(const std::string&, Parameter<T>& p) override {
      rows.back().shapes += (rows.back().shapes.empty() ? "" : " ") + p.shape().str();
      rows.back().count += p.value().size();
      if (p.frozen()) frozen += p.value().size();
    }
    void operator()(const std::string& name, Module<T>& m) override {
      const std::string outer = prefix;
      prefix += (prefix.empty() ? "" : ".") + name;
      enter(m);
      prefix = outer;
    }
    void enter(Module<T>& m) {
      rows.push_back({prefix, m.describe(), "", 0});
      m.members(*this);
    }
  } walk;
  walk.enter(const_cast<Module<T>&>(model));
  std::size_t wide_name = 4, wide_layer = 5, wide_shapes = 10;
  for (const Row& r : walk.rows) {
    wide_name = std::max(wide_name, r.name.size());
    wide_layer = std::max(wide_layer, r.layer.size());
    wide_shapes = std::max(wide_shapes, r.shapes.size());
  }
  const auto cell = [](std::string s, std::size_t width) { return s.append(width + 2 - s.size(), ' '); };
  std::string text =
      cell("name", wide_name) + cell("layer", wide_layer) + cell("parameters", wide_shapes) + "count\n";
  Index total = 0;
  for (const Row& r : walk.rows) {
    text += cell(r.name, wide_name) + cell(r.layer, wide_layer) + cell(r.shapes, wide_shapes) +
            (r.count ? std::to_string(r.count) : "") + "\n";
    total += r.count;
  }
  return text + "total " + std::to_string(total) + " parameters" +
         (walk.frozen ? ", " + std::to_string(walk.frozen) + " of them frozen" : "") + "\n";
}

}  // namespace gradus::nn
