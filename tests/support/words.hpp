// SPDX-License-Identifier: MIT
// What an error says:  CHECK(words<ShapeError>([&] { matmul(a, b); }) == "matmul: a is …");
#pragma once

#include <string>

#include <gradus/core/error.hpp>

namespace gradus::test {

/// The sentence of the E that f throws; or that it threw nothing, or something else.
template <class E, class F> std::string words(F&& f) {
  try {
    f();
  } catch (const E& e) { return e.what(); } catch (const std::exception& e) {
    return std::string("another exception: ") + e.what();
  }
  return "no exception";
}

}  // namespace gradus::test
