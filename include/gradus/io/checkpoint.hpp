// SPDX-License-Identifier: MIT
// A model's parameters in a safetensors file, under PyTorch's names: load_state_dict(load_file(path)) takes
// it as is.
//
// A model is a module, or anything else whose named_parameters() is a range of things with .name, .value() and
// .set_value(Array<T>).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/io/safetensors.hpp>

namespace gradus::io {

/// Writes all parameters, and texts of the caller's. What was under `path` stays until the new file is
/// complete.
template <class Model> void save(const Model& model, const std::string& path, const Metadata& metadata = {}) {
  std::vector<Entry> entries;
  for (const auto& p : model.named_parameters()) entries.push_back(entry(p.name, p.value()));
  write_safetensors(path, entries, metadata);
}

/// Sets all parameters from a file, each on the device where it is, and returns the file's metadata. Names,
/// dtypes and shapes must be those of the model: else FileError says what is missing, unexpected or
/// different, and the model is as it was.
template <class Model> Metadata load(Model& model, const std::string& path) {
  const File file = read_safetensors(path);
  std::map<std::string_view, const Entry*> unexpected;
  for (const Entry& e : file.entries) unexpected[e.name] = &e;

  std::string missing, different;
  std::vector<const Entry*> found;
  auto&& parameters = model.named_parameters();
  for (auto& p : parameters) {
    const auto value = p.value();
    const auto at = unexpected.find(p.name);
    if (at == unexpected.end()) {
      missing += (missing.empty() ? "" : ", ") + json_string(p.name);
      continue;
    }
    const Entry& e = *found.emplace_back(at->second);
    unexpected.erase(at);
    const std::string_view dtype =
        detail::stored_name<typename std::remove_cvref_t<decltype(value)>::value_type>();
    if (e.dtype != dtype || !std::ranges::equal(e.shape, value.shape().sizes()))
      different += "; " + json_string(p.name) + " is " + e.dtype + " " + detail::shape_text(e.shape) +
                   " in the file, " + std::string(dtype) + " " + value.shape().str() + " in the model";
  }
  std::string why = missing.empty() ? "" : "; missing in the file: " + missing;
  if (!unexpected.empty()) {
    why += "; unexpected in the file: ";
    for (const auto& [name, e] : unexpected)
      why += (name == unexpected.begin()->first ? "" : ", ") + json_string(name);
  }
  why += different;
  if (!why.empty()) detail::fail<FileError>("load: ", path, " does not fit the model", why);

  // all that can fail comes before the first change
  using Value = std::remove_cvref_t<decltype(parameters.begin()->value())>;
  std::vector<Value> values;
  for (std::size_t i = 0; auto& p : parameters)
    values.push_back(file.get<typename Value::value_type>(*found[i++]).to(p.value().device()));
  for (std::size_t i = 0; auto& p : parameters) p.set_value(std::move(values[i++]));
  return file.metadata;
}

}  // namespace gradus::io
