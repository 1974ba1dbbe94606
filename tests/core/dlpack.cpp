// SPDX-License-Identifier: MIT
// DLPack on the CPU. GPUs: tests/cuda/dlpack.cpp; NumPy itself: tests/consumers/with_numpy.py.
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gradus/dlpack.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using gradus::test::words;

namespace {

using Sizes = std::vector<std::int64_t>;

/// A tensor of another library, which counts how often it is given back.
template <class T> struct Lent {
  std::vector<T> numbers;
  Sizes shape, strides;
  DLManagedTensor tensor = {};
  int given_back = 0;

  Lent(std::vector<T> n, Sizes sizes, Sizes steps = {})
      : numbers(std::move(n)), shape(std::move(sizes)), strides(std::move(steps)) {
    tensor.dl_tensor.data = numbers.data();
    tensor.dl_tensor.device = {kDLCPU, 0};
    tensor.dl_tensor.ndim = int(shape.size());
    tensor.dl_tensor.dtype = detail::dl_type<T>();
    tensor.dl_tensor.shape = shape.data();
    tensor.dl_tensor.strides = strides.empty() ? nullptr : strides.data();
    tensor.manager_ctx = this;
    tensor.deleter = [](DLManagedTensor* t) { ++static_cast<Lent*>(t->manager_ctx)->given_back; };
  }
  Lent(const Lent&) = delete;
};
using Floats = Lent<float>;

/// What a tensor is refused with; it stays the caller's.
template <class E, class T = float, class S> std::string refusal(Lent<S>& lent) {
  const std::string said = words<E>([&] { from_dlpack<T>(&lent.tensor); });
  CHECK(lent.given_back == 0);
  return said;
}

/// The numbers' owner of an array, which tells how many there are.
struct Owner {
  std::shared_ptr<std::vector<float>> numbers;
  float* data() { return numbers->data(); }
  std::size_t size() const { return numbers->size(); }
};

struct Returned {
  void operator()(DLManagedTensor* t) const { t->deleter(t); }
};
/// As a receiver holds it.
using Held = std::unique_ptr<DLManagedTensor, Returned>;

template <class T> void check_type(int code, int bits) {
  const Array<T> a{T(1), T(0), T(1)};
  const Held held(to_dlpack(a));
  const DLDataType type = held->dl_tensor.dtype;
  CHECK(int(type.code) == code);
  CHECK(int(type.bits) == bits);
  CHECK(int(type.lanes) == 1);
  Lent<unsigned char> lent({1, 0, 1}, {3});
  lent.tensor.dl_tensor.dtype = {std::uint8_t(code), std::uint8_t(bits), 1};
  lent.tensor.dl_tensor.data = const_cast<T*>(a.data());
  CHECK(from_dlpack<T>(&lent.tensor) == a);
}

}  // namespace

#ifdef DLPACK_MAJOR_VERSION
static_assert(detail::dl_bool == kDLBool);
#endif

// ---- both ways

TEST_CASE("every element type has DLPack's name") {
  check_type<std::int8_t>(0, 8);
  check_type<std::int16_t>(0, 16);
  check_type<std::int32_t>(0, 32);
  check_type<std::int64_t>(0, 64);
  check_type<long long>(0, 64);
  check_type<std::uint8_t>(1, 8);
  check_type<std::uint16_t>(1, 16);
  check_type<std::uint32_t>(1, 32);
  check_type<std::uint64_t>(1, 64);
  check_type<float>(2, 32);
  check_type<double>(2, 64);
  check_type<bool>(6, 8);
}

TEST_CASE("out and in again: the same numbers at the same place") {
  const auto a = arange<float>(24).reshape({2, 3, 4});
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{24}, Shape{1, 1, 2, 3, 2, 2}, Shape{24, 1}}) {
    const auto out = a.reshape(shape.sizes()), in = from_dlpack<float>(to_dlpack(out));
    CHECK(in == out);
    CHECK(in.data() == a.data());
    CHECK(in.device().is_cpu());
  }
  CHECK(a.share().owners() == 1);
}

