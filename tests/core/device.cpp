// SPDX-License-Identifier: MIT
#include <string>
#include <type_traits>

#include <gradus/core/device.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using gradus::Device;
using gradus::DeviceError;
using gradus::DeviceKind;

static_assert(sizeof(Device) == sizeof(void*) && std::is_trivially_copyable_v<Device>);

namespace {
struct Broken {
  Broken() { fake::broken = true; }
  ~Broken() { fake::broken = false; }
};
}  // namespace

TEST_CASE("a device is the CPU until another one is asked for") {
  CHECK(Device().is_cpu());
  CHECK(Device("cpu") == Device());
  CHECK(Device(std::string("cpu")).name() == "cpu");
  CHECK(Device::choose("cpu").reason == "cpu: asked for");
}

TEST_CASE("a kind of device that a header adds") {
  const Device zero("fake"), one("fake:1");
  CHECK_FALSE(zero.is_cpu());
  CHECK(zero.name() == "fake:0");
  CHECK(one.name() == "fake:1");
  CHECK(zero == Device("fake:0"));
  CHECK_FALSE(zero == one);
  CHECK_FALSE(zero == Device());
  CHECK(&one.backend() == &fake::memory(1));
  CHECK(Device::choose("fake:1").reason == "fake:1: asked for");
  int kinds = 0;
  for (auto* kind = DeviceKind::first; kind; kind = kind->next) kinds += std::string(kind->name) == "fake";
  CHECK(kinds == 1);  // in as many units as it is included
}

TEST_CASE("a device that cannot be used says why") {
  CHECK_THROWS_AS(Device("fake:2"), DeviceError);
  CHECK_THROWS_WITH(Device("fake:2"), "fake:2: there are 2, fake:0 and fake:1");
  const Broken now;
  CHECK_THROWS_WITH(Device("fake"), "fake: no usable device: the test says so");
}

TEST_CASE("a device that nobody knows") {
  CHECK_THROWS_AS(Device("gpu"), DeviceError);
  CHECK_THROWS_WITH(Device("gpu"), "device \"gpu\" is unknown; known are \"auto\", \"cpu\", \"fake\"");
  CHECK_THROWS_WITH(Device(""), "device \"\" is unknown; known are \"auto\", \"cpu\", \"fake\"");
  CHECK_THROWS_WITH(Device("CPU"), "device \"CPU\" is unknown; known are \"auto\", \"cpu\", \"fake\"");
  CHECK_THROWS_WITH(Device("cuda"),
                    "device \"cuda\" is not part of this program (#include <gradus/cuda.hpp>)");
  CHECK_THROWS_WITH(Device("cuda:1"),
                    "device \"cuda\" is not part of this program (#include <gradus/cuda.hpp>)");
}

TEST_CASE("what follows the colon is a number") {
  for (const std::string wrong : {"fake:", "fake:x", "fake:1x", "fake:-1", "fake:+1", "fake: 1", "fake:1:2",
                                  "fake:99999999999999999999", "cuda:one"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(Device(wrong), DeviceError);
    CHECK_THROWS_WITH(Device(wrong),
                      "device \"" + wrong + "\": after the colon there should be a number, as in \"cuda:1\"");
  }
}

TEST_CASE("auto takes what works and says why") {
  const auto choice = Device::choose("auto");
  CHECK(choice.device == Device("fake:0"));
  CHECK(choice.reason == "fake:0: found, and asked for by \"auto\"");
  const Broken now;
  const auto second = Device::choose("auto");
  CHECK(second.device.is_cpu());
  CHECK(second.reason == "cpu: fake: no usable device: the test says so");
  CHECK(Device("auto").is_cpu());
}

TEST_CASE("auto without another kind of device") {
  DeviceKind* const first = DeviceKind::first;
  DeviceKind::first = nullptr;
  const auto choice = Device::choose("auto");
  std::string words;
  try {
    Device("gpu");
  } catch (const DeviceError& e) { words = e.what(); }
  DeviceKind::first = first;
  CHECK(choice.reason == "cpu: no other kind of device is part of this program");
  CHECK(words == "device \"gpu\" is unknown; known are \"auto\", \"cpu\"");
}
