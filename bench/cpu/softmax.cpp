// SPDX-License-Identifier: MIT
// Softmax, its logarithm and the cross-entropy of it, along rows of ten and of a thousand classes.
#include <string>

#include <gradus/core/array.hpp>
#include <gradus/kernels/softmax.hpp>

#include "bench/support/row.hpp"

namespace {

using namespace gradus;
using kernels::Groups;

struct Data {
  Array<float> x, y, z, kept;
  Array<std::int32_t> labels;
  Index B, C;
  Data(Index rows, Index columns)
      : x(full<float>({rows, columns}, 0.25f)),
        y(full<float>({rows, columns}, 0.5f)),
        z(Shape{rows, columns}),
        kept(Shape{3, rows}),
        labels(Shape{rows}),
        B(rows),
        C(columns) {}
  Sink<float> to() { return {z.mutable_data(), z.shape(), Device()}; }
  Sink<float> room() { return {kept.mutable_data(), kept.shape(), Device()}; }
};

const bool registered = [] {
  for (const Index C : {10, 1000})
    for (const Index size : {1 << 12, 1 << 16, 1 << 24}) {
      const Index B = size / C;
      const auto add = [=](const std::string& name, int arrays, auto f) {
        bench::add("float/" + name + "/" + std::to_string(B) + "x" + std::to_string(C),
                   [=](benchmark::State& state) {
                     Data d(B, C);
                     const double n = double(B * C);
                     bench::measure<float>(state, {.bytes = 4 * arrays * n, .elements = n}, [&] { f(d); });
                   });
      };
      add("softmax", 2, [=](Data& d) { kernels::softmax<false>(d.to(), d.x.view(), {B, C, 1}); });
      add("log_softmax", 2, [=](Data& d) { kernels::softmax<true>(d.to(), d.x.view(), {B, C, 1}); });
      add("softmax_slope", 3, [=](Data& d) {
        kernels::softmax_slope<false>(d.to(), d.x.view(), d.y.view(), {B, C, 1});
      });
      add("log_softmax_slope", 3, [=](Data& d) {
        kernels::softmax_slope<true>(d.to(), d.x.view(), d.y.view(), {B, C, 1});
      });
      add("softmax_cross_entropy_sum", 2, [=](Data& d) {
        float loss;
        kernels::softmax_cross_entropy_sum(Sink<float>{&loss, {}, Device()}, d.to(), d.room(), d.x.view(),
                                           d.labels.view(), 0.f, 1 / float(B));
      });
    }
  return true;
}();

}  // namespace
