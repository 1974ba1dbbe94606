// SPDX-License-Identifier: MIT
#include <clocale>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <gradus/core/error.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

namespace {

template <class E> void check_family() {
  CHECK(std::is_base_of_v<Error, E>);
  CHECK(std::is_base_of_v<std::runtime_error, E>);
  try {
    detail::fail<E>("who: n is ", 3, "; it should be ", 4);
  } catch (const Error& e) { CHECK(std::string(e.what()) == "who: n is 3; it should be 4"); }
}

struct Point {
  int x, y;
  std::string str() const { return "(" + std::to_string(x) + ", " + std::to_string(y) + ")"; }
};

}  // namespace

TEST_CASE("one family of exceptions") {
  check_family<ShapeError>();
  check_family<IndexError>();
  check_family<ValueError>();
  check_family<DeviceError>();
  check_family<TapeError>();
  check_family<OwnershipError>();
  check_family<FileError>();
  check_family<DivergenceError>();
}

TEST_CASE("the parts of a message") {
  using detail::message;
  CHECK(message() == "");
  CHECK(message("a", std::string("b"), std::string_view("c"), 'd') == "abcd");
  CHECK(message(true, ' ', false) == "true false");
  CHECK(message(-3, ' ', 5u, ' ', std::int8_t(65), ' ', std::uint64_t(-1)) == "-3 5 65 18446744073709551615");
  CHECK(message(Point{1, -2}) == "(1, -2)");
}

TEST_CASE("numbers in as few digits as say them") {
  using detail::message;
  CHECK(message(0.1) == "0.1");
  CHECK(message(0.1f) == "0.1");
  CHECK(message(0.1 + 0.2) == "0.3");
  CHECK(message(1.0, ' ', 100000.0f, ' ', -2.5) == "1 100000 -2.5");
  CHECK(message(1.0 / 3, ' ', 1.0f / 3) == "0.333333333 0.33333334");
  CHECK(message(1e-7, ' ', 1e30f) == "1e-07 1e+30");
  CHECK(message(1.0 / 0.0, ' ', -1.0f / 0.0f) == "inf -inf");
  CHECK_THAT(message(0.0 / 0.0), ContainsSubstring("nan"));
}

TEST_CASE("numbers have a point in every locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})  // where the system has one of them
    if (std::setlocale(LC_ALL, name)) break;
  CHECK(detail::message(0.5) == "0.5");
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("require throws where a condition does not hold") {
  CHECK_NOTHROW(detail::require<ValueError>(true, "never said"));
  CHECK_THROWS_AS(detail::require<ValueError>(false, "rate is ", 2), ValueError);
  CHECK_THROWS_WITH(detail::require<ValueError>(false, "rate is ", 2), "rate is 2");
}
