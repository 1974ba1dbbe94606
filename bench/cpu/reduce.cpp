// SPDX-License-Identifier: MIT
// Sums and extremes of everything, of rows and of columns, in the caches and in memory.
#include <string>

#include <gradus/core/array.hpp>
#include <gradus/kernels/reduce.hpp>

#include "bench/support/row.hpp"

namespace {

using namespace gradus;
using kernels::Groups;

constexpr Index sizes[] = {1 << 12, 1 << 16, 1 << 24};  // floats

template <class F> void add(const std::string& name, Index n, int arrays, F f, int threads = 1) {
  bench::add("float/" + name + "/" + std::to_string(n),
             [=](benchmark::State& state) {
               Array<float> x = full<float>({n}, 1), y(Shape{n});
               bench::measure<float>(state, {.bytes = 4.0 * arrays * double(n), .elements = double(n)},
                                     [&] { f(x.view(), y.mutable_data()); });
             },
             {.threads = threads});
}

const bool registered = [] {
  for (const Index n : sizes) {
    for (const int threads : {1, bench::all_threads()}) {
      if (threads > 1 && n < 1 << 24) continue;
      add(
          "sum", n, 1,
          [=](const View<float>& x, float* y) {
            kernels::sum(Sink<float>{y, {}, Device()}, x, {1, n, 1});
          },
          threads);
      add(
          "sum_all", n, 1,
          [=](const View<float>& x, float* y) {
            kernels::sum_all(kernels::formula<kernels::Identity, float, float, 0, float>,
                             Sink<float>{y, {}, Device()}, 1.f, static_cast<const float*>(nullptr), x);
          },
          threads);
      if (bench::all_threads() == 1) break;
    }
    for (const Index C : {16, 64, 1024}) {
      const Index B = n / C;
      const std::string of = "_of_" + std::to_string(C);
      add("sum_rows" + of, n, 1, [=](const View<float>& x, float* y) {
        kernels::sum(Sink<float>{y, {B}, Device()}, x, {B, C, 1});
      });
      add("sum_columns" + of, n, 1, [=](const View<float>& x, float* y) {
        kernels::sum(Sink<float>{y, {C}, Device()}, x, {1, B, C});
      });
      add("max_rows" + of, n, 1, [=](const View<float>& x, float* y) {
        kernels::extreme<true>(Sink<float>{y, {B}, Device()}, x, {B, C, 1});
      });
      add("max_columns" + of, n, 1, [=](const View<float>& x, float* y) {
        kernels::extreme<true>(Sink<float>{y, {C}, Device()}, x, {1, B, C});
      });
    }
  }
  return true;
}();

}  // namespace