TEST_CASE("a scalar, and arrays of nothing") {
  const auto scalar = full(Shape{}, 7.0);
  const auto in = from_dlpack<double>(to_dlpack(scalar));
  CHECK(in.shape() == Shape{});
  CHECK(in.item() == 7);
  CHECK(in.data() == scalar.data());
  for (const Array<float>& none : {Array<float>(), Array<float>(Shape{3, 0}), Array<float>(Shape{0, 2})}) {
    const Held held(to_dlpack(none));
    CHECK(held->dl_tensor.data == nullptr);  // as DLPack wants it
    auto back = from_dlpack<float>(to_dlpack(none));
    CHECK(back.shape() == none.shape());
    CHECK(back.copy() == none);
    CHECK(back.mutable_values().empty());
  }
  Floats lent({}, {0, 3}, {1, 77});
  lent.tensor.dl_tensor.data = reinterpret_cast<void*>(1);  // nobody reads there
  CHECK(from_dlpack<float>(&lent.tensor).shape() == Shape{0, 3});
}

// ---- out

TEST_CASE("what a receiver sees of an array") {
  const auto a = arange<float>(24).reshape({2, 3, 4});
  const Held held(to_dlpack(a));
  const DLTensor& t = held->dl_tensor;
  CHECK(t.data == a.data());
  CHECK(t.byte_offset == 0);
  CHECK(t.device.device_type == kDLCPU);
  CHECK(t.device.device_id == 0);
  REQUIRE(t.ndim == 3);
  CHECK(Sizes(t.shape, t.shape + 3) == Sizes{2, 3, 4});
  REQUIRE(t.strides);
  CHECK(Sizes(t.strides, t.strides + 3) == Sizes{12, 4, 1});
}

TEST_CASE("a slice goes out from where it begins") {
  const auto a = arange<float>(12).reshape({4, 3});
  const Held held(to_dlpack(a.slice(1, 3)));
  CHECK(held->dl_tensor.data == a.data() + 3);
  CHECK(held->dl_tensor.byte_offset == 0);
  CHECK(Sizes(held->dl_tensor.shape, held->dl_tensor.shape + 2) == Sizes{2, 3});
}

TEST_CASE("an array's memory lives until the receiver gives it back") {
  const auto numbers = std::make_shared<std::vector<float>>(6, 1.5f);
  Held held;
  {
    const auto a = Array<float>::adopt(Owner{numbers}, {2, 3});
    held.reset(to_dlpack(a));
  }
  CHECK(numbers.use_count() == 2);
  CHECK(held->dl_tensor.data == numbers->data());
  std::thread([&] { held.reset(); }).join();  // a receiver's own thread
  CHECK(numbers.use_count() == 1);
}

TEST_CASE("an array is read-only while a receiver has it") {
  auto a = arange<float>(3);
  Held held(to_dlpack(a));
  CHECK(words<OwnershipError>([&] { a.mutable_data(); }) ==
        "array [3]: its memory is shared by 2 owners and so read-only; copy() it first");
  auto own = a.copy();
  own.ref(0) = 9;
  CHECK(*static_cast<const float*>(held->dl_tensor.data) == 0);
  held.reset();
  a.ref(0) = 5;
  CHECK(a(0) == 5);
}

TEST_CASE("what cannot go out") {
  const std::vector<float> v{1, 2, 3, 4};
  const auto borrowed = Array<float>::borrow(v, {2, 2});
  CHECK(words<OwnershipError>([&] { to_dlpack(borrowed); }) ==
        "to_dlpack: the array [2, 2] borrows its memory, which nobody keeps for the receiver; copy() it "
        "first");
  CHECK(from_dlpack<float>(to_dlpack(borrowed.copy())) == borrowed);
  const auto there = Array<float>{1, 2}.to("fake:1");
  CHECK(words<DeviceError>([&] { to_dlpack(there); }) ==
        "to_dlpack: the array [2] is on fake:1; it must be on \"cpu\" or \"cuda\"");
  CHECK(there.share().owners() == 1);
}

