// SPDX-License-Identifier: MIT
#include <gradus/core/array.hpp>
#include <gradus/kernels/random.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/threads.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("dropout's mask is that of the stream's draw, at any size and number of threads") {
  const random::Stream stream(7, "mask");
  const auto mask = [&](Index n) {
    const auto x = ones<float>({n});
    auto y = Array<float>::uninitialized({n});
    kernels::dropout(Sink<float>{y.mutable_data(), {n}, {}}, x.view(), 0.5, stream, {});
    return y;
  };
  same_at_any_number_of_threads([&] { return mask(100003); });
  const auto all = mask(100003);
  for (const Index n : {0, 1, 3, 4, 5, 1000}) CHECK(mask(n) == all.slice(0, n));
  for (Index i = 0; i < 100; ++i)
    CHECK(all(i) == (stream.child(0).bits(i) >= 0x7fffffffu ? 2.0f : 0.0f));  // p = ½ of 2³²
}
