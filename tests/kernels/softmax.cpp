// SPDX-License-Identifier: MIT
#include <gradus/kernels/softmax.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }
}  // namespace

TEST_CASE("softmax and its kin give the same bits at any number of threads") {
  const auto x = numbers({600, 11, 13}, -5, 5).to<float>(), dy = numbers({600, 11, 13}, -1, 1, 2).to<float>();
  for (const auto& g :
       {kernels::Groups(600, 143, 1), kernels::Groups(600, 11, 13), kernels::Groups(1, 600, 143)}) {
    same_at_any_number_of_threads([&] {
      auto y = Array<float>::uninitialized(x.shape());
      kernels::softmax<false>(sink(y), x.view(), g);
      return y;
    });
    same_at_any_number_of_threads([&] {
      auto y = Array<float>::uninitialized(x.shape()), d = Array<float>::uninitialized(x.shape());
      kernels::softmax<true>(sink(y), x.view(), g);
      kernels::softmax_slope<true>(sink(d), y.view(), dy.view(), g);
      return d;
    });
    same_at_any_number_of_threads([&] {
      auto y = Array<float>::uninitialized({g.outer * g.inner});
      kernels::logsumexp(sink(y), x.view(), g);
      return y;
    });
  }
}

TEST_CASE("softmax_cross_entropy gives the same bits at any number of threads") {
  const auto z = numbers({6000, 10}, -5, 5).to<float>(), dy = numbers({6000}, 0, 1, 2).to<float>();
  auto t = Array<std::int32_t>::uninitialized({6000});
  for (Index i = 0; i < t.size(); ++i) t.ref(i) = static_cast<std::int32_t>(7 * i % 10);
  same_at_any_number_of_threads([&] {
    auto y = Array<float>::uninitialized({6000}), kept = Array<float>::uninitialized({2, 6000}),
         d = Array<float>::uninitialized({6000, 10});
    kernels::softmax_cross_entropy(sink(y), sink(kept), z.view(), t.view(), 0.1f);
    kernels::softmax_cross_entropy_slope(sink(d), z.view(), kept.view(), t.view(), dy.view(), 0.1f);
    return d;
  });
}

TEST_CASE("a row's softmax does not depend on how rows lie") {
  const auto x = numbers({9, 17}, -5, 5).to<float>();
  Array<float> turned(Shape{17, 9});
  for (Index i = 0; i < 9; ++i)
    for (Index k = 0; k < 17; ++k) turned.ref(k, i) = x(i, k);
  auto y = Array<float>::uninitialized({9, 17}), z = Array<float>::uninitialized({17, 9});
  kernels::softmax<false>(sink(y), x.view(), {9, 17, 1});
  kernels::softmax<false>(sink(z), turned.view(), {1, 17, 9});
  bool equal = true;
  for (Index i = 0; i < 9; ++i)
    for (Index k = 0; k < 17; ++k) equal &= y(i, k) == z(k, i);
  CHECK(equal);
}

TEST_CASE("softmax adds to a gradient that was written") {
  for (const auto& g : {kernels::Groups(1, 2, 1), kernels::Groups(1, 1, 2)}) {
    Array<double> memory(Shape{2});
    Gradient gradient{memory.mutable_data(), {2}, {}};
    const Sink<double> to{memory.mutable_data(), {2}, {}, &gradient};
    const Array<double> x = {0, 0};
    for (int k = 0; k < 3; ++k) kernels::softmax<false>(to, x.view(), g);
    CHECK(memory == full<double>({2}, g.n == 2 ? 1.5 : 3));
  }
}