// ---- in

TEST_CASE("a tensor is given back once, with the last array that shares it") {
  Floats lent({1, 2, 3, 4, 5, 6}, {2, 3});
  {
    Array<float> row;
    {
      const auto a = from_dlpack<float>(&lent.tensor), b = a;
      CHECK(a.data() == lent.numbers.data());
      CHECK(a == Array<float>{{1, 2, 3}, {4, 5, 6}});
      row = b[1];
    }
    CHECK(lent.given_back == 0);
    CHECK(row == Array<float>{4, 5, 6});
    {
      const Held onwards(to_dlpack(row));  // to a third library
      row = {};
      CHECK(lent.given_back == 0);
    }
    CHECK(lent.given_back == 1);
  }
  CHECK(lent.given_back == 1);
}

TEST_CASE("a tensor without a deleter stays where it is") {
  Floats lent({1, 2}, {2});
  lent.tensor.deleter = nullptr;
  { const auto a = from_dlpack<float>(&lent.tensor); }
  CHECK(lent.given_back == 0);
}

TEST_CASE("a tensor's memory is borrowed: read-only, and a copy is one's own") {
  Floats lent({1, 2, 3, 4}, {2, 2});
  auto a = from_dlpack<float>(&lent.tensor);
  CHECK(words<OwnershipError>([&] { a.mutable_data(); }) ==
        "array [2, 2]: borrowed memory is read-only; copy() it first");
  CHECK(words<OwnershipError>([&] { a.ref(0, 0); }) ==
        "array [2, 2]: borrowed memory is read-only; copy() it first");
  auto own = a.copy();
  own.ref(0, 0) = 9;
  CHECK(lent.numbers[0] == 1);
  lent.numbers[3] = 8;  // its owner may
  CHECK(a(1, 1) == 8);
}

TEST_CASE("a tensor may begin within its data") {
  Floats lent({0, 1, 2, 3, 4, 5}, {2, 2});
  lent.tensor.dl_tensor.byte_offset = 8;
  const auto a = from_dlpack<float>(&lent.tensor);
  CHECK(a.data() == lent.numbers.data() + 2);  // not aligned to more than a float
  CHECK(a == Array<float>{{2, 3}, {4, 5}});
}

TEST_CASE("strides that say row-major") {
  Floats plain({1, 2, 3, 4, 5, 6}, {2, 3}, {3, 1});
  CHECK(from_dlpack<float>(&plain.tensor) == Array<float>{{1, 2, 3}, {4, 5, 6}});
  Floats ones({1, 2, 3}, {1, 3, 1}, {-5, 1, 77});  // where an axis has one element nobody steps
  CHECK(from_dlpack<float>(&ones.tensor) == Array<float>{{{1}, {2}, {3}}});
  Floats one({1}, {1}, {0});
  CHECK(from_dlpack<float>(&one.tensor).item() == 1);
}

TEST_CASE("strides that do not") {
  Floats columns({1, 2, 3, 4, 5, 6}, {2, 3}, {1, 2});
  CHECK(refusal<ShapeError>(columns) ==
        "from_dlpack: axis 0 of the tensor [2, 3] has stride 1; row-major it must be 3 (a contiguous copy "
        "has it)");
  Floats backwards({1, 2, 3}, {3}, {-1});
  CHECK(refusal<ShapeError>(backwards) ==
        "from_dlpack: axis 0 of the tensor [3] has stride -1; row-major it must be 1 (a contiguous copy has "
        "it)");
  Floats every_second({1, 2, 3, 4}, {1, 2}, {4, 2});
  CHECK(refusal<ShapeError>(every_second) ==
        "from_dlpack: axis 1 of the tensor [1, 2] has stride 2; row-major it must be 1 (a contiguous copy "
        "has it)");
  Floats broadcast({1, 2}, {3, 2}, {0, 1});
  CHECK_THAT(refusal<ShapeError>(broadcast), ContainsSubstring("axis 0 of the tensor [3, 2] has stride 0;"));
}

