// SPDX-License-Identifier: MIT
// Arrays on a GPU, or on the emulator: made, moved, read; indices that it refuses; whole numbers.
#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("arrays on a GPU: made, copied, sliced, read, owned") {
  const Device gpu = devices().back();
  const Array<float> x = arange<float>(12), a = x.to(gpu);
  CHECK(a.device() == gpu);
  CHECK(a.to(gpu).data() == a.data());  // it is there already
  CHECK(a.copy().data() != a.data());
  CHECK(a.to("cpu") == x);
  CHECK(a.copy().to("cpu") == x);
  CHECK(a.slice(3, 7).to("cpu") == Array<float>{3, 4, 5, 6});
  CHECK(a.reshape({3, 4})[1].copy().to("cpu") == Array<float>{4, 5, 6, 7});
  CHECK(a.slice(11, 12).item() == 11);
  CHECK(zeros<float>({5}, gpu).to("cpu") == Array<float>{0, 0, 0, 0, 0});
  CHECK(full<float>({2}, 7, gpu).to("cpu") == Array<float>{7, 7});
  CHECK(Array<double>{1, 2}.to(gpu).to("cpu") == Array<double>{1, 2});
  CHECK(Array<std::int32_t>{1, -2}.to(gpu).to("cpu") == Array<std::int32_t>{1, -2});

  CHECK(words<OwnershipError>([&] {
          Array<float> shared = a;
          shared.mutable_data();
        }) != "no exception");
  Array<float> owned = a.copy();
  CHECK(words<OwnershipError>([&] { owned.mutable_data(); }) == "no exception");
  CHECK(words<DeviceError>([&] { a.values(); }) ==
        "values: the array [12] is on " + gpu.name() + "; move it with .to(\"cpu\")");
  CHECK(words<DeviceError>([&] { a(1); }) ==
        "element access: the array [12] is on " + gpu.name() + "; move it with .to(\"cpu\")");
  CHECK(device_findings().empty());
}

TEST_CASE("arrays of nothing on a GPU") {
  const Device gpu = devices().back();
  for (const Shape& shape : {Shape{0}, Shape{3, 0}, Shape{0, 2}}) {
    const Array<float> x(shape), a = x.to(gpu);
    CHECK(a.shape() == shape);
    CHECK(a.to("cpu") == x);
    CHECK(a.copy().to("cpu") == x);
    CHECK(Array<float>(shape, gpu).to("cpu") == x);
    CHECK(relu(a).array().to("cpu") == x);
    CHECK(sum(a).item() == 0);
  }
  CHECK(arange<float>(3).to(gpu).slice(1, 1).to("cpu") == Array<float>(Shape{0}));
  CHECK(device_findings().empty());
}

TEST_CASE("an index outside is an error in the CPU's words, once, at the next download") {
  const Device gpu = devices().back();
  const Array<float> table = arange<float>(10).reshape({5, 2}), on_gpu = table.to(gpu);
  const Array<std::int32_t> good{0, 4, 2}, bad{0, 4, 1, 7, -1, 9};
  const auto fails_as_on_the_cpu = [&](const auto& f) {
    const std::string said = words<IndexError>([&] { f(Device()); });
    CAPTURE(said);
    CHECK(said != "no exception");
    const auto y = f(gpu);  // nobody has looked yet
    CHECK(words<IndexError>([&] { y.array().to("cpu"); }) == said);
    CHECK(words<IndexError>([&] { on_gpu.to("cpu"); }) == "no exception");
    CHECK(take(on_gpu, good.to(gpu)).array().to("cpu") == take(table, good).array());
  };
  CHECK(words<IndexError>([&] { take(on_gpu, bad.to(gpu)).array().to("cpu"); }) ==
        "take: index 7 at place 3 is outside 0 to 4");
  fails_as_on_the_cpu([&](Device d) { return take(table.to(d), bad.to(d)); });
  fails_as_on_the_cpu([&](Device d) { return one_hot<float>(bad.to(d), 5); });
  const Array<std::int32_t> negative{3, -2147483647 - 1, 8};
  fails_as_on_the_cpu([&](Device d) { return take(table.to(d), negative.to(d)); });
  fails_as_on_the_cpu([&](Device d) { return one_hot<float>(negative.to(d), 5); });
  const Array<float> logits = arange<float>(12).reshape({6, 2});
  fails_as_on_the_cpu([&](Device d) { return softmax_cross_entropy(logits.to(d), bad.to(d)); });
  CHECK(device_findings().empty());
}

TEST_CASE("two kinds of bad indices: each is told of") {
  const Device gpu = devices().back();
  const Array<float> table = arange<float>(5).to(gpu);
  const auto y = take(table, Array<std::int32_t>{5}.to(gpu));
  const auto z = one_hot<float>(Array<std::int32_t>{1, 6}.to(gpu), 4);
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "take: index 5 at place 0 is outside 0 to 4");
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "one_hot: label 6 at place 1 is outside 0 to 3");
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "no exception");
}

TEST_CASE("whole numbers are summed as they are") {
  devices();
  const Array<std::int64_t> wide = {1, 2, 3, std::int64_t(1) << 60};
  CHECK(sum(wide.to("cuda")).array().item() == (std::int64_t(1) << 60) + 6);
  CHECK(sum(Array<std::int32_t>{{1, 2}, {30, 40}}.to("cuda"), 0).array().to("cpu") ==
        Array<std::int32_t>{31, 42});
  CHECK(words<DeviceError>([] {
          sum(Array<std::uint8_t>{1, 2}.to("cuda"));
        }) == "sum: uint8 is not summed on a GPU; convert on the CPU, with array.to<float>()");
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
