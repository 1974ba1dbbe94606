// SPDX-License-Identifier: MIT
// Rows looked up in no order, as a shuffled batch or an embedding does.
#include <string>

#include <gradus/core/array.hpp>
#include <gradus/kernels/gather.hpp>

#include "bench/support/row.hpp"

namespace {

using namespace gradus;

const bool registered = [] {
  for (const Index C : {8, 64, 784})
    for (const Index size : {1 << 16, 1 << 24})
      bench::add("float/gather/" + std::to_string(size / C) + "x" + std::to_string(C),
                 [=](benchmark::State& state) {
                   const Index N = size / C;
                   const Array<float> x = full<float>({N, C}, 1);
                   Array<float> y(Shape{N, C});
                   Array<std::int32_t> rows(Shape{N});
                   for (Index i = 0; i < N; ++i)
                     rows.mutable_data()[i] = static_cast<std::int32_t>(i * 40503 % N);
                   const double n = double(N * C);
                   bench::measure<float>(state, {.bytes = 8 * n, .elements = n}, [&] {
                     kernels::gather(Sink<float>{y.mutable_data(), y.shape(), Device()}, x.view(), {1, N, C},
                                     rows.view());
                   });
                 });
  return true;
}();

}  // namespace
