// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gradus/core/array.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;

namespace {
template <class T> std::vector<T> numbers(const Array<T>& a) { return {a.begin(), a.end()}; }
using Floats = std::vector<float>;
}  // namespace

static_assert(std::is_nothrow_move_constructible_v<Array<float>>);
static_assert(std::is_nothrow_move_assignable_v<Array<float>>);

// ---- making one
// -----------------------------------------------------------------------------------------------------

TEST_CASE("an array of nothing") {
  const Array<float> a;
  CHECK(a.shape() == Shape{0});
  CHECK(a.size() == 0);
  CHECK(a.bytes() == 0);
  CHECK(a.values().empty());
  CHECK(a.begin() == a.end());
  CHECK(a == Array<float>());
  CHECK(a.copy().shape() == Shape{0});
}

TEST_CASE("an array of a shape is zeros") {
  const Array<double> a(Shape{2, 3});
  CHECK(numbers(a) == std::vector<double>(6, 0.0));
  CHECK(a.bytes() == 48);
  CHECK(Array<float>(Shape{}).item() == 0);
  CHECK(Array<float>(Shape{3, 0}).size() == 0);
  CHECK(zeros<int>({2}) == Array<int>{0, 0});
}

TEST_CASE("an array from nested lists") {
  const Array<float> one{1, 2, 3}, two{{1, 2}, {3, 4}, {5, 6}}, three{{{1}, {2}}, {{3}, {4}}};
  CHECK(one.shape() == Shape{3});
  CHECK(two.shape() == Shape{3, 2});
  CHECK(numbers(two) == Floats{1, 2, 3, 4, 5, 6});
  CHECK(three.shape() == Shape{2, 2, 1});
  CHECK(numbers(three) == Floats{1, 2, 3, 4});
  CHECK(Array<float>{{1, 2, 3}}.shape() == Shape{1, 3});
  CHECK(Array<float>{{1}, {2}}.shape() == Shape{2, 1});
  CHECK(Array<float>{{{{{{7}}}}}}.shape() == Shape{1, 1, 1, 1, 1, 1});
  CHECK(Array<float>{{}}.shape() == Shape{1, 0});
  CHECK(Array<float>{}.shape() == Shape{0});
  CHECK(Array<bool>{true, false}(1) == false);
  const double d = 0.5;
  const int i = 3;
  CHECK(numbers(Array<float>{d, i, 2.5f, -1}) == Floats{0.5f, 3, 2.5f, -1});
  CHECK(Array<float>{one}.data() == one.data());  // a copy of an array is no list
  CHECK(numbers(Array<std::int64_t>{-1, 1}) == std::vector<std::int64_t>{-1, 1});
}

TEST_CASE("rows of different lengths") {
  CHECK_THROWS_AS((Array<float>{{1, 2}, {3}}), ShapeError);
  CHECK_THROWS_WITH((Array<float>{{1, 2}, {3}}), "array: a row of 1 values where the first one has 2");
  CHECK_THROWS_WITH((Array<float>{{}, {3}}), "array: a row of 1 values where the first one has 0");
  CHECK_THROWS_WITH((Array<float>{1, {2}}), "array: numbers and rows side by side, as in {1, {2}}");
  CHECK_THROWS_WITH((Array<float>{{1, 2}, 3}), "array: numbers and rows side by side, as in {1, {2}}");
  CHECK_THROWS_WITH((Array<float>{{{{{{{7}}}}}}}), "shape: [1, 1, 1, 1, 1, 1] has 6 axes already");
  CHECK_THROWS_WITH((Array<float>{{{1, 2}, {3, 4}}, {{1, 2}}}),
                    "array: a row of 1 values where the first one has 2");
  CHECK_THROWS_WITH((Array<float>{{{1, 2}, {3, 4}}, {{1, 2}, {3, 4, 5}}}),
                    "array: a row of 3 values where the first one has 2");
}

TEST_CASE("full, ones, arange, eye") {
  CHECK(full(Shape{2, 2}, 1.5) == Array<double>{{1.5, 1.5}, {1.5, 1.5}});
  CHECK(ones<float>({2}) == Array<float>{1, 1});
  CHECK(arange<int>(4) == Array<int>{0, 1, 2, 3});
  CHECK(arange<float>(0).size() == 0);
  CHECK(eye<float>(2) == Array<float>{{1, 0}, {0, 1}});
  CHECK(eye<float>(0).shape() == Shape{0, 0});
  CHECK_THROWS_WITH(arange<float>(-1), "shape: size -1 of axis 0 is negative");
}

