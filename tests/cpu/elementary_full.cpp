// SPDX-License-Identifier: MIT
// Every one of the 2³² floats through the functions that networks are made of, against the C library's double
// function.
#include <bit>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <gradus/core/parallel.hpp>
#include <gradus/cpu/elementary.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/ulps.hpp"

using namespace gradus;
using Block = cpu::Wide<float>;

namespace {

/// The largest error over all floats, each slice of 2²⁰ on one thread.
double worst_of_all(Block (*wide)(const Block&), double (*exact)(double)) {
  constexpr Index slices = 1 << 12, per_slice = 1 << 20;
  std::vector<double> worst(slices);
  parallel_for(slices, 1, [&](Index first, Index last) {
    for (Index s = first; s < last; ++s)
      for (Index i = s * per_slice; i < (s + 1) * per_slice; i += Block::size) {
        float x[Block::size], y[Block::size];
        for (Index k = 0; k < Block::size; ++k)
          x[k] = std::bit_cast<float>(static_cast<std::uint32_t>(i + k));
        wide(Block::load(x)).store(y);
        for (Index k = 0; k < Block::size; ++k)
          worst[std::size_t(s)] = std::max(worst[std::size_t(s)], ulps(y[k], exact(double(x[k]))));
      }
  });
  return *std::max_element(worst.begin(), worst.end());
}

}  // namespace

TEST_CASE("all floats: at most 2 units in the last place") {
  const auto check = [](const char* name, Block (*wide)(const Block&), double (*exact)(double)) {
    const double worst = worst_of_all(wide, exact);
    std::printf("%-6s all 2^32 floats, at most %.2f ulp\n", name, worst);
    CHECK(worst <= 2);
  };
  check(
      "exp", [](const Block& x) { return Block(math::exp(x)); }, [](double x) { return std::exp(x); });
  check(
      "expm1", [](const Block& x) { return Block(math::expm1(x)); }, [](double x) { return std::expm1(x); });
  check(
      "log", [](const Block& x) { return Block(math::log(x)); }, [](double x) { return std::log(x); });
  check(
      "log1p", [](const Block& x) { return Block(math::log1p(x)); }, [](double x) { return std::log1p(x); });
  check(
      "tanh", [](const Block& x) { return Block(math::tanh(x)); }, [](double x) { return std::tanh(x); });
  check(
      "erf", [](const Block& x) { return Block(math::erf(x)); }, [](double x) { return std::erf(x); });
  check(
      "sin", [](const Block& x) { return Block(math::sin(x)); }, [](double x) { return std::sin(x); });
  check(
      "cos", [](const Block& x) { return Block(math::cos(x)); }, [](double x) { return std::cos(x); });
  check(
      "softplus", [](const Block& x) { return math::max(x, 0) + math::log1p_exp(-math::abs(x)); },
      [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); });
}
