// SPDX-License-Identifier: MIT
// Every op with a scalar type of the test's own: nothing is tied to float. It has what the vocabulary of
// formulas needs and no more, computes what double computes, and so must give the very values and gradients
// of double.
#include <functional>

#include <gradus/ops/ops.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace own {

struct Scalar {
  double v = 0;
  Scalar() = default;
  template <class N>
    requires std::is_arithmetic_v<N> Scalar(N n) : v(static_cast<double>(n)) {}

    friend Scalar operator+(Scalar a, Scalar b) { return a.v + b.v; }
    friend Scalar operator-(Scalar a, Scalar b) { return a.v - b.v; }
    friend Scalar operator*(Scalar a, Scalar b) { return a.v * b.v; }
    friend Scalar operator/(Scalar a, Scalar b) { return a.v / b.v; }
    friend Scalar operator-(Scalar a) { return -a.v; }
    friend bool operator<(Scalar a, Scalar b) { return a.v < b.v; }
    friend bool operator<=(Scalar a, Scalar b) { return a.v <= b.v; }
    friend bool operator>(Scalar a, Scalar b) { return a.v > b.v; }
    friend bool operator>=(Scalar a, Scalar b) { return a.v >= b.v; }
    friend bool operator==(Scalar a, Scalar b) { return a.v == b.v; }
    friend bool operator!=(Scalar a, Scalar b) { return a.v != b.v; }
    friend Scalar abs(Scalar x) { return std::abs(x.v); }
    friend Scalar exp(Scalar x) { return std::exp(x.v); }
    friend Scalar expm1(Scalar x) { return std::expm1(x.v); }
    friend Scalar log(Scalar x) { return std::log(x.v); }
    friend Scalar log1p(Scalar x) { return std::log1p(x.v); }
    friend Scalar tanh(Scalar x) { return std::tanh(x.v); }
    friend Scalar sin(Scalar x) { return std::sin(x.v); }
    friend Scalar cos(Scalar x) { return std::cos(x.v); }
    friend Scalar erf(Scalar x) { return std::erf(x.v); }
    friend Scalar sqrt(Scalar x) { return std::sqrt(x.v); }
    friend Scalar floor(Scalar x) { return std::floor(x.v); }
    friend Scalar pow(Scalar x, Scalar y) { return std::pow(x.v, y.v); }
};
static_assert(std::is_trivially_copyable_v<Scalar>);

}  // namespace own

namespace {

template <class T> Array<T> as(const Array<double>& a) {
  auto b = Array<T>::uninitialized(a.shape());
  for (Index i = 0; i < a.size(); ++i) b.mutable_data()[i] = T(a.data()[i]);
  return b;
}
double plain(double x) { return x; }
double plain(own::Scalar x) { return x.v; }

/// The value of f(x, y) and the gradients of Σ weight · f, one after the other.
template <class T, class F> std::vector<double> run(const F& f) {
  Tape tape;
  const auto x = tape.variable(as<T>(numbers({3, 3}, 0.1, 0.9))),
             y = tape.variable(as<T>(numbers({3, 3}, 0.1, 0.9, 2)));
  const auto z = f(x, y);
  const auto loss = sum(z * as<T>(weights<double>(z.shape(), {})));
  tape.backward(loss);
  std::vector<double> all;
  const auto add = [&](const Array<T>& a) {
    for (const T& v : a.values()) all.push_back(plain(v));
  };
  add(z.array());
  add(Array<T>::over(loss.view()));
  if (x.gradient()->written) add(tape.gradient(x));
  if (y.gradient()->written) add(tape.gradient(y));
  return all;
}
/// double's packets have exp, log … of their own, right to 2 ulp, where Scalar has the standard library's;
/// sums add in another order. A loss of 9 terms near 1 is right to a few dozen 2⁻⁵².
template <class F> void check(const F& f) {
  const auto mine = run<own::Scalar>(f), theirs = run<double>(f);
  REQUIRE(mine.size() == theirs.size());
  for (std::size_t i = 0; i < mine.size(); ++i)
    CHECK(std::abs(mine[i] - theirs[i]) <= 64 * 0x1p-52 * std::max(1.0, std::abs(theirs[i])));
}
template <class X> using scalar = scalar_of<std::decay_t<X>>;
const Array<std::int32_t> labels = {2, 0, 1};

}  // namespace

TEST_CASE("a scalar of one's own: activations") {
  check([](auto x, auto) { return sigmoid(x); });
  check([](auto x, auto) { return relu(x - 0.5); });
  check([](auto x, auto) { return leaky_relu(x - 0.5, 0.1); });
  check([](auto x, auto) { return elu(x - 0.5); });
  check([](auto x, auto) { return gelu(x); });
  check([](auto x, auto) { return gelu_tanh(x); });
  check([](auto x, auto) { return silu(x); });
  check([](auto x, auto) { return softplus(x); });
  check([](auto x, auto) { return log_sigmoid(x); });
  check([](auto x, auto y) { return softsign(x - 0.5) + hard_sigmoid(y * 4); });
  check([](auto x, auto y) { return prelu(x - 0.5, y); });
  check([](auto x, auto y) { return celu(x - 0.5, 2) + selu(y - 0.5); });
}

