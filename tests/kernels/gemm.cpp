// SPDX-License-Identifier: MIT
#include <gradus/kernels/gemm.hpp>
#include <gradus/ops/linear.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;
using kernels::Op;

namespace {
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }
Array<double> turned(const Array<double>& a) {  // the last two of three axes
  Array<double> t(Shape{a.shape()[0], a.shape()[2], a.shape()[1]});
  for (Index b = 0; b < a.shape()[0]; ++b)
    for (Index i = 0; i < a.shape()[1]; ++i)
      for (Index j = 0; j < a.shape()[2]; ++j) t.ref(b, j, i) = a(b, i, j);
  return t;
}
}  // namespace

TEST_CASE("gemm: transposes, batches, single operands, bias and activation") {
  for (const auto& [M, N, K] :
       {std::array<Index, 3>{1, 1, 1}, {3, 5, 7}, {17, 1, 9}, {33, 40, 50}, {5, 3, 0}})
    for (const Index batch : {1, 3})
      for (const bool one_a : {false, true})
        for (const bool one_b : {false, true}) {
          const auto a = numbers({one_a ? 1 : batch, M, K}), b = numbers({one_b ? 1 : batch, K, N}, -1, 1, 2);
          const auto bias = numbers({N}, -1, 1, 3), at = turned(a), bt = turned(b);
          Array<double> expected(Shape{batch, M, N});
          for (Index i = 0; i < batch; ++i)
            for (Index m = 0; m < M; ++m)
              for (Index n = 0; n < N; ++n) {
                long double s = bias(n);
                for (Index k = 0; k < K; ++k)
                  s += static_cast<long double>(a(one_a ? 0 : i, m, k)) * b(one_b ? 0 : i, k, n);
                expected.ref(i, m, n) = static_cast<double>(s > 0 ? s : 0);
              }
          for (const Op op_a : {Op::none, Op::transpose})
            for (const Op op_b : {Op::none, Op::transpose}) {
              auto c = Array<double>::uninitialized({batch, M, N});
              kernels::gemm(sink(c), (op_a == Op::none ? a : at).view(), op_a,
                            (op_b == Op::none ? b : bt).view(), op_b, {M, N, K, batch, one_a, one_b},
                            {bias.data(), &ops::joined<ops::Relu, double>});
              double worst = 0;
              for (Index i = 0; i < c.size(); ++i)
                worst = std::max(worst, std::abs(c.data()[i] - expected.data()[i]));
              CHECK(worst <= double(K + 1) * 0x1p-52);  // K products and a bias, each below 1 and rounded
            }
        }
}

TEST_CASE("gemm: a product times the slope at y, in rows of any road") {
  for (const auto& [M, N, K] : {std::array<Index, 3>{1, 1, 1}, {5, 3, 7}, {64, 16, 1}, {300, 500, 400}}) {
    const auto a = numbers({M, K}), b = numbers({K, N}, -1, 1, 2), y = numbers({M, N}, 0, 1, 3);
    auto product = Array<double>::uninitialized({M, N}), c = product.copy(), expected = product.copy();
    kernels::gemm(sink(product), a.view(), Op::none, b.view(), Op::none, {M, N, K});
    const auto& sigmoid = ops::joined<ops::Sigmoid, double>;
    kernels::gemm(sink(c), a.view(), Op::none, b.view(), Op::none, {M, N, K}, {nullptr, &sigmoid, y.data()});
    kernels::map<double>(sigmoid.slope, sink(expected), nullptr, y.view(), product.view());
    CHECK(same_bits(c, expected));
  }
}

TEST_CASE("gemm gives the same bits at any number of threads") {
  for (const auto& [M, N, K] : {std::array<Index, 3>{512, 300, 200}, {1000, 1, 300}, {7, 2000, 64}}) {
    const auto a = numbers({M, K}).to<float>(), b = numbers({K, N}, -1, 1, 2).to<float>(),
               bias = numbers({N}).to<float>();
    same_at_any_number_of_threads([&, M = M, N = N, K = K] {
      auto c = Array<float>::uninitialized({M, N});
      kernels::gemm(sink(c), a.view(), Op::none, b.view(), Op::none, {M, N, K},
                    {bias.data(), &ops::joined<ops::Sigmoid, float>});
      return c;
    });
  }
}
