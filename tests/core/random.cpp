// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gradus/core/random.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using random::Stream;

namespace {

constexpr std::uint64_t top = (std::uint64_t{1} << 53) - 1;

/// The largest distance between the sample's distribution and F, times √n (Kolmogorov, Smirnov).
template <class F> double kolmogorov_smirnov(std::vector<double> sample, F&& distribution) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  double worst = 0, below = 0;
  for (const double x : sample) {
    const double f = distribution(x);
    worst = std::max({worst, f - below / n, (below + 1) / n - f});
    ++below;
  }
  return worst * std::sqrt(n);
}

double ulps(double x, double truth) {
  return std::abs(x - truth) / (std::nextafter(std::abs(truth), 1e300) - std::abs(truth));
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers") {
  std::ifstream file(GRADUS_SOURCE_DIR "/tests/data/random123_philox4x32_10.txt");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream in(line);
    std::string name;
    int rounds;
    in >> name >> std::dec >> rounds >> std::hex;
    random::Block counter{}, expected{};
    std::array<std::uint32_t, 2> key{};
    for (auto& word : counter) in >> word;
    for (auto& word : key) in >> word;
    for (auto& word : expected) in >> word;
    REQUIRE(in);
    CHECK(random::philox(counter, key) == expected);
    ++count;
  }
  CHECK(count == 3);
}

TEST_CASE("a stream is Philox keyed by the seed, counting blocks below its id") {
  const Stream stream(0x299f31d0a4093822, 0x0370734413198a2e);
  const random::Block block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};  // the third known answer
  const auto index = static_cast<Index>(0x05a308d3243f6a88);
  CHECK(stream.block(index) ==
        random::philox({0x243f6a88, 0x05a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}));
  CHECK(random::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) == block);
  for (Index i = 0; i < 12; ++i) {
    CHECK(stream.bits(i) == stream.block(i / 4)[static_cast<std::size_t>(i % 4)]);
    CHECK(stream.bits64(i) == (stream.bits(2 * i) | std::uint64_t{stream.bits(2 * i + 1)} << 32));
  }
  static_assert(Stream(1, 2).bits(3) == Stream(1, 2).block(0)[3]);
}

TEST_CASE("streams are named by numbers or paths") {
  // test vectors of FNV-1a by L. C. Noll
  CHECK(Stream(7, "").id == 0xcbf29ce484222325);
  CHECK(Stream(7, "a").id == 0xaf63dc4c8601ec8c);
  CHECK(Stream(7, "foobar").id == 0x85944171f73967e8);
  CHECK(Stream(7, "x").seed == 7);
  CHECK(Stream(7) == Stream(7, 0));
  // SplitMix64 with seed 1234567, as in its authors' program
  CHECK(Stream(7, 1234567).child(0).id == 6457827717110365317u);
  CHECK(Stream(7, 1234567).child(1).id == 3203168211198807973u);
  CHECK(Stream(7, 3).child(5).seed == 7);
  CHECK(Stream(7).child(1).child(2) != Stream(7).child(2).child(1));
}

TEST_CASE("uniform numbers are the upper bits, scaled") {
  const Stream stream(3, "uniform");
  for (Index i = 0; i < 1000; ++i) {
    CHECK(stream.uniform01<float>(i) == std::ldexp(static_cast<float>(stream.bits(i) >> 8), -24));
    CHECK(stream.uniform01<double>(i) == std::ldexp(static_cast<double>(stream.bits64(i) >> 11), -53));
    const float x = stream.uniform(i, -2.0f, 3.0f);
    CHECK((x >= -2 && x <= 3));
  }
  CHECK(random::detail::unit<float>(0) == 0);
  CHECK(random::detail::unit<float>(0xffffffff) == 1 - 0x1p-24f);
  CHECK(random::detail::unit<double>(~std::uint64_t{0}) == 1 - 0x1p-53);
}

