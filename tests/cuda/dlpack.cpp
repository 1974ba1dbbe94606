// SPDX-License-Identifier: MIT
// DLPack on a GPU: which device, whose stream, and when memory is given back.
#include <gradus/cuda.hpp>
#include <gradus/dlpack.hpp>

#include "tests/cuda/child.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using emulator::settings;

namespace {

/// A library with a stream of its own, which has written three numbers there and takes the memory back there.
struct Other {
  const cuda::Driver& driver = cuda::library<cuda::Driver>();
  const CUstream ours;
  CUstream stream = nullptr;
  CUdeviceptr data = 0;
  std::int64_t size = 3;
  DLManagedTensor tensor = {};
  int given_back = 0;

  explicit Other(Device gpu) : ours(cuda::stream(gpu)) {
    static constexpr float numbers[] = {-1, 2, 3};
    driver.StreamCreate(&stream, CU_STREAM_NON_BLOCKING);
    driver.MemAllocAsync(&data, sizeof numbers, stream);
    driver.MemcpyHtoDAsync(data, numbers, sizeof numbers, stream);
    tensor.dl_tensor.data = reinterpret_cast<void*>(data);
    tensor.dl_tensor.device = {kDLCUDA, 0};
    tensor.dl_tensor.ndim = 1;
    tensor.dl_tensor.dtype = {kDLFloat, 32, 1};
    tensor.dl_tensor.shape = &size;
    tensor.manager_ctx = this;
    tensor.deleter = [](DLManagedTensor* t) {
      auto& me = *static_cast<Other*>(t->manager_ctx);
      ++me.given_back;
      me.driver.MemFreeAsync(me.data, me.stream);
    };
  }
  ~Other() { driver.StreamDestroy(stream); }
  Other(const Other&) = delete;

  /// What the other library does for __dlpack__(stream=ours).
  void order_streams() const {
    CUevent written = nullptr;
    driver.EventCreate(&written, CU_EVENT_DISABLE_TIMING);
    driver.EventRecord(written, stream);
    driver.StreamWaitEvent(ours, written, 0);
    driver.EventDestroy(written);
  }
};

}  // namespace

TEST_CASE("an array on a GPU goes out and comes in where it is") {
  emulate();
  const Device gpu("cuda");
  const auto a = Array<float>{{1, 2}, {3, 4}}.to(gpu);
  DLManagedTensor* const tensor = to_dlpack(a.slice(1, 2));
  CHECK(tensor->dl_tensor.device.device_type == kDLCUDA);
  CHECK(tensor->dl_tensor.device.device_id == 0);
  CHECK(tensor->dl_tensor.data == a.data() + 2);
  const auto in = from_dlpack<float>(tensor);
  CHECK(in.device() == gpu);
  CHECK(in.data() == a.data() + 2);
  CHECK(in.to("cpu") == Array<float>{{3, 4}});
  CHECK((in + in).array().to("cpu") == Array<float>{{6, 8}});
  CHECK(device_findings().empty());
}

TEST_CASE("a tensor on a GPU keeps its number") {
  emulate();
  CHECK(in_child([]() -> std::string {
          settings().devices = 2;
          DLManagedTensor* const tensor = to_dlpack(Array<float>{1, 2}.to("cuda:1"));
          if (tensor->dl_tensor.device.device_id != 1) return "another number";
          const auto in = from_dlpack<float>(tensor);
          return in.to("cpu") == Array<float>{1, 2} ? in.device().name() : "other numbers";
        }) == "cuda:1");
}

TEST_CASE("a tensor on a GPU that is not there") {
  emulate();
  CHECK(in_child([]() -> std::string {
          settings().devices = 1;
          Other other("cuda");
          other.tensor.dl_tensor.device.device_id = 1;
          const std::string said = words<DeviceError>([&] { from_dlpack<float>(&other.tensor); });
          return other.given_back == 0 ? said : "given back";
        }) == "cuda:1: there is one GPU, cuda:0");
}

TEST_CASE("memory of another stream is read after it, and given back when it has been read") {
  emulate();
  const Device gpu("cuda");
  {
    Other other(gpu);
    other.order_streams();
    auto x = from_dlpack<float>(&other.tensor);
    CHECK(words<OwnershipError>([&] { x.mutable_data(); }) ==
          "array [3]: borrowed memory is read-only; copy() it first");
    const auto y = relu(x);  // asked for, and perhaps not begun
    CHECK(other.given_back == 0);
    x = {};  // relu has kept nothing: off the tape there is no backward
    CHECK(other.given_back == 1);
    CHECK(y.array().to("cpu") == Array<float>{0, 2, 3});
  }
  CHECK(device_findings().empty());  // among them a free before the last read
}

TEST_CASE("the emulator would see it: a tensor that is read before its stream has written it") {
  emulate();
  const Device gpu("cuda");
  Other other(gpu);
  { const auto y = relu(from_dlpack<float>(&other.tensor)).array().to("cpu"); }
  CHECK(!device_findings().empty());
}

TEST_CASE("a tensor on a GPU that is lost is given back all the same") {
  emulate();
  CHECK(in_child([]() -> std::string {
          Other other("cuda");
          other.order_streams();
          auto x = from_dlpack<float>(&other.tensor);
          emulator::lose_device();
          x = {};
          return std::to_string(other.given_back);
        }) == "1");
}
