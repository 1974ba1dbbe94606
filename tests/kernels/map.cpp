// SPDX-License-Identifier: MIT
#include <limits>

#include <gradus/kernels/map.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/threads.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Blend {  // (a − b) c + s − r
  template <class X> static X value(X a, X b, X c, X s, X r) { return (a - b) * c + s - r; }
};
struct Plus {
  template <class X> static X value(X a, X b) { return a + b; }
};
struct NotZero {
  template <class X> static X value(X a) { return math::select(a != X(0), X(1), X(0)); }
};
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }

}  // namespace

TEST_CASE("map broadcasts three operands in every way") {
  const Shape shapes[] = {{},        {1},       {5},       {3, 1},    {3, 5},   {1, 5},
                          {2, 1, 5}, {2, 3, 1}, {2, 3, 5}, {1, 1, 1}, {2, 1, 1}};
  for (const Shape& a : shapes)
    for (const Shape& b : shapes)
      for (const Shape& c : shapes) {
        const auto x = numbers(a), y = numbers(b, -1, 1, 2), z = numbers(c, -1, 1, 3);
        const auto expected =
            elementwise({x, y, z}, [](const Real* e) { return (e[0] - e[1]) * e[2] + 0.5L - 2; });
        auto got = Array<double>::uninitialized(expected.shape());
        kernels::map<Blend, double>(sink(got), std::array{0.5, 2.0}, x.view(), y.view(), z.view());
        bool equal = true;
        // a product and three sums of numbers below 4: 4 roundings of at most 2⁻⁵¹
        for (Index i = 0; i < got.size(); ++i)
          equal &= std::abs(got.data()[i] - expected.data()[i]) <= 4 * 0x1p-51;
        if (!equal) FAIL(a.str() << b.str() << c.str());
      }
  CHECK(std::size(shapes) == 11);
}

TEST_CASE("map broadcasts rows that are longer than its buffers, and many that are short") {
  for (const Shape& y : {Shape{3, 700}, Shape{2, 2, 513}, Shape{400, 3}, Shape{50, 2, 7}}) {
    const int r = y.rank();
    const Shape row{y[r - 1]}, column = y.with(r - 1, 1), middle = r == 3 ? Shape{y[1], 1} : Shape{1};
    const auto x = numbers(row), z = numbers(column, -1, 1, 2), m = numbers(middle, -1, 1, 3), w = numbers(y);
    for (const auto& a : {x, z, m, w}) {
      const auto expected =
          elementwise({a, z, x}, [](const Real* e) { return (e[0] - e[1]) * e[2] + 0.5L - 2; });
      auto got = Array<double>::uninitialized(y);
      kernels::map<Blend, double>(sink(got), std::array{0.5, 2.0}, a.view(), z.view(), x.view());
      bool equal = expected.shape() == y;
      for (Index i = 0; equal && i < got.size(); ++i)
        equal = std::abs(got.data()[i] - expected.data()[i]) <= 4 * 0x1p-51;
      CHECK(equal);
    }
  }
}

TEST_CASE("map at the edges of blocks") {
  for (Index n = 0; n <= 70; ++n) {
    const auto x = numbers({n}), y = numbers({n}, -1, 1, 2);
    std::vector<double> memory(std::size_t(n) + 2, 7);  // one number before, one after
    const Sink<double> to{memory.data() + 1, {n}, {}};
    kernels::map<Plus, double>(to, std::array<double, 0>(), x.view(), y.view());
    bool equal = memory.front() == 7 && memory.back() == 7;
    for (Index i = 0; i < n; ++i) equal &= memory[std::size_t(i) + 1] == x(i) + y(i);
    CHECK(equal);
  }
}

TEST_CASE("map at the edges of blocks: a single number, a mask, and a sum with what is there") {
  for (Index n = 1; n <= 70; ++n) {
    const auto x = numbers({n}).to<float>();
    Array<bool> m(Shape{n});
    for (Index i = 0; i < n; ++i) m.mutable_data()[i] = i % 3 == 1;
    const Array<float> one = {0.25f};
    std::vector<float> memory(std::size_t(n) + 2, 7);
    Gradient g{memory.data() + 1, {n}, {}};
    g.written = true;  // so the kernel adds
    const Sink<float> to{memory.data() + 1, {n}, {}, &g};
    kernels::map<Blend, float>(to, std::array{0.5f, 2.0f}, one.view(), x.view(), m.view());
    bool equal = memory.front() == 7 && memory.back() == 7;
    for (Index i = 0; i < n; ++i)
      equal &= memory[std::size_t(i) + 1] == 7 + ((0.25f - x(i)) * (m(i) ? 1.0f : 0.0f) + 0.5f - 2);
    CHECK(equal);
  }
}

TEST_CASE("map reads and writes other types as its own") {
  const Array<bool> m = {true, false, true};
  const Array<std::int32_t> k = {1, -2, 3};
  Array<float> sum(Shape{3});
  kernels::map<Plus, float>(sink(sum), std::array<float, 0>(), m.view(), k.view());
  CHECK(sum == Array<float>{2, -2, 4});
  Array<bool> mask(Shape{3});
  kernels::map<NotZero, float>(sink(mask), std::array<float, 0>(), Array<float>{0, NAN, -1e-30f}.view());
  CHECK(mask == Array<bool>{false, true, true});
}

TEST_CASE("a gradient sink assigns first and adds then; an unwanted one swallows") {
  Array<float> memory = {NAN, NAN};  // never zeroed
  Gradient g{memory.mutable_data(), {2}, {}};
  const Sink<float> to{memory.mutable_data(), {2}, {}, &g};
  const Array<float> a = {1, 2}, b = {10, 20};
  kernels::map<Plus, float>(to, std::array<float, 0>(), a.view(), b.view());
  CHECK(memory == Array<float>{11, 22});
  kernels::map<Plus, float>(to, std::array<float, 0>(), a.view(), a.view());
  CHECK(memory == Array<float>{13, 26});
  kernels::map<Plus, float>(Sink<float>(), std::array<float, 0>(), a.view(), a.view());
  CHECK(memory == Array<float>{13, 26});
}

TEST_CASE("map gives the same bits at any number of threads") {
  const auto x = numbers({1000, 333}).to<float>(), row = numbers({333}).to<float>(),
             column = numbers({1000, 1}).to<float>();
  for (const auto& y : {x, row, column})
    same_at_any_number_of_threads([&] {
      auto z = Array<float>::uninitialized(x.shape());
      kernels::map<Blend, float>(sink(z), std::array{0.5f, 2.0f}, x.view(), y.view(), column.view());
      return z;
    });
}

TEST_CASE("a kernel without a device says so") {
  Array<float> there = Array<float>{1, 2}.to("fake:0");
  CHECK(words<DeviceError>([&] {
          kernels::map<Plus, float>(sink(there), std::array<float, 0>(), there.view(), there.view());
        }) == "map: this program has no kernels for device fake:0");
}