TEST_CASE("a copy of the caller's numbers") {
  std::vector<float> v{1, 2, 3, 4};
  const auto a = Array<float>::from(v, {2, 2}), b = Array<float>::from(v);
  v[0] = 9;
  CHECK(a(0, 0) == 1);
  CHECK(b.shape() == Shape{4});
  const std::array<float, 2> fixed{5, 6};
  CHECK(Array<float>::from(fixed) == Array<float>{5, 6});
  CHECK(Array<float>::from(std::span<const float>(v).subspan(2)) == Array<float>{3, 4});
  CHECK(Array<float>::from(std::span<const float>(), {0, 3}).shape() == Shape{0, 3});
  CHECK_THROWS_AS(Array<float>::from(v, {3}), ShapeError);
  CHECK_THROWS_WITH(Array<float>::from(v, {2, 3}), "array: 4 values for a shape [2, 3] of 6");
}

// ---- whose memory
// ---------------------------------------------------------------------------------------------------

TEST_CASE("a vector that is moved in becomes the array's memory") {
  std::vector<float> v{1, 2, 3, 4, 5, 6};
  const float* const where = v.data();
  auto a = Array<float>::adopt(std::move(v), {2, 3});
  CHECK(a.data() == where);
  CHECK(a(1, 2) == 6);
  a.ref(0, 0) = 7;  // its own
  CHECK(where[0] == 7);
  const auto b = Array<float>::adopt(std::vector<float>{1, 2});
  CHECK(b.shape() == Shape{2});
}

TEST_CASE("an adopted owner is released with the last array that shares it") {
  struct Owner {
    std::shared_ptr<std::vector<double>> numbers;
    double* data() { return numbers->data(); }
    std::size_t size() const { return numbers->size(); }
  };
  auto numbers = std::make_shared<std::vector<double>>(4, 1.0);
  {
    Array<double> row;
    {
      const auto a = Array<double>::adopt(Owner{numbers}, {2, 2});
      CHECK(numbers.use_count() == 2);
      row = a[1];
    }
    CHECK(numbers.use_count() == 2);
    CHECK(row.data() == numbers->data() + 2);
  }
  CHECK(numbers.use_count() == 1);
}

TEST_CASE("what does not fit is not adopted") {
  std::vector<float> v{1, 2, 3};
  CHECK_THROWS_WITH(Array<float>::adopt(std::move(v), {2, 2}), "array: 3 values for a shape [2, 2] of 4");
  CHECK(v.size() == 3);  // still the caller's
}

TEST_CASE("borrowed memory is read-only") {
  std::vector<float> v{1, 2, 3, 4};
  auto a = Array<float>::borrow(v, {2, 2});
  CHECK(a.data() == v.data());
  v[3] = 8;
  CHECK(a(1, 1) == 8);
  CHECK_THROWS_AS(a.mutable_data(), OwnershipError);
  CHECK_THROWS_WITH(a.mutable_values(), "array [2, 2]: borrowed memory is read-only; copy() it first");
  CHECK_THROWS_AS(a.ref(0, 0), OwnershipError);
  auto b = a.copy();
  b.ref(0, 0) = 5;
  CHECK(v[0] == 1);
  const std::span<const float> span(v);
  CHECK(Array<float>::borrow(span).shape() == Shape{4});
  CHECK(Array<float>::borrow(span.first(2)).data() == v.data());
  CHECK_THROWS_WITH(Array<float>::borrow(span, {3}), "array: 4 values for a shape [3] of 3");
}

TEST_CASE("shared memory is read-only until it is one's own again") {
  Array<float> a{1, 2, 3};
  a.ref(0) = 4;
  {
    const Array<float> b = a;
    CHECK(b.data() == a.data());
    CHECK_THROWS_AS(a.ref(0), OwnershipError);
    CHECK_THROWS_WITH(a.mutable_data(),
                      "array [3]: its memory is shared by 2 owners and so read-only; copy() it first");
    const auto c = a.reshape({3, 1});
    CHECK_THROWS_WITH(a.mutable_data(),
                      "array [3]: its memory is shared by 3 owners and so read-only; copy() it first");
    auto own = a.copy();
    CHECK(own.data() != a.data());
    own.ref(0) = 5;
    CHECK(b(0) == 4);
  }
  a.ref(0) = 6;
  CHECK(a(0) == 6);
}

TEST_CASE("the last one that shares may write") {
  Array<float> row;
  {
    const Array<float> a{{1, 2}, {3, 4}};
    row = a[1];
    CHECK_THROWS_AS(row.mutable_data(), OwnershipError);
  }
  row.ref(0) = 9;
  CHECK(row == Array<float>{9, 4});
}

