// SPDX-License-Identifier: MIT
// expect_op itself: it passes what is right and finds what is planted.
#include "tests/support/expect_op.hpp"

#include <gradus/ops/matmul.hpp>

using namespace gradus;
using namespace gradus::test;

namespace {

struct Cube {  // y = x³
  static constexpr const char* name = "cube";
  template <class X> static X value(X x) { return x * x * x; }
  template <class X> static X slope_at_x(X x) { return 3 * x * x; }
};
struct WrongSlope : Cube {
  template <class X> static X slope_at_x(X x) { return 3 * x * x + X(1e-4); }
};
struct SlightlyWrongSlope : Cube {  // gradcheck's own bounds would let it pass
  template <class X> static X slope_at_x(X x) { return 3 * x * x * X(1 + 1e-7); }
};
/// For duals: a slope that is a constant, a value that moves half as far.
template <class X> inline constexpr bool of_duals = std::is_same_v<X, cpu::Wide<Dual<double>>>;
struct WrongSecond : Cube {
  template <class X> static X slope_at_x(X x) {
    if constexpr (of_duals<X>) x = X(Dual<double>(x.v.value));
    return 3 * x * x;
  }
};
struct WrongForward : Cube {
  template <class X> static X value(X x) {
    if constexpr (of_duals<X>) x = X(Dual<double>(x.v.value, 0.5 * x.v.tangent));
    return x * x * x;
  }
};
struct WrongInFloat : Cube {
  template <class X> static X value(X x) {
    return x * x * x * math::select(X(1) + X(1e-9) == X(1), X(1.01), X(1));
  }
};
struct WrongElsewhere : Cube {  // for what compiles formulas, and not for numbers
  template <class X> static X value(X x) {
    return std::is_same_v<X, symbolic::Symbol> ? x * x * x * X(1 + 1e-9) : x * x * x;
  }
  template <class X> static X slope_at_x(X x) {
    return std::is_same_v<X, symbolic::Symbol> ? 3 * x * x + X(1e-9) : 3 * x * x;
  }
};
struct WrongWhereSmall : Cube {  // by less than a large value's last place
  template <class X> static X value(X x) {
    return std::is_same_v<X, symbolic::Symbol> ? x * x * x + X(1e-14) : x * x * x;
  }
};
struct Product {
  static constexpr const char* name = "product";
  template <class X> static X value(X a, X b) { return a * b; }
  template <class X> static X da(X dc, X, X b) { return dc * b; }
  template <class X> static X db(X dc, X a, X) { return dc * a; }
};
struct WrongB : Product {
  template <class X> static X db(X dc, X, X b) { return dc * b; }
};

/// y = 2x in which backward assigns where it should add, writes to its operand, or counts its runs.
template <class T, int mistake> struct Careless {
  static constexpr const char* name = "careless";
  View<T> x;
  Shape shape() const { return x.shape; }
  void forward(const Sink<T>& y, Step&) {
    static int runs = 0;
    ++runs;
    for (Index i = 0; i < x.size(); ++i)
      y.data[i] = T(2) * x.data[i] + (mistake == 1 ? T(runs) * T(1e-15) : T(0));
    if (mistake == 2 && x.size() > 0) const_cast<T*>(x.data)[0] = T(0);
  }
  void backward(View<T> dy, Step&, Sink<T> dx) const {
    const auto to = dx.open();
    if (!to) return;
    for (Index i = 0; i < x.size(); ++i)
      to.data[i] = T(2) * dy.data[i] + (to.add && mistake != 3 ? to.data[i] : T(0));
  }
};
template <int mistake> auto careless = [](const auto& x) {
  using T = scalar_of<std::decay_t<decltype(x)>>;
  return apply([](const View<T>& v) { return Careless<T, mistake>{v}; }, as_tensor(x));
};

const auto cube = [](Real x) { return x * x * x; };
const auto twice = [](Real x) { return 2 * x; };
const auto product = [](Real a, Real b) { return a * b; };
const std::vector<double> some = {-2, -0.5, 0.25, 1, 3};

/// Are there failures, and does one of them say so?
bool says(const std::vector<std::string>& failures, const std::string& part) {
  for (const auto& f : failures)
    if (f.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("expect_op: a right op has no failure") {
  CHECK(op_failures([](auto x) { return pointwise<Cube>(x); }, cube, grid(some)).empty());
  CHECK(
      op_failures([](auto a, auto b) { return pairwise<Product>(a, b); }, product, grid(some, some)).empty());
  CHECK(op_failures(careless<0>, twice, grid(some), {.on_devices = false}).empty());
}

TEST_CASE("expect_op: a wrong value is found") {
  const auto op = [](auto x) { return pointwise<Cube>(x); };
  CHECK(says(op_failures(
                 op, [](Real x) { return x * x * x + 1e-12L; }, grid({0.5, 1})),
             "the value is 0.125 at 0"));
  CHECK(says(op_failures(
                 op, [](const Array<double>&) { return Array<double>(Shape{2}); }, grid(some)),
             "has shape"));
  CHECK(says(op_failures([](auto x) { return pointwise<WrongInFloat>(x); }, cube, grid(some)),
             "the float value"));
  CHECK(says(op_failures(
                 op, [](Real) { return std::numeric_limits<Real>::infinity(); }, grid({0.5})),
             "the value is 0.125 at 0, not inf"));
}

TEST_CASE("expect_op: what is wrong on another device alone is found") {
  if (devices().size() == 1) {
    WARN("not tested: there is no other device");
    return;
  }
  const auto failures = op_failures([](auto x) { return pointwise<WrongElsewhere>(x); }, cube, grid(some));
  CHECK(says(failures, "the value on cuda:0 is"));
  CHECK(says(failures, "the gradient on cuda:0 is"));
  CHECK(says(op_failures([](auto x) { return pointwise<WrongWhereSmall>(x); }, cube, grid({1e-3, 2})),
             "the value on cuda:0 is"));
}

TEST_CASE("expect_op: a wrong gradient is found") {
  CHECK(says(op_failures([](auto x) { return pointwise<WrongSlope>(x); }, cube, grid(some)),
             "differences say"));
  CHECK(says(op_failures([](auto x) { return pointwise<SlightlyWrongSlope>(x); }, cube, grid(some)),
             "extrapolated"));
  const auto wrong_b = [](auto a, auto b) { return pairwise<WrongB>(a, b); };
  CHECK(says(op_failures(wrong_b, product, grid(some, some)), "∂/∂x1"));
  CHECK_FALSE(says(op_failures(wrong_b, product, grid(some, some)), "∂/∂x0"));
}

TEST_CASE("expect_op: a wrong second derivative is found") {
  CHECK(says(op_failures([](auto x) { return pointwise<WrongSecond>(x); }, cube, grid(some)),
             "the second derivative of operand 0 at 0 is 0, differences say"));
  const auto failures = op_failures([](auto x) { return pointwise<WrongForward>(x); }, cube, grid(some));
  CHECK(says(failures, "the forward derivative is"));
  CHECK_FALSE(says(failures, "the second derivative"));
}

TEST_CASE("expect_op: carelessness is found") {
  CHECK(says(op_failures(careless<1>, twice, grid(some), {.on_devices = false}),
             "a second run gives another value"));
  CHECK(says(op_failures(careless<2>, twice, grid(some), {.on_devices = false}), "was written to"));
  CHECK(says(op_failures(careless<3>, twice, grid(some), {.on_devices = false}), "used twice, the gradient"));
}