TEST_CASE("the normal quantile is that of an independent program") {
  struct Row {
    std::uint64_t k;
    double z;
  };
  // √2 erfinv(2u - 1), u = (k + ½) 2^-53, by mpmath 1.3 with 300 bits; next to -8.3, 0 and the seams at
  // |u - ½| = 0.425 and at a tail of e^-25, and at 0.001, 0.025, 0.1, 0.25, 0.975
  const std::vector<Row> rows = {
      {0, -8.2923610758135955},
      {1, -8.1607078408585832},
      {7, -7.9640236151223085},
      {100, -7.6365296828688595},
      {12345, -6.9903889687210712},
      {125090, -6.6579057924825617},
      {125093, -6.6579022666949623},
      {1048576, -6.3379576810666337},
      {1073741829, -5.1665781187709216},
      {1099511627776, -3.6683292851212067},
      {35184372088931, -2.6600674686165072},
      {281474976710659, -1.8627318674216459},
      {9007199254740, -3.0902323061678298},
      {225179981368524, -1.9599639845400548},
      {675539043385648, -1.4395321773759009},
      {675540844825499, -1.43953076450173},
      {900719925474099, -1.2815515655446003},
      {2251799813685248, -0.67448975019608157},
      {3602879701896397, -0.2533471031357996},
      {4503599627370495, -1.3914582123358835e-16},
      {4503599627370496, 1.3914582123358835e-16},
      {4503599627370497, 4.1743746370076504e-16},
      {5404319552844595, 0.25334710313579989},
      {8106479329266893, 1.2815515655446009},
      {8782019273372467, 1.9599639845400548},
      {9006298534815518, 3.7190164854558486},
      {top - 1, 8.1607078408585832},
      {top, 8.2923610758135955},
  };
  for (const auto& [k, z] : rows) {
    INFO("k " << k << ", z " << z);
    CHECK(ulps(random::detail::normal_quantile(k), z) <= 3);
  }
  // Wichura's own check values; u is within 2^-54 of p
  CHECK(random::detail::normal_quantile(top / 4) == Approx(-0.6744897501960817).epsilon(1e-15));
  CHECK(random::detail::normal_quantile(top / 1000) == Approx(-3.090232306167814).epsilon(1e-14));
}

TEST_CASE("the normal quantile rises, and is odd") {
  const Stream stream(1, "k");
  for (Index i = 0; i < 20000; ++i) {
    const std::uint64_t k = (stream.bits64(i) & top) >> (i % 54);
    REQUIRE(random::detail::normal_quantile(k) == -random::detail::normal_quantile(top - k));
    // 2^22 neighbours on: far enough that the last places of z do not hide the rise
    if (const auto next = k + (k >> 30) + 1; next <= top)
      REQUIRE(random::detail::normal_quantile(k) < random::detail::normal_quantile(next));
  }
}

TEST_CASE("our logarithm is within 1 ulp") {
  const Stream stream(2, "log");
  double worst = 0;
  const auto check = [&](double x) {
    // where long double has more digits, the truth is known to a small part of an ulp
    const long double truth = std::log(static_cast<long double>(x));
    const double y = random::detail::log(x), near = static_cast<double>(truth);
    if (near == 0) {
      CHECK(y == 0);
      return;
    }
    const double ulp = std::nextafter(std::abs(near), 1e300) - std::abs(near);
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(y) - truth)) / ulp);
  };
  for (Index i = 0; i < 200000; ++i) {
    const double u = stream.uniform01<double>(i);
    check(u + 0x1p-60);
    check(std::ldexp(1 + u, static_cast<int>(stream.below(i, 2046)) - 1022));
    check(1 + (u - 0.5) * std::ldexp(1.0, -static_cast<int>(i % 50)));
  }
  for (const double x : {1.0, 0.5, 2.0, 0x1p-54, std::sqrt(0.5), std::sqrt(2.0), 0x1p-1022, 1e308}) check(x);
  INFO("worst " << worst << " ulp");
  CHECK(worst < 1);
}