TEST_CASE("axes that an array does not have") {
  Floats seven({1}, Sizes(7, 1));
  CHECK(refusal<ShapeError>(seven) == "from_dlpack: the tensor has 7 axes; 0 to 6 are possible");
  seven.tensor.dl_tensor.ndim = -1;
  CHECK(refusal<ShapeError>(seven) == "from_dlpack: the tensor has -1 axes; 0 to 6 are possible");
  Floats negative({1}, {2, -3});
  CHECK(refusal<ShapeError>(negative) == "shape: size -3 of axis 1 is negative");
  Floats six({1}, Sizes(6, 1));
  CHECK(from_dlpack<float>(&six.tensor).rank() == 6);
}

TEST_CASE("numbers of another type") {
  Floats lent({1, 2}, {2});
  CHECK(refusal<ValueError, double>(lent) == "from_dlpack: the tensor holds float32; asked for is float64");
  CHECK(refusal<ValueError, std::int32_t>(lent) ==
        "from_dlpack: the tensor holds float32; asked for is int32");
  CHECK(refusal<ValueError, bool>(lent) == "from_dlpack: the tensor holds float32; asked for is bool");
  DLDataType& type = lent.tensor.dl_tensor.dtype;
  const auto said = [&](int code, int bits, int lanes) {
    type = {std::uint8_t(code), std::uint8_t(bits), std::uint16_t(lanes)};
    return refusal<ValueError>(lent);
  };
  CHECK(said(2, 32, 4) == "from_dlpack: the tensor holds float32 in 4 lanes; asked for is float32");
  CHECK(said(0, 32, 1) == "from_dlpack: the tensor holds int32; asked for is float32");
  CHECK(said(1, 8, 1) == "from_dlpack: the tensor holds uint8; asked for is float32");
  CHECK(said(2, 16, 1) == "from_dlpack: the tensor holds float16; asked for is float32");
  CHECK(said(4, 16, 1) == "from_dlpack: the tensor holds bfloat16; asked for is float32");
  CHECK(said(5, 64, 1) == "from_dlpack: the tensor holds complex64; asked for is float32");
  CHECK(said(6, 8, 1) == "from_dlpack: the tensor holds bool; asked for is float32");
  CHECK(said(17, 4, 2) == "from_dlpack: the tensor holds type 17 of 4 bits in 2 lanes; asked for is float32");
}

TEST_CASE("data that cannot be read as it lies") {
  Floats lent({1, 2, 3, 4}, {3});
  lent.tensor.dl_tensor.byte_offset = 2;
  CHECK(refusal<ValueError>(lent) ==
        "from_dlpack: the data of the tensor [3] is 2 bytes beyond a multiple of 4, which it must begin at");
  lent.tensor.dl_tensor.data = nullptr;
  CHECK(refusal<ValueError>(lent) == "from_dlpack: the tensor [3] has no data; it must have an address");
  CHECK(words<ValueError>([] { from_dlpack<float>(nullptr); }) ==
        "from_dlpack: the tensor is null; it must be what a library exported");
}

TEST_CASE("devices that this program does not have") {
  Floats lent({1, 2}, {2});
  lent.tensor.dl_tensor.device = {kDLCUDA, 1};
  CHECK(refusal<DeviceError>(lent) == words<DeviceError>([] { Device d("cuda"); }));
  CHECK(refusal<DeviceError>(lent) ==
        "device \"cuda\" is not part of this program (#include <gradus/cuda.hpp>)");
  lent.tensor.dl_tensor.device = {kDLROCM, 0};
  CHECK(refusal<DeviceError>(lent) ==
        "from_dlpack: the tensor is on a device of type 10; it must be on the CPU (1) or a CUDA GPU (2)");
  const int newer = 16;  // than the header, and no value of its enumeration
  std::memcpy(&lent.tensor.dl_tensor.device.device_type, &newer, sizeof newer);
  CHECK_THAT(refusal<DeviceError>(lent), ContainsSubstring("a device of type 16;"));
}
