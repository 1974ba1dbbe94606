// SPDX-License-Identifier: MIT
// The expected texts are what NumPy 2.4 says of the same numbers.
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include <gradus/core/print.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using namespace gradus;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity(),
                 not_a_number = std::numeric_limits<double>::quiet_NaN();

/// What a tensor is to print.hpp, which knows no tape.
struct Holder {
  using value_type = float;
  Array<float> array() const { return {1, 2}; }
};

/// A user's own scalars: one is a number, the other says itself.
struct Celsius {
  Celsius(double d = 0) : degrees(d) {}
  explicit operator double() const { return degrees; }
  double degrees;
};
struct Word {
  Word(int i = 0) : n(i) {}
  std::string str() const { return std::string(std::size_t(n), 'x'); }
  int n;
};
}  // namespace

TEST_CASE("numbers stand in columns, with the digits they need") {
  CHECK(str(Array<double>{1, 2.5, -3}) == "[ 1.   2.5 -3. ]");
  CHECK(str(Array<float>{0.1f, 0.2f, 0.3f}) == "[0.1 0.2 0.3]");
  CHECK(str(Array<double>{1 / 3., 2 / 3., 1}) == "[0.33333333 0.66666667 1.        ]");
  CHECK(str(Array<float>{1 / 3.f, 2 / 3.f, 1}) == "[0.33333334 0.6666667  1.        ]");
  CHECK(str(Array<double>{-0.0, 0.0}) == "[-0.  0.]");
  CHECK(str(Array<double>{{1, 2}, {3, 4}}) == "[[1. 2.]\n [3. 4.]]");
  CHECK(str(arange<float>(8).reshape({2, 2, 2})) == "[[[0. 1.]\n  [2. 3.]]\n\n [[4. 5.]\n  [6. 7.]]]");
}

TEST_CASE("one exponent format for all where magnitudes differ much") {
  CHECK(str(Array<double>{{1, 2.5}, {-3, 0.001}}) == "[[ 1.0e+00  2.5e+00]\n [-3.0e+00  1.0e-03]]");
  CHECK(str(Array<double>{1e8, 1}) == "[1.e+08 1.e+00]");
  CHECK(str(Array<double>{1e-5, 1}) == "[1.e-05 1.e+00]");
  CHECK(str(Array<float>{1e6f, 2}) == "[1.e+06 2.e+00]");
  CHECK(str(Array<float>{16777216}) == "[1.6777216e+07]");
  CHECK(str(Array<double>{1e-300, 1e300}) == "[1.e-300 1.e+300]");
  CHECK(str(Array<double>{123456789, 0.5}) == "[1.23456789e+08 5.00000000e-01]");
  CHECK(str(Array<double>{1234.5678, 0.000123}) == "[1.2345678e+03 1.2300000e-04]");
}

TEST_CASE("what is not finite") {
  CHECK(str(Array<double>{not_a_number, infinity, -infinity, 1}) == "[ nan  inf -inf   1.]");
  CHECK(str(Array<double>{not_a_number, 1.5}) == "[nan 1.5]");
  CHECK(str(Array<double>{-infinity, 0}) == "[-inf   0.]");
  CHECK(str(Array<float>{float(not_a_number)}) == "[nan]");
}

TEST_CASE("integers and booleans") {
  CHECK(str(Array<int>{{1, -20}, {300, 4}}) == "[[  1 -20]\n [300   4]]");
  CHECK(str(Array<std::int8_t>{-128, 127}) == "[-128  127]");
  CHECK(str(Array<std::uint8_t>{255, 0}) == "[255   0]");
  CHECK(str(Array<std::int64_t>{std::numeric_limits<std::int64_t>::max(),
                                std::numeric_limits<std::int64_t>::min()}) ==
        "[ 9223372036854775807 -9223372036854775808]");
  CHECK(str(Array<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()}) == "[18446744073709551615]");
  CHECK(str(Array<bool>{true, false}) == "[ True False]");
  CHECK(str(Array<bool>{true, true}) == "[ True  True]");
  CHECK(str(Array<char>{'a', 'b'}) == "[97 98]");
}

TEST_CASE("scalars and arrays of nothing") {
  CHECK(str(full(Shape{}, 1.5)) == "1.5");
  CHECK(str(full(Shape{}, 2.0)) == "2.0");
  CHECK(str(full(Shape{}, 1e-7)) == "1e-07");
  CHECK(str(full(Shape{}, 1e16)) == "1e+16");
  CHECK(str(full(Shape{}, 1.25e-5)) == "1.25e-05");
  CHECK(str(full(Shape{}, 0.1f)) == "0.1");
  CHECK(str(full(Shape{}, 1e6f)) == "1e+06");
  CHECK(str(full(Shape{}, 0.1 + 0.2)) == "0.30000000000000004");
  CHECK(str(full(Shape{}, not_a_number)) == "nan");
  CHECK(str(full(Shape{}, -infinity)) == "-inf");
  CHECK(str(full(Shape{}, true)) == "True");
  CHECK(str(full(Shape{}, -3)) == "-3");
  CHECK(str(Array<float>()) == "[]");
  CHECK(str(Array<float>(Shape{2, 0, 3})) == "[]");
}