TEST_CASE("a moved-from array is an array of nothing") {
  Array<float> a{1, 2, 3};
  const float* const where = a.data();
  Array<float> b = std::move(a);
  CHECK(b.data() == where);
  CHECK(a.shape() == Shape{0});
  CHECK(a.data() == nullptr);
  CHECK(a.values().empty());
  CHECK(a.mutable_values().empty());
  CHECK(a.copy() == Array<float>());
  b.ref(0) = 7;  // alone again
  a = std::move(b);
  CHECK(a(0) == 7);
  CHECK(b.size() == 0);
  Array<float>& same = a;
  a = same;
  CHECK(a == Array<float>{7, 2, 3});
  a = Array<float>{1};
  CHECK(a.item() == 1);
}

TEST_CASE("memory is used again") {
  const void* first = nullptr;
  for (int i = 0; i < 3; ++i) {
    const Array<float> a(Shape{1000});
    if (i > 0) CHECK(a.data() == first);
    first = a.data();
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  }
}

// ---- elements
// -------------------------------------------------------------------------------------------------------

TEST_CASE("elements are read and written by index") {
  auto a = arange<int>(24).reshape({2, 3, 4});
  CHECK(a(0, 0, 0) == 0);
  CHECK(a(1, 2, 3) == 23);
  CHECK(a(-1, -1, -1) == 23);
  CHECK(a(-2, 1, -4) == 4);
  a.ref(1, -1, 0) = -5;
  CHECK(a(1, 2, 0) == -5);
  CHECK(a(std::size_t(1), short(2), 0L) == -5);
  CHECK(full(Shape{}, 3)() == 3);
}

TEST_CASE("an index outside its axis") {
  auto a = arange<int>(6).reshape({2, 3});
  CHECK_THROWS_AS(a(2, 0), IndexError);
  CHECK_THROWS_WITH(a(2, 0), "array [2, 3]: index 2 is outside axis 0");
  CHECK_THROWS_WITH(a(0, 3), "array [2, 3]: index 3 is outside axis 1");
  CHECK_THROWS_WITH(a(0, -4), "array [2, 3]: index -4 is outside axis 1");
  CHECK_THROWS_WITH(a.ref(-3, 0), "array [2, 3]: index -3 is outside axis 0");
  CHECK_THROWS_AS(a(0), IndexError);
  CHECK_THROWS_WITH(a(0), "array [2, 3]: 1 indices; as many as axes are needed");
  CHECK_THROWS_WITH(a(0, 0, 0), "array [2, 3]: 3 indices; as many as axes are needed");
  CHECK_THROWS_WITH(a(), "array [2, 3]: 0 indices; as many as axes are needed");
  CHECK_THROWS_AS(Array<int>()(0), IndexError);
}

TEST_CASE("item is the one number") {
  CHECK(Array<float>{2.5f}.item() == 2.5f);
  CHECK(full(Shape{1, 1, 1}, 7).item() == 7);
  CHECK(full(Shape{}, 7).item() == 7);
  CHECK_THROWS_AS((Array<float>{1, 2}.item()), ShapeError);
  CHECK_THROWS_WITH((Array<float>{1, 2}.item()), "item: the array is [2]; it must hold one number");
  CHECK_THROWS_WITH(Array<float>().item(), "item: the array is [0]; it must hold one number");
}

TEST_CASE("arrays are equal where shape and numbers are") {
  CHECK(Array<int>{1, 2} == Array<int>{1, 2});
  CHECK_FALSE(Array<int>{1, 2} == Array<int>{1, 3});
  CHECK_FALSE(Array<int>{1, 2} == Array<int>{{1, 2}});
  CHECK_FALSE(Array<float>{NAN} == Array<float>{NAN});
  CHECK(Array<float>{0.0f} == Array<float>{-0.0f});
}

TEST_CASE("another element type") {
  const Array<double> a{{1.75, -2.5}, {0, 1e3}};
  CHECK(a.to<float>() == Array<float>{{1.75f, -2.5f}, {0, 1e3f}});
  CHECK(a.to<int>() == Array<int>{{1, -2}, {0, 1000}});
  CHECK(a.to<bool>() == Array<bool>{{true, true}, {false, true}});
  CHECK(Array<bool>{true, false}.to<float>() == Array<float>{1, 0});
  auto same = a.to<double>();
  same.ref(0, 0) = 0;  // a copy
  CHECK(a(0, 0) == 1.75);
}

// ---- other shapes
// ---------------------------------------------------------------------------------------------------