// Every compiler and machine gives these bits.
TEST_CASE("the first numbers of a stream never change") {
  // clang-format off
  const std::vector<std::uint64_t> normals = {
      0xbff03fc9a184d812, 0x3fe9735bbd84177c, 0xbfe18d4f4d5406ed, 0x3fed3993fb7dc61c,
      0xbfd8e64a72d5cec4, 0xbfe1729d65b736b1, 0xbfc1862999d41427, 0xbfe7f53b3057f6a7};
  const std::vector<std::uint32_t> normals_float = {
      0xbf81fe4d, 0x3f4b9ade, 0xbf0c6a7a, 0x3f69cca0, 0xbec73254, 0xbf0b94eb, 0xbe0c314d, 0xbf3fa9da};
  const std::vector<std::uint64_t> uniforms = {
      0x3fc3d44c8488edf8, 0x3fe92d61b2115ad0, 0x3fd2aacb22c38772, 0x3fea38f3594a90f9,
      0x3fd64fbf71d6332c, 0x3fd2bd227a4b1f94, 0x3fdc83ed7bf3ea9e, 0x3fcd0f1a5fb48334};
  const std::vector<std::uint32_t> uniforms_float = {
      0x3d8edf90, 0x3e1ea264, 0x3f0ad682, 0x3f496b0d, 0x3d61dc90, 0x3e955658, 0x3ea90f90, 0x3f51c79a};
  // clang-format on
  const Stream stream(42, "weights");
  for (std::size_t k = 0; k < 8; ++k) {
    const auto i = static_cast<Index>(k);
    CHECK(std::bit_cast<std::uint64_t>(stream.normal(i)) == normals[k]);
    CHECK(std::bit_cast<std::uint32_t>(stream.normal<float>(i)) == normals_float[k]);
    CHECK(std::bit_cast<std::uint64_t>(stream.uniform01<double>(i)) == uniforms[k]);
    CHECK(std::bit_cast<std::uint32_t>(stream.uniform01<float>(i)) == uniforms_float[k]);
  }
  // and a hash of the bits of many, of each kind
  std::uint64_t hash = 0;
  const auto add = [&hash](auto x) {
    if constexpr (sizeof x == 4)
      hash = (hash ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3;
    else
      hash = (hash ^ std::bit_cast<std::uint64_t>(x)) * 0x100000001b3;
  };
  for (Index i = 0; i < 100000; ++i) {
    add(stream.normal(i));
    add(stream.normal(i, 0.1, 0.7));
    add(stream.normal(i, 0.1f, 0.7f));
    add(stream.uniform(i, -0.3, 1.7));
    add(stream.uniform(i, -0.3f, 1.7f));
    add(stream.below(i, 1000003));
  }
  CHECK(hash == 0xeb4175dffba34b2d);
}

TEST_CASE("uniform numbers are uniform") {
  const Stream stream(11, "uniform");
  std::vector<double> wide(100000), narrow(100000);
  double mean = 0, square = 0;
  for (std::size_t k = 0; k < wide.size(); ++k) {
    wide[k] = stream.uniform01<double>(static_cast<Index>(k));
    narrow[k] = stream.uniform01<float>(static_cast<Index>(k));
    mean += wide[k] / 1e5;
    square += wide[k] * wide[k] / 1e5;
  }
  CHECK(std::abs(mean - 0.5) < 4 * std::sqrt(1 / 12.0 / 1e5));
  CHECK(std::abs(square - 1 / 3.0) < 4 * std::sqrt(4 / 45.0 / 1e5));
  const auto same = [](double x) { return x; };
  CHECK(kolmogorov_smirnov(wide, same) < 1.63);  // 1 % of all seeds exceed this
  CHECK(kolmogorov_smirnov(narrow, same) < 1.63);
}

TEST_CASE("normal numbers are normal") {
  const Stream stream(12, "normal");
  std::vector<double> sample(100000);
  std::array<double, 5> moments{};
  double neighbours = 0, before = 0;
  for (std::size_t k = 0; k < sample.size(); ++k) {
    const double z = sample[k] = stream.normal(static_cast<Index>(k));
    double power = 1;
    for (auto& moment : moments) moment += power / 1e5, power *= z;
    neighbours += z * before / 1e5;
    before = z;
  }
  const double sigma = 1 / std::sqrt(1e5);
  CHECK(std::abs(moments[1]) < 4 * sigma);
  CHECK(std::abs(moments[2] - 1) < 4 * std::sqrt(2.0) * sigma);
  CHECK(std::abs(moments[3]) < 4 * std::sqrt(15.0) * sigma);
  CHECK(std::abs(moments[4] - 3) < 4 * std::sqrt(96.0) * sigma);
  CHECK(std::abs(neighbours) < 4 * sigma);
  CHECK(kolmogorov_smirnov(sample, [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }) < 1.63);
}

TEST_CASE("streams are independent of each other") {
  std::vector<double> sample;  // one number from each of many streams that differ little
  for (std::uint64_t n = 0; n < 20000; ++n) {
    sample.push_back(Stream(n).uniform01<double>(0));
    sample.push_back(Stream(0, n + 1).uniform01<double>(0));
    sample.push_back(Stream(5).child(n).uniform01<double>(0));
  }
  CHECK(kolmogorov_smirnov(sample, [](double x) { return x; }) < 1.63);
}

TEST_CASE("bernoulli is true with its probability") {
  const Stream stream(13, "coin");
  for (const double p : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    int count = 0;
    for (Index i = 0; i < 100000; ++i) count += stream.bernoulli(i, p);
    CHECK(std::abs(count - 1e5 * p) <= 4 * std::sqrt(1e5 * p * (1 - p)));
  }
}

TEST_CASE("below is uniform on whole numbers") {
  const Stream stream(14, "dice");
  std::array<double, 6> counts{};
  for (Index i = 0; i < 60000; ++i) ++counts.at(static_cast<std::size_t>(stream.below(i, 6)));
  double chi2 = 0;
  for (const double count : counts) chi2 += (count - 1e4) * (count - 1e4) / 1e4;
  CHECK(chi2 < 15.09);  // 5 degrees of freedom, 1 %
  for (Index i = 0; i < 100; ++i) {
    CHECK(stream.below(i, 1) == 0);
    CHECK(stream.below(i, Index{1} << 62) == static_cast<Index>(stream.bits64(i) >> 2));
  }
  CHECK_THROWS_AS(stream.below(0, 0), ValueError);
  CHECK_THROWS_WITH(stream.below(0, -3), "random: below(i, n) has n = -3; it should be at least 1");
}

TEST_CASE("the high half of a product") {
  using random::detail::high_product;
  const std::uint64_t all = ~std::uint64_t{0};
  CHECK(high_product(all, all) == all - 1);
  CHECK(high_product(all, 2) == 1);
  CHECK(high_product(1, all) == 0);
  CHECK(high_product(std::uint64_t{1} << 63, 6) == 3);
  CHECK(high_product(0x123456789abcdef0, 0xfedcba9876543210) == 0x121fa00ad77d7422);
}

TEMPLATE_TEST_CASE("a permutation holds each number once", "", std::int32_t, Index, std::uint8_t) {
  for (const Index n : {0, 1, 2, 3, 100, 256}) {
    std::vector<TestType> order(static_cast<std::size_t>(n) + 1, TestType{77});
    Stream(1, "order").permutation(order.data(), n);
    CHECK(order.back() == 77);
    order.pop_back();
    std::vector<TestType> again(order.size());
    Stream(1, "order").permutation(again.data(), n);
    CHECK(order == again);
    if (n == 100) CHECK(!std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (Index i = 0; i < n; ++i) CHECK(static_cast<Index>(order[static_cast<std::size_t>(i)]) == i);
  }
}

TEST_CASE("a permutation must fit its integers") {
  std::vector<std::uint8_t> order(257);
  CHECK_THROWS_AS(Stream().permutation(order.data(), 257), ValueError);
  CHECK_THROWS_WITH(Stream().permutation(order.data(), 257),
                    "random: a permutation of 257 does not fit integers up to 255");
}

TEST_CASE("all permutations are equally frequent") {
  std::map<std::array<int, 4>, double> counts;
  for (std::uint64_t n = 0; n < 24000; ++n) {
    std::array<int, 4> order;
    Stream(15, "shuffle").child(n).permutation(order.data(), 4);
    ++counts[order];
  }
  CHECK(counts.size() == 24);
  double chi2 = 0;
  for (const auto& [order, count] : counts) chi2 += (count - 1000) * (count - 1000) / 1000;
  CHECK(chi2 < 41.64);  // 23 degrees of freedom, 1 %
}

TEMPLATE_TEST_CASE("filling is drawing one by one, at any split", "", float, double) {
  const Stream stream(16, "fill");
  const TestType a = TestType(-0.3), b = TestType(1.7);
  std::vector<TestType> uniform(37), normal(37);
  for (const Index split : {0, 1, 2, 3, 4, 5, 7, 36, 37}) {
    random::fill_uniform(uniform.data(), split, stream, a, b);
    random::fill_uniform(uniform.data() + split, 37 - split, stream, a, b, split);
    random::fill_normal(normal.data(), split, stream, a, b);
    random::fill_normal(normal.data() + split, 37 - split, stream, a, b, split);
    for (Index i = 0; i < 37; ++i) {
      REQUIRE(uniform[static_cast<std::size_t>(i)] == stream.uniform(i, a, b));
      REQUIRE(normal[static_cast<std::size_t>(i)] == stream.normal(i, a, b));
    }
  }
  random::fill_normal(normal.data(), 37, stream);
  CHECK(normal[5] == stream.normal<TestType>(5));
}
