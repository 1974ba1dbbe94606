// SPDX-License-Identifier: MIT
#include <algorithm>
#include <type_traits>
#include <vector>

#include <gradus/core/sink.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using gradus::Device;
using gradus::Gradient;
using gradus::Shape;
using gradus::Sink;

static_assert(std::is_trivially_copyable_v<Sink<float>>);

namespace {

struct Numbers {
  std::vector<float> values = std::vector<float>(4, 7.0f);
  Gradient gradient = of(values.data());
  static Gradient of(void* data) {
    Gradient g;
    g.data = data;
    return g;
  }
  Sink<float> forward() { return {values.data(), Shape{4}, {}}; }
  Sink<float> backward() { return {nullptr, Shape{4}, {}, &gradient}; }
  bool all(float x) const { return std::count(values.begin(), values.end(), x) == 4; }
};

}  // namespace

TEST_CASE("a forward sink always assigns") {
  Numbers n;
  for (int i = 0; i < 2; ++i) {
    const auto to = n.forward().open();
    REQUIRE(to);
    CHECK(to.data == n.values.data());
    CHECK_FALSE(to.add);
  }
  CHECK(n.all(7));
}

TEST_CASE("an unwanted sink swallows everything") {
  const Sink<float> unwanted{nullptr, Shape{4}, {}};
  CHECK_FALSE(unwanted.open());
  CHECK_FALSE(unwanted.open_part());
  CHECK_FALSE(unwanted.wanted());
}

TEST_CASE("a gradient gets its memory on the first write, or adopts numbers that are there") {
  Numbers n;
  static int asked;
  static float memory[4];
  asked = 0;
  Gradient g;
  g.allocate = [](Gradient&) -> void* { return ++asked, memory; };
  const Sink<float> sink{nullptr, Shape{4}, {}, &g};
  CHECK(sink.wanted());
  CHECK(asked == 0);
  for (int i = 0; i < 2; ++i) CHECK(sink.open().data == memory);
  CHECK(asked == 1);
  CHECK_FALSE(sink.adopt(n.values.data()));  // it has been written

  g.written = false;
  const Sink<float> same = sink;  // made before, as that of an op's other operand
  REQUIRE(sink.adopt(n.values.data()));
  const auto to = same.open();
  CHECK(to.data == n.values.data());
  CHECK(to.add);
  CHECK_FALSE(n.forward().adopt(memory));

  gradus::detail::Block leaf{nullptr, nullptr};
  Gradient of_parameter = Numbers::of(memory);
  of_parameter.owner = &leaf;
  CHECK_FALSE(Sink<float>{nullptr, Shape{4}, {}, &of_parameter}.adopt(n.values.data()));
}

TEST_CASE("a gradient assigns first and adds after") {
  Numbers n;
  CHECK_FALSE(n.backward().open().add);
  CHECK(n.gradient.written);
  CHECK(n.backward().open().add);
  CHECK(n.backward().open().add);
  n.gradient.written = false;  // the optimizer's step
  CHECK_FALSE(n.backward().open().add);
  CHECK(n.all(7));  // open() touches no number
}

TEST_CASE("the mode is decided when a sink is opened, not when it is made") {
  Numbers n;  // matmul(x, x)
  const auto da = n.backward(), db = n.backward();
  CHECK_FALSE(da.open().add);
  CHECK(db.open().add);
}

TEST_CASE("a part is added to zeros") {
  Numbers n;
  auto to = n.backward().open_part();
  REQUIRE(to);
  CHECK(to.add);
  CHECK(n.all(0));
  CHECK(n.gradient.written);
  std::fill_n(to.data, 4, 3.0f);
  CHECK(n.backward().open_part().add);
  CHECK(n.all(3));  // zeroed once only
  CHECK(n.backward().open().add);
  CHECK(n.all(3));
}

TEST_CASE("a part after a whole is added to it") {
  Numbers n;
  CHECK_FALSE(n.backward().open().add);
  CHECK(n.backward().open_part().add);
  CHECK(n.all(7));
}

TEST_CASE("a part of a forward sink begins with zeros every time") {
  Numbers n;
  CHECK(n.forward().open_part().add);
  CHECK(n.all(0));
  std::fill(n.values.begin(), n.values.end(), 1.0f);
  CHECK(n.forward().open_part().add);
  CHECK(n.all(0));
}

TEST_CASE("on another device its own zero is used") {
  Numbers n;
  const int zeros = fake::counts().zeros;
  const Sink<float> there{n.values.data(), Shape{4}, Device("fake"), &n.gradient};
  CHECK(there.open_part().add);
  CHECK(there.open_part().add);
  CHECK(fake::counts().zeros == zeros + 1);
  CHECK(n.all(0));
}

TEST_CASE("what was written can be read") {
  Numbers n;
  const auto v = n.forward().view();
  CHECK(v.data == n.values.data());
  CHECK(v.shape == Shape{4});
  CHECK(n.forward().size() == 4);
  n.gradient.data = n.values.data(), n.gradient.shape = Shape{2, 2};
  CHECK(n.gradient.view<float>().data == n.values.data());
  CHECK(n.gradient.view<float>().shape == Shape{2, 2});
}