TEST_CASE("a scalar of one's own: arithmetic") {
  check([](auto x, auto y) { return x + y - x * y / x; });
  check([](auto x, auto y) { return -x + 1 - (2 - y) * 3 / (4 / x); });
  check([](auto x, auto y) { return (x - 1u) * 0.5f + (1 + y) / 3; });
}

TEST_CASE("a scalar of one's own: comparisons") {
  check([](auto x, auto y) { return maximum(x, y) + minimum(x, y) * x; });
  check([](auto x, auto) { return clamp(x, 0.25, 0.75); });
  check([](auto x, auto y) { return where(less(x, y), x, y * y); });
  check([](auto x, auto y) {
    return where(less_equal(x, y), x, where(greater(x, x), y, where(greater_equal(y, x), x, y)));
  });
  check([](auto x, auto y) { return where(equal(x, y), x, where(not_equal(x, y), y, x)); });
}

TEST_CASE("a scalar of one's own: exponential functions and powers") {
  check([](auto x, auto y) { return exp(x) + expm1(y); });
  check([](auto x, auto y) { return log(x) + log1p(y); });
  check([](auto x, auto y) { return sin(x) + cos(y); });
  check([](auto x, auto y) { return tanh(x) + erf(y); });
  check([](auto x, auto y) { return pow(x, y) + pow(x, 3) + square(y); });
  check([](auto x, auto y) { return sqrt(x) + rsqrt(y); });
  check([](auto x, auto y) { return floor(x * 9) + ceil(y * 9) + round((x - y) * 9); });
  check([](auto x, auto y) { return reciprocal(x) + abs(y - 0.5) + sign(x - 0.5); });
}

TEST_CASE("a scalar of one's own: reductions") {
  check([](auto x, auto y) { return sum(x, 0) + mean(y, 1); });
  check([](auto x, auto y) { return variance(x) + variance(y, 1, false, true); });
  check([](auto x, auto y) { return prod(x, 1) + prod(y) + cumsum(x, 0); });
  check([](auto x, auto y) { return layer_norm(x) + rms_norm(y, {0, 1}); });
  check([](auto x, auto y) { return max(x, 1) + min(y) + max(reshape(x, {1, 3, 3}), {0, 2}); });
  check([](auto x, auto y) {
    return x * one_hot<scalar<decltype(x)>>(argmax(x), 3) + y * one_hot<scalar<decltype(x)>>(argmin(y, 0), 3);
  });
}

TEST_CASE("a scalar of one's own: shapes") {
  check([](auto x, auto y) { return concat({transpose(x), permute(y, {1, 0})}, 1); });
  check([](auto x, auto y) { return stack({flatten(x), slice(y, 1, 0, 3)}); });
  check([](auto x, auto y) {
    return take(x, labels) + reshape(take(y, Array<std::int32_t>{0, 0, 2}, 1), {3, -1});
  });
  check([](auto x, auto) { return slice(x, 0, 0, 3, 2); });
}

TEST_CASE("a scalar of one's own: products") {
  check([](auto x, auto y) { return matmul(x, y); });
  check([](auto x, auto y) { return matmul(reshape(x, {3, 1, 3}), y) + matmul(y, reshape(x, {3, 3, 1})); });
  check([](auto x, auto y) { return linear(x, y); });
  check([](auto x, auto y) { return linear(x, y, sum(y, 0)); });
  check([](auto x, auto y) {
    return linear(x, y, sum(y, 0), &ops::joined<ops::Sigmoid, scalar<decltype(x)>>);
  });
  check([](auto x, auto y) { return linear(x, y, &ops::joined<ops::Tanh, scalar<decltype(x)>>); });
}

TEST_CASE("a scalar of one's own: softmax and losses") {
  check([](auto x, auto y) { return softmax(x) + log_softmax(y, 0); });
  check([](auto x, auto y) { return logsumexp(x) + logsumexp(y, 0); });
  check([](auto x, auto y) { return mse(x, y) + mae(x, y) + huber(x, y, 0.1); });
  check([](auto x, auto y) { return hinge(x, y) + kl_divergence(x, y); });
  check([](auto x, auto y) {
    return binary_cross_entropy(x, y) + binary_cross_entropy_of_probabilities(x, y);
  });
  check([](auto x, auto y) {
    return binary_cross_entropy(
        x, y, {.reduction = Reduction::none, .label_smoothing = 0.1, .class_weights = {1, 2}});
  });
  check([](auto x, auto y) { return softmax_cross_entropy(x, labels) + softmax_cross_entropy(x, y); });
  check([](auto x, auto) {
    return softmax_cross_entropy(x, labels, {.label_smoothing = 0.1, .class_weights = {1, 2, 3}});
  });
}

TEST_CASE("a scalar of one's own: dropout and grad") {
  check([](auto x, auto y) { return dropout(x, 0.5) + y; });
  const auto d = grad([](const auto& x) { return sum(square(x)); }, Array<own::Scalar>{1, 2});
  CHECK(d(0).v == 2);
  CHECK(d(1).v == 4);
}
