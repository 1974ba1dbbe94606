// SPDX-License-Identifier: MIT
// Second derivatives against those of the textbook. That of every op, against differences of its gradient:
// expect_op.
#include <cmath>

#include <gradus/nn/nn.hpp>
#include <gradus/ops/ops.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// Equal to a few roundings of the largest number there is.
void check_near(const Array<double>& a, const Array<double>& b, double bound = 1e-14) {
  REQUIRE(a.shape() == b.shape());
  for (Index i = 0; i < a.size(); ++i) {
    INFO("element " << i << ": " << a.data()[i] << ", not " << b.data()[i]);
    CHECK(std::abs(a.data()[i] - b.data()[i]) <= bound * (largest(b) + 1e-300));
  }
}
Array<double> matrix(Index n, const std::function<double(Index, Index)>& f) {
  Array<double> h(Shape{n, n});
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) h.ref(i, j) = f(i, j);
  return h;
}

}  // namespace

TEST_CASE("the Hessian of Rosenbrock's function") {  // (1 - x)² + 100 (y - x²)²
  const auto f = [](const auto& v) {
    const auto x = slice(v, 0, 0, 1), y = slice(v, 0, 1, 2);
    return sum(square(1 - x) + 100 * square(y - square(x)));
  };
  const double x = -1.2, y = 1;
  check_near(hessian(f, Array<double>{x, y}),
             Array<double>{{2 - 400 * (y - 3 * x * x), -400 * x}, {-400 * x, 200}});
}

TEST_CASE("the Hessian of logistic regression is Xᵀ D X, D = σ (1 - σ) / n, at weights of zero, too") {
  const Index n = 5, d = 3;
  const auto x = numbers({n, d}), t = numbers({n, 1}, 0, 1, 2);
  for (const double size : {0.0, 1.0, 30.0}) {
    auto w = numbers({1, d}, -1, 1, 3);
    for (Index j = 0; j < d; ++j) w.mutable_data()[j] *= size;
    const auto f = [&](const auto& v) {
      using T = scalar_of<std::decay_t<decltype(v)>>;
      return binary_cross_entropy(linear(x.template to<T>(), v), t.template to<T>());
    };
    const auto expected = matrix(d, [&](Index i, Index j) {
      double h = 0;
      for (Index k = 0; k < n; ++k) {
        double z = 0;
        for (Index l = 0; l < d; ++l) z += x(k, l) * w(0, l);
        h += x(k, i) * x(k, j) / ((1 + std::exp(-z)) * (1 + std::exp(z))) / double(n);
      }
      return h;
    });
    check_near(hessian(f, w), expected, 1e-13);  // σ (1 - σ) far out is a difference
  }
}

TEST_CASE("the Hessian of softmax cross-entropy is diag p - p pᵀ") {
  const Array<std::int32_t> label = {2};
  const Array<double> z = {{0.5, -1, 2, 0}};
  double sum = 0;
  for (const double v : z.values()) sum += std::exp(v);
  const auto p = [&](Index i) { return std::exp(z(0, i)) / sum; };
  check_near(hessian([&](const auto& v) { return softmax_cross_entropy(v, label); }, z),
             matrix(4, [&](Index i, Index j) { return (i == j ? p(i) : 0) - p(i) * p(j); }));
}

TEST_CASE("functions written in two halves are smooth where these meet") {
  const Array<double> zero = {0}, one = {1};
  const auto second = [&](const auto& f) { return hessian(f, zero)(0, 0); };
  const auto along = [&](const auto& f) {  // of the function itself
    return f(Tensor<Dual<double>>(Array<Dual<double>>{Dual<double>(0.0, 1.0)})).item().tangent;
  };
  CHECK(second([](const auto& x) { return sum(softplus(x)); }) == 0.25);
  CHECK(second([](const auto& x) { return sum(log_sigmoid(x)); }) == -0.25);
  CHECK(second([](const auto& x) { return sum(square(softplus(x))); }) == Approx(0.5 + 0.5 * std::log(2)));
  CHECK(along([](const auto& x) { return softplus(x); }) == 0.5);
  CHECK(along([](const auto& x) { return log_sigmoid(x); }) == 0.5);
  CHECK(along([](const auto& x) { return binary_cross_entropy(x, x.detach() * 0 + 1); }) == -0.5);
  CHECK(along([](const auto& x) { return relu(x); }) == 0);
}

