// SPDX-License-Identifier: MIT
// A library in C++ that NumPy's arrays go into and come out of, without a copy. with_numpy.py calls it.
#include <cstdint>
#include <exception>
#include <string>

#include <gradus/dlpack.hpp>
#include <gradus/ops/exponential.hpp>

using namespace gradus;

namespace {

thread_local std::string words;

/// An exception stops here, for it cannot pass through Python: nullptr, and why() says the words.
template <class F> DLManagedTensor* or_null(const F& f) {
  try {
    return f();
  } catch (const std::exception& e) {
    words = e.what();
    return nullptr;
  }
}

}  // namespace

extern "C" const char* why() { return words.c_str(); }

extern "C" DLManagedTensor* same(DLManagedTensor* tensor) {
  return or_null([&] { return to_dlpack(from_dlpack<double>(tensor)); });
}
extern "C" DLManagedTensor* turned_to_bool(DLManagedTensor* tensor) {
  return or_null([&] { return to_dlpack(from_dlpack<std::int32_t>(tensor).to<bool>()); });
}
extern "C" DLManagedTensor* tanh_of(DLManagedTensor* tensor) {
  return or_null([&] {
    const Array<double> x = from_dlpack<double>(tensor);  // NumPy's memory, given back when x is gone
    return to_dlpack(tanh(x).array());                    // ours, which lives until NumPy gives it back
  });
}