TEST_CASE("reshape shares memory") {
  const auto a = arange<int>(12);
  const auto b = a.reshape({3, 4});
  CHECK(b.data() == a.data());
  CHECK(b(2, 3) == 11);
  CHECK(a.reshape({-1}).shape() == Shape{12});
  CHECK(a.reshape({2, -1}).shape() == Shape{2, 6});
  CHECK(a.reshape({-1, 3, 2}).shape() == Shape{2, 3, 2});
  CHECK(a.reshape({12, -1}).shape() == Shape{12, 1});
  CHECK(b.flatten().shape() == Shape{12});
  CHECK(full(Shape{}, 1).flatten().shape() == Shape{1});
  CHECK(Array<int>{5}.reshape({}).shape() == Shape{});
  CHECK(Array<int>(Shape{0, 3}).reshape({3, 0}).shape() == Shape{3, 0});
  CHECK(Array<int>(Shape{0, 3}).reshape({-1, 3}).shape() == Shape{0, 3});
  CHECK(Array<int>(Shape{0, 3}).flatten().shape() == Shape{0});
  const std::vector<Index> sizes{6, 2};
  CHECK(a.reshape(sizes).shape() == Shape{6, 2});
}

TEST_CASE("a shape that cannot be had") {
  const auto a = arange<int>(12).reshape({3, 4});
  CHECK_THROWS_AS(a.reshape({5}), ShapeError);
  CHECK_THROWS_WITH(a.reshape({2, 5}), "reshape: [3, 4] has 12 elements, [2, 5] has 10");
  CHECK_THROWS_WITH(a.reshape({5, -1}), "reshape: [3, 4] has 12 elements, which [5, -1] cannot hold");
  CHECK_THROWS_WITH(a.reshape({0, -1}), "reshape: [3, 4] has 12 elements, which [0, -1] cannot hold");
  CHECK_THROWS_WITH(a.reshape({-1, 2, -1}),
                    "reshape: [-1, 2, -1] has 2 sizes of -1; at most one is possible");
  CHECK_THROWS_WITH(a.reshape({-2, -1}), "shape: size -2 of axis 0 is negative");
  CHECK_THROWS_WITH(a.reshape({-2, -6}), "shape: size -2 of axis 0 is negative");
  CHECK_THROWS_WITH(a.reshape({1, 1, 1, 1, 1, 1, 12}), "shape: [1, 1, 1, 1, 1, 1] has 6 axes already");
  CHECK_THROWS_AS(a.reshape({-1, Index(1) << 40, Index(1) << 40}), ShapeError);  // checked, not overflowing
  CHECK_THROWS_WITH(Array<int>(Shape{0, 3}).reshape({0, -1}),
                    "reshape: [0, 3] has 0 elements, which [0, -1] cannot hold");
  CHECK(a.shape() == Shape{3, 4});
}

TEST_CASE("slices along axis 0 share memory") {
  const auto a = arange<int>(12).reshape({4, 3});
  const auto b = a.slice(1, 3);
  CHECK(b.shape() == Shape{2, 3});
  CHECK(b.data() == a.data() + 3);
  CHECK(a.slice(-2, 4) == Array<int>{{6, 7, 8}, {9, 10, 11}});
  CHECK(a.slice(0, -3) == Array<int>{{0, 1, 2}});
  CHECK(a.slice(4, 4).shape() == Shape{0, 3});
  CHECK(a.slice(0, 4) == a);
  CHECK(arange<int>(5).slice(1, 2).item() == 1);

  CHECK(a[2] == Array<int>{6, 7, 8});
  CHECK(a[-1][0].item() == 9);
  CHECK(a[-1].data() == a.data() + 9);
}

TEST_CASE("slices of slices") {
  const auto a = arange<int>(24).reshape({4, 3, 2});
  const auto b = a.slice(1, 4).slice(1, 3).slice(0, 1);
  CHECK(b.shape() == Shape{1, 3, 2});
  CHECK(b.data() == a.data() + 12);
  CHECK(b[0][-1] == Array<int>{16, 17});
  CHECK(b[0][-1][1].item() == 17);
  CHECK(b.reshape({2, 3})[1] == Array<int>{15, 16, 17});
  CHECK(a.share().owners() == 2);  // a and b: what lay between is gone
  CHECK(a.slice(1, 1).slice(0, 0).size() == 0);
}

