// SPDX-License-Identifier: MIT
#include <gradus/kernels/gather.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }
}  // namespace

TEST_CASE("what writes a part of a gradient leaves zeros elsewhere, and adds the second time") {
  Array<float> memory = {NAN, NAN, NAN, NAN};
  Gradient g{memory.mutable_data(), {4}, {}};
  const Sink<float> to{memory.mutable_data(), {4}, {}, &g};
  const Array<float> x = {1, 2};
  kernels::place(to, x.view(), {1, 4, 1}, 2, 1, 2);
  CHECK(memory == Array<float>{0, 1, 0, 2});
  kernels::scatter_add(to, x.view(), {1, 4, 1}, Array<std::int32_t>{3, 3}.view());
  CHECK(memory == Array<float>{0, 1, 0, 5});
}

TEST_CASE("moves give the same bits at any number of threads") {
  const auto x = numbers({400, 20, 30}).to<float>();
  auto rows = Array<std::int32_t>::uninitialized({1000});
  for (Index i = 0; i < rows.size(); ++i) rows.ref(i) = static_cast<std::int32_t>(7 * i % 20);
  same_at_any_number_of_threads([&] {
    auto y = Array<float>::uninitialized({400, 1000, 30});
    kernels::gather(sink(y), x.view(), {400, 20, 30}, rows.view());
    return y;
  });
  same_at_any_number_of_threads([&] {
    auto y = Array<float>::uninitialized({30, 400, 20});
    kernels::permute(sink(y), x.view(), {2, 0, 1});
    return y;
  });
}
