// SPDX-License-Identifier: MIT
// What fit() returns: a figure of each kind for every epoch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gradus/core/error.hpp>

namespace gradus {

/// history["val_loss"].back(). The names are Keras': "loss", "accuracy", "val_loss", "val_accuracy".
struct History {
  struct Series {
    std::string name;
    std::vector<double> values;
  };
  std::vector<Series> series;  ///< in the order in which they are shown
  std::int64_t steps = 0;      ///< optimizer steps in all
  double seconds = 0;          ///< of training, validation included
  std::string device = {};     ///< where, and why there

  /// Throws ValueError for a name that is not there.
  const std::vector<double>& operator[](std::string_view name) const {
    std::string known;
    for (const Series& s : series) {
      if (s.name == name) return s.values;
      known.append(known.empty() ? "" : ", ").append(s.name);
    }
    detail::fail<ValueError>("history: there is no \"", name, "\"; there are ", known);
  }
  std::size_t epochs() const { return series.empty() ? 0 : series.front().values.size(); }
};

}  // namespace gradus
