// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include <gradus/core/dtype.hpp>

#include "tests/support/catch.hpp"

using gradus::Dtype;
using gradus::dtype_of;

namespace {
template <class T> std::string name_of() { return gradus::name(dtype_of<T>()); }
struct Scalar {};
}  // namespace

TEST_CASE("element types have names") {
  CHECK(name_of<float>() == "float32");
  CHECK(name_of<double>() == "float64");
  CHECK(name_of<std::int8_t>() == "int8");
  CHECK(name_of<std::int16_t>() == "int16");
  CHECK(name_of<std::int32_t>() == "int32");
  CHECK(name_of<std::int64_t>() == "int64");
  CHECK(name_of<std::uint8_t>() == "uint8");
  CHECK(name_of<std::uint16_t>() == "uint16");
  CHECK(name_of<std::uint32_t>() == "uint32");
  CHECK(name_of<std::uint64_t>() == "uint64");
  CHECK(name_of<bool>() == "bool");
  CHECK(name_of<Scalar>() == "other");
  CHECK(name_of<long long>() == "int64");  // another type than int64_t, the same numbers
}

TEST_CASE("only real numbers have gradients") {
  CHECK(gradus::is_differentiable<float>);
  CHECK(gradus::is_differentiable<double>);
  CHECK(gradus::is_differentiable<Scalar>);
  CHECK_FALSE(gradus::is_differentiable<int>);
  CHECK_FALSE(gradus::is_differentiable<bool>);
  CHECK_FALSE(gradus::is_differentiable<std::uint8_t>);
}