TEST_CASE("powers with exponents that are numbers, variables and zero") {
  const auto cube = [](const auto& x) { return sum(pow(x, 3)); };
  CHECK(hessian(cube, Array<double>{-2})(0, 0) == -12);  // 6 x
  CHECK(hessian([](const auto& x) { return sum(pow(x, 0)); }, Array<double>{0})(0, 0) == 0);
  const double x = 1.5;  // (xˣ)″ = xˣ ((1 + ln x)² + 1/x)
  const double expected = std::pow(x, x) * (std::pow(1 + std::log(x), 2) + 1 / x);
  CHECK(hessian([](const auto& v) { return sum(pow(v, v)); }, Array<double>{x})(0, 0) ==
        Approx(expected).epsilon(1e-14));
}

TEST_CASE("third derivatives: a dual of duals") {
  const auto f = [](const auto& x) { return sum(exp(2 * x) + pow(x, 5)); };
  using D = Dual<double>;
  const Array<D> x = {D(0.5, 1)};
  const D third = hvp(f, x, Array<D>{1})(0);  // f″ + f‴ ε
  CHECK(third.value == Approx(4 * std::exp(1.0) + 20 * 0.125).epsilon(1e-14));
  CHECK(third.tangent == Approx(8 * std::exp(1.0) + 60 * 0.25).epsilon(1e-14));
}

namespace {

/// The gradients of a net's weights and biases, one after the other, at parameters + h v (T: double), or with their
/// tangents along v.
template <class T>
std::vector<T> gradients(double h, const Array<double>& x, const Array<std::int32_t>& labels) {
  nn::Sequential<T> net{nn::Dense<T>{3, 5}, nn::Sigmoid<T>{}, nn::Dense<T>{5, 4}, nn::Tanh<T>{},
                        nn::Dense<T>{4, 2}};
  std::uint64_t seed = 1;
  net.each_parameter([&](const std::string&, Parameter<T>& p) {
    const auto value = numbers(p.shape(), -1, 1, seed), v = numbers(p.shape(), -1, 1, seed + 1);
    seed += 2;
    auto to = Array<T>::uninitialized(p.shape());
    for (Index i = 0; i < to.size(); ++i) {
      to.mutable_data()[i] = T(value.data()[i] + h * v.data()[i]);
      if constexpr (!std::is_same_v<T, double>) to.mutable_data()[i].tangent = v.data()[i];
    }
    p = Parameter<T>(to);
  });
  Tape tape;
  tape.backward(softmax_cross_entropy(net(tape.input(x.to<T>())), labels));
  std::vector<T> all;
  net.each_parameter([&](const std::string&, Parameter<T>& p) {
    for (const T& d : p.gradient().values()) all.push_back(d);
  });
  return all;
}

}  // namespace

TEST_CASE("Hessian-vector products of a whole net by its parameters") {
  const auto x = numbers({6, 3}, -2, 2, 77);
  const Array<std::int32_t> labels = {0, 1, 1, 0, 1, 0};
  const auto exact = gradients<Dual<double>>(0, x, labels);
  constexpr double h = 1e-3;
  const auto up = gradients<double>(h, x, labels), down = gradients<double>(-h, x, labels);
  const auto up2 = gradients<double>(2 * h, x, labels), down2 = gradients<double>(-2 * h, x, labels);
  REQUIRE(exact.size() == 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double d = (8 * (up[i] - down[i]) - (up2[i] - down2[i])) / (12 * h);  // its error is O(h⁴)
    CHECK(std::abs(exact[i].tangent - d) <= 1e-10);
  }
}

TEST_CASE("what second derivatives cannot be taken of is said") {
  const auto f = [](const auto& x) { return sum(square(x)); };
  CHECK(words<ShapeError>([&] {
          hvp(f, Array<double>{1, 2}, Array<double>{1});
        }) == "hvp: x is [2], v is [1]; they must be equal");
  for (const Device device : devices())
    if (!device.is_cpu())
      CHECK(words<DeviceError>([&] {
              hessian(f, Array<double>{1, 2}.to(device));
            }) ==
            "hvp: x is on cuda:0, v on cpu; second derivatives are computed on the CPU (x.to(\"cpu\"))");
  CHECK(hessian(f, Array<double>(Shape{0})).shape() == Shape{0, 0});
}
