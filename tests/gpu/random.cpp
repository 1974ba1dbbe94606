// SPDX-License-Identifier: MIT
// The random numbers of a GPU are the CPU's, bit for bit.
#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

template <class T>
Array<T> dropped(const Array<T>& x, double p, const random::Stream& stream, const random::Draw& draw) {
  auto y = Array<T>::uninitialized(x.shape(), x.device());
  kernels::dropout(Sink<T>{y.mutable_data(), y.shape(), y.device()}, x.view(), p, stream, draw);
  return y.to("cpu");
}

}  // namespace

TEMPLATE_TEST_CASE("dropout draws the CPU's numbers", "", float, double) {
  const Device gpu = devices().back();
  for (const Index n : {1, 3, 4, 1000, 100003}) {
    const auto x = numbers({n}).to<TestType>();
    for (const double p : {0.1, 0.5, 0.9})
      for (const std::uint64_t seed : {std::uint64_t(0), std::uint64_t(7), ~std::uint64_t(0)})
        for (const std::uint64_t draw : {std::uint64_t(0), std::uint64_t(12345), std::uint64_t(1) << 40}) {
          const random::Stream stream(seed, "mask");
          INFO(n << " numbers, p " << p << ", seed " << seed << ", draw " << draw);
          CHECK(same_bits(dropped(x, p, stream, {draw}), dropped(x.to(gpu), p, stream, {draw})));
        }
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("a draw's number that lies on the GPU counts as on the CPU") {
  const Device gpu = devices().back();
  const auto x = ones<float>({1001});
  const auto on_gpu = Array<std::int64_t>{41}.to(gpu);
  const random::Stream stream(7, "mask");
  const auto expected = dropped(x, 0.5, stream, {42});
  CHECK(same_bits(dropped(x.to(gpu), 0.5, stream, {1, reinterpret_cast<const std::uint64_t*>(on_gpu.data())}),
                  expected));
  CHECK_FALSE(same_bits(dropped(x.to(gpu), 0.5, stream, {1}), expected));
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("layers with dropout give the CPU's bits in training, step by step") {
  const Device gpu = devices().back();
  const auto x = numbers({37, 11}).to<float>();
  const auto steps = [&](Device device) {
    nn::Sequential<float> model{nn::Dropout{0.25}, nn::Dropout{0.5}};
    std::vector<Array<float>> all;
    Tape tape;
    for (int step = 0; step < 3; ++step) {
      const auto v = tape.variable(x.to(device));
      const auto y = model(v);
      all.push_back(y.array().to("cpu"));
      tape.backward(sum(y));
      all.push_back(tape.gradient(v).to("cpu"));
    }
    return all;
  };
  const auto here = steps({}), there = steps(gpu);
  for (std::size_t i = 0; i < here.size(); ++i) CHECK(same_bits(here[i], there[i]));
  CHECK_FALSE(same_bits(here[0], here[2]));
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