TEST_CASE("long rows continue on the next line") {
  auto a = Array<double>::uninitialized({30});
  for (Index i = 0; i < 30; ++i) a.ref(i) = double(i) / 4;
  CHECK(str(a) ==
        "[0.   0.25 0.5  0.75 1.   1.25 1.5  1.75 2.   2.25 2.5  2.75 3.   3.25\n"
        " 3.5  3.75 4.   4.25 4.5  4.75 5.   5.25 5.5  5.75 6.   6.25 6.5  6.75\n"
        " 7.   7.25]");
  CHECK(str(arange<int>(4), {.line_width = 6}) == "[0 1\n 2 3]");
  CHECK(str(arange<int>(3), {.line_width = 1}) == "[0\n 1\n 2]");
}

TEST_CASE("large arrays show their edges") {
  CHECK(str(arange<int>(2000)) == "[   0    1    2 ... 1997 1998 1999]");
  CHECK(str(arange<int>(1001)) == "[   0    1    2 ...  998  999 1000]");
  CHECK(str(arange<int>(1000)).find("...") == std::string::npos);
  CHECK(str(arange<double>(2000)) == "[0.000e+00 1.000e+00 2.000e+00 ... 1.997e+03 1.998e+03 1.999e+03]");
  CHECK(str(arange<int>(10000).reshape({100, 100})) ==
        "[[   0    1    2 ...   97   98   99]\n"
        " [ 100  101  102 ...  197  198  199]\n"
        " [ 200  201  202 ...  297  298  299]\n"
        " ...\n"
        " [9700 9701 9702 ... 9797 9798 9799]\n"
        " [9800 9801 9802 ... 9897 9898 9899]\n"
        " [9900 9901 9902 ... 9997 9998 9999]]");
  CHECK(str(arange<int>(12).reshape({4, 3, 1}), {.threshold = 5, .edge_items = 1}) ==
        "[[[ 0]\n  ...\n  [ 2]]\n\n ...\n\n [[ 9]\n  ...\n  [11]]]");
  CHECK(str(arange<int>(5000).reshape({2, 2500})) ==
        "[[   0    1    2 ... 2497 2498 2499]\n [2500 2501 2502 ... 4997 4998 4999]]");
}

TEST_CASE("six axes") {
  CHECK(str(arange<int>(16).reshape({1, 2, 1, 2, 2, 2})) ==
        "[[[[[[ 0  1]\n     [ 2  3]]\n\n    [[ 4  5]\n     [ 6  7]]]]\n\n\n\n"
        "  [[[[ 8  9]\n     [10 11]]\n\n    [[12 13]\n     [14 15]]]]]]");
}

TEST_CASE("options") {
  const Array<double> a{1 / 3., 0.5};
  CHECK(str(a, {.precision = 3}) == "[0.333 0.5  ]");
  CHECK(str(a, {.precision = 0}) == "[0. 0.]");
  CHECK(str(a, {.precision = -5}) == "[0. 0.]");
  CHECK(str(a, {.precision = 1000}) == "[0.3333333333333333 0.5               ]");
  CHECK(str(arange<int>(5), {.threshold = 4, .edge_items = 1}) == "[0 ... 4]");
  CHECK(str(arange<int>(5), {.threshold = 4, .edge_items = 0}) == "[...]");
  CHECK(str(arange<int>(5), {.threshold = 4, .edge_items = 9}) == "[0 1 2 3 4]");
}

TEST_CASE("streams") {
  std::ostringstream out;
  out << Array<float>{1, 2} << ' ' << Shape{2, 3} << ' ' << Holder{} << ' ' << Array<int>{7};
  CHECK(out.str() == "[1. 2.] [2, 3] [1. 2.] [7]");
  CHECK(str(Holder{}) == "[1. 2.]");
}

TEST_CASE("numbers on another device are fetched") { CHECK(str(Array<float>{1, 2}.to("fake")) == "[1. 2.]"); }

TEST_CASE("a user's own scalars") {
  CHECK(str(Array<Celsius>{20.5, -3.0}) == "[20.5 -3. ]");
  CHECK(str(Array<Word>{1, 3}) == "[  x xxx]");
  CHECK(str(Array<Word>{2}[0]) == "xx");
}
