// SPDX-License-Identifier: MIT
// float32 to bfloat16 as IEEE 754 rounds: to the nearest, ties to even.
#include <bit>
#include <cmath>

#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// By doubles, which have room for the rounding: the nearest multiple of the last place.
std::uint16_t nearest(float x) {
  if (std::isnan(x)) return 0x7fc0;
  if (x == 0 || std::isinf(x)) return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16);
  const int exponent = std::max(std::ilogb(x), -126);
  const double place = std::ldexp(1.0, exponent - 7), rounded = std::nearbyint(double(x) / place) * place;
  const auto far = static_cast<float>(rounded);  // beyond the largest number: infinity
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(far) >> 16);
}

}  // namespace

TEST_CASE("bfloat16 is the nearest number, a tie the even one") {
  const Device gpu = devices().back();
  std::vector<float> x;
  for (std::uint32_t upper = 0; upper < 0x10000; upper += 37)  // signs, exponents, infinities, NaN
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      x.push_back(std::bit_cast<float>(upper << 16 | lower));
  for (const std::uint32_t bits :
       {0x7f7fffffu, 0xff7fffffu, 0x00000001u, 0x80000001u, 0x7f800000u, 0x7f800001u})
    x.push_back(std::bit_cast<float>(bits));
  const auto from = Array<float>::from(x).to(gpu);
  Array<std::uint16_t> to(from.shape(), gpu), few(Shape{9}, gpu);
  const kernels::Shortening arrays[] = {{from.data(), to.mutable_data(), from.size()},
                                        {from.data() + 3, few.mutable_data(), few.size()}};
  kernels::shorten(gpu, arrays, 2);
  const auto found = to.to("cpu"), some = few.to("cpu");
  std::vector<float> wrong;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (found.data()[i] != nearest(x[i])) wrong.push_back(x[i]);
  CHECK(wrong == std::vector<float>());
  for (Index i = 0; i < 9; ++i) CHECK(some.data()[i] == found.data()[i + 3]);  // aligned to one number
  for (const auto& finding : device_findings()) FAIL_CHECK(finding);
}