TEST_CASE("rows that are not there") {
  const auto a = arange<int>(12).reshape({4, 3});
  CHECK_THROWS_AS(a.slice(0, 5), IndexError);
  CHECK_THROWS_WITH(a.slice(2, 5), "slice: rows 2 to 5 are not within the 4 rows of [4, 3]");
  CHECK_THROWS_WITH(a.slice(3, 2), "slice: rows 3 to 2 are not within the 4 rows of [4, 3]");
  CHECK_THROWS_WITH(a.slice(-5, 2), "slice: rows -5 to 2 are not within the 4 rows of [4, 3]");
  CHECK_THROWS_AS(a.slice(0, std::numeric_limits<Index>::min()), IndexError);
  CHECK_THROWS_WITH(a[4], "index 4 is outside axis 0 of [4, 3]");
  CHECK_THROWS_WITH(a[-5], "index -5 is outside axis 0 of [4, 3]");
  const auto scalar = full(Shape{}, 1);
  CHECK_THROWS_AS(scalar.slice(0, 1), ShapeError);
  CHECK_THROWS_WITH(scalar.slice(0, 1), "slice: the array is a scalar; it has no axis to slice");
  CHECK_THROWS_WITH(scalar[0], "operator[]: the array is a scalar; item() reads it");
}

// ---- other devices
// --------------------------------------------------------------------------------------------------

TEST_CASE("an array moves by to()") {
  fake::counts(0) = fake::counts(1) = {};
  const Array<float> a{{1, 2}, {3, 4}};
  {
    const auto there = a.to("fake");
    CHECK(there.device().name() == "fake:0");
    CHECK(there.data() != a.data());
    CHECK(fake::counts() == fake::Counts{.allocations = 1, .uploads = 1});
    CHECK(there.to("fake:0").data() == there.data());  // there already
    CHECK(fake::counts() == fake::Counts{.allocations = 1, .uploads = 1});
    const auto back = there.to("cpu");
    CHECK(back == a);
    CHECK(fake::counts() == fake::Counts{.allocations = 1, .uploads = 1, .downloads = 1});
    const auto copy = there.copy();
    CHECK(copy.device() == there.device());
    CHECK(copy.data() != there.data());
    CHECK(fake::counts() == fake::Counts{.allocations = 2, .uploads = 1, .downloads = 1, .copies = 1});
    const auto other = there.to("fake:1");
    CHECK(fake::counts(1) == fake::Counts{.allocations = 1, .uploads = 1});
    CHECK(fake::counts().downloads == 2);
    CHECK(other.to("cpu") == a);
  }
  CHECK(fake::counts().releases == 2);
  CHECK(fake::counts(1).releases == 1);
  CHECK(a.to("cpu").data() == a.data());
}

TEST_CASE("an array is made on a device") {
  fake::counts() = {};
  const Array<double> a(Shape{3}, "fake");
  CHECK(fake::counts() == fake::Counts{.allocations = 1, .zeros = 1});
  CHECK(a.to("cpu") == Array<double>{0, 0, 0});
  CHECK(full(Shape{2}, 3.0f, "fake").device() == Device("fake"));
  CHECK(full(Shape{2}, 3.0f, "fake").to("cpu") == Array<float>{3, 3});
  CHECK(zeros<int>({2}, "fake:1").device().name() == "fake:1");
  CHECK_THROWS_AS(a.to("fake:7"), DeviceError);
}

TEST_CASE("shapes and slices need no numbers") {
  const auto a = arange<int>(6).to("fake");
  fake::counts() = {};
  const auto row = a.reshape({2, 3})[1];
  CHECK(row.device() == a.device());
  CHECK(fake::counts() == fake::Counts());
  CHECK(row.to("cpu") == Array<int>{3, 4, 5});
  CHECK(a.slice(5, 6).item() == 5);  // fetched
  CHECK(fake::counts().downloads == 2);
}

TEST_CASE("numbers on another device are not read in silence") {
  auto a = Array<float>{{1, 2}}.to("fake");
  CHECK_THROWS_AS(a.values(), DeviceError);
  CHECK_THROWS_WITH(a.values(), "values: the array [1, 2] is on fake:0; move it with .to(\"cpu\")");
  CHECK_THROWS_WITH(a(0, 0), "element access: the array [1, 2] is on fake:0; move it with .to(\"cpu\")");
  CHECK_THROWS_AS(a.ref(0, 0), DeviceError);
  CHECK_THROWS_WITH(a.mutable_values(),
                    "mutable_values: the array [1, 2] is on fake:0; move it with .to(\"cpu\")");
  CHECK_THROWS_AS(a.begin(), DeviceError);
  CHECK_THROWS_AS(a.to<double>(), DeviceError);
  CHECK_THROWS_AS((a == Array<float>{{1, 2}}), DeviceError);
}
