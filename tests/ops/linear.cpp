// SPDX-License-Identifier: MIT
#include <bit>

#include <gradus/ops/exponential.hpp>
#include <gradus/ops/linear.hpp>
#include <gradus/ops/power.hpp>
#include <gradus/ops/reduce.hpp>

#include "tests/support/devices.hpp"
#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// F(x·Wᵀ + b), a sum at a time.
template <class F>
Array<double> dense(const Array<double>& x, const Array<double>& w, const Array<double>& b, F f) {
  const Index N = w.shape()[0], K = w.shape()[1], rows = x.shape().rows();
  Array<double> y(x.shape().with(x.rank() - 1, N));
  for (Index r = 0; r < rows; ++r)
    for (Index n = 0; n < N; ++n) {
      Real z = b.size() > 0 ? b.data()[n] : 0;
      for (Index k = 0; k < K; ++k) z += Real(x.data()[r * K + k]) * w.data()[n * K + k];
      y.mutable_data()[r * N + n] = static_cast<double>(f(z));
    }
  return y;
}
const auto same_number = [](Real z) { return z; };

Samples layers() {
  Samples s;
  for (const auto& [rows, K, N] :
       {std::array<Index, 3>{1, 1, 1}, {7, 3, 1}, {1, 17, 5}, {5, 4, 33}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}})
    s.push_back({numbers({rows, K}), numbers({N, K}, -1, 1, 2), numbers({N}, -1, 1, 3)});
  s.push_back({numbers({4}), numbers({3, 4}, -1, 1, 2), numbers({3}, -1, 1, 3)});  // one row without its axis
  s.push_back({numbers({2, 3, 4}), numbers({3, 4}, -1, 1, 2), numbers({3}, -1, 1, 3)});  // two axes of rows
  return s;
}
Samples without_bias() {
  Samples s = layers();
  for (auto& x : s) x.pop_back();
  return s;
}

// sums of up to 17 terms of size 1: their rounding is 17 · 2⁻⁵³ and does not shrink where the sum is near 0
constexpr Bounds sums = {.absolute = 64};

}  // namespace

TEST_CASE("linear") {
  expect_op([](auto x, auto w, auto b) { return linear(x, w, b); },
            [](const Array<double>& x, const Array<double>& w, const Array<double>& b) {
              return dense(x, w, b, same_number);
            },
            layers(), sums);
  expect_op([](auto x, auto w) { return linear(x, w); },
            [](const Array<double>& x, const Array<double>& w) {
              return dense(x, w, Array<double>(), same_number);
            },
            without_bias(), sums);
}

TEST_CASE("linear with an activation") {
  const auto sigma = [](Real z) { return 1 / (1 + std::exp(-z)); };
  expect_op([](auto x, auto w,
               auto b) { return linear(x, w, b, &ops::joined<ops::Sigmoid, scalar_of<decltype(x)>>); },
            [&](const Array<double>& x, const Array<double>& w, const Array<double>& b) {
              return dense(x, w, b, sigma);
            },
            layers(), sums);
  expect_op([](auto x, auto w) { return linear(x, w, &ops::joined<ops::Tanh, scalar_of<decltype(x)>>); },
            [](const Array<double>& x, const Array<double>& w) {
              return dense(x, w, Array<double>(), [](Real z) { return std::tanh(z); });
            },
            without_bias(), sums);
  expect_op(
      [](auto x, auto w, auto b) { return linear(x, w, b, &ops::joined<ops::Relu, scalar_of<decltype(x)>>); },
      [](const Array<double>& x, const Array<double>& w, const Array<double>& b) {
        return dense(x, w, b, [](Real z) { return z > 0 ? z : 0; });
      },
      layers(), sums);
}

TEST_CASE("a joined activation gives the bits of the two ops apart") {
  for (const Index rows : {1, 5, 64})
    for (const Index N : {1, 16, 100}) {
      const auto x = numbers({rows, 30}).to<float>(), w = numbers({N, 30}, -1, 1, 2).to<float>();
      const auto b = numbers({N}, -1, 1, 3).to<float>();
      CHECK(
          same_bits(linear(x, w, b, &ops::joined<ops::Relu, float>).array(), relu(linear(x, w, b)).array()));
      CHECK(same_bits(linear(x, w, b, &ops::joined<ops::Sigmoid, float>).array(),
                      sigmoid(linear(x, w, b)).array()));
      CHECK(same_bits(linear(x, w, &ops::joined<ops::Tanh, float>).array(), tanh(linear(x, w)).array()));
    }
}

namespace {

/// Two layers as one op; its parameters are made of the tensors that expect_op gives.
template <class T> Tensor<T> two_layers(const Tensor<T>& x, const std::array<Parameter<T>, 3>& p,
                                        const kernels::Activation<T>* first,
                                        const kernels::Activation<T>* last) {
  const LinearLayer<T> layers[] = {{&p[0], &p[1], first}, {&p[2], nullptr, last}};
  return linear(x, layers, 2);
}

}  // namespace

TEMPLATE_TEST_CASE("layers as one op have the values and gradients of one after the other", "", float,
                   double) {
  using T = TestType;
  const kernels::Activation<T>* const activations[] = {nullptr, &ops::joined<ops::Relu, T>,
                                                       &ops::joined<ops::Sigmoid, T>};
  for (const Device device : devices())
    for (const auto& [rows, K, H, N] :
         {std::array<Index, 4>{5, 3, 4, 2}, {33, 7, 80, 1}, {64, 48, 40, 32}, {0, 3, 4, 2}})
      for (const auto* first : activations)
        for (const auto* last : activations) {
          INFO(device.name() << ", " << rows << " rows");
          const auto x = numbers({rows, K}).template to<T>().to(device);
          std::array<Parameter<T>, 3> p{Parameter<T>(numbers({H, K}, -1, 1, 2).template to<T>()),
                                        Parameter<T>(numbers({H}, -1, 1, 3).template to<T>()),
                                        Parameter<T>(numbers({N, H}, -1, 1, 4).template to<T>())};
          for (auto& q : p) q.to(device);
          std::vector<Array<T>> found[2];
          for (const bool one : {true, false}) {
            Tape tape;
            const auto v = tape.variable(x);
            const auto y =
                one ? two_layers(v, p, first, last) : linear(linear(v, p[0], p[1], first), p[2], last);
            tape.backward(sum(square(y)));
            auto& all = found[one];
            all.push_back(y.array().to("cpu"));
            all.push_back(tape.gradient(v).to("cpu"));
            for (auto& q : p) all.push_back(q.gradient().to("cpu")), q.leaf().gradient.written = false;
          }
          for (std::size_t i = 0; i < found[0].size(); ++i) CHECK(same_bits(found[0][i], found[1][i]));
          for (const auto& finding : device_findings()) FAIL_CHECK(finding);
        }
}

namespace {

/// Whole numbers from −most to most.
Array<float> whole(const Shape& shape, int most, std::uint64_t stream) {
  auto x = numbers(shape, -1, 1, stream).to<float>();
  for (Index i = 0; i < x.size(); ++i) x.mutable_data()[i] = std::round(x.data()[i] * float(most));
  return x;
}
/// y and all gradients of Σ y · c, of parameters twice, for three layers: K, 48 (ReLU), 40 (with a bias), N.
std::vector<Array<float>> of_three_layers(Device device, Index rows, Index K, Index N,
                                          const kernels::Activation<float>* last) {
  Parameter<float> w1(whole({48, K}, 1, 2)), b1(whole({48}, 2, 3)), w2(Array<float>(Shape{40, 48})),
      b2(whole({40}, 1, 4)), w3(whole({N, 40}, 1, 5));
  auto few =
      Array<float>(Shape{40, 48});  // so that sums stay below 256, where bfloat16 has every whole number
  for (Index i = 0; i < 40; ++i) few.ref(i, i) = 1, few.ref(i, 47 - i) = -1;
  w2.set_value(few);
  for (auto* p : {&w1, &b1, &w2, &b2, &w3}) p->to(device);
  const LinearLayer<float> layers[] = {
      {&w1, &b1, &ops::joined<ops::Relu, float>}, {&w2, &b2, nullptr}, {&w3, nullptr, last}};
  std::vector<Array<float>> all;
  for (int i = 0; i < 2; ++i) {  // the second time gradients are added to
    Tape tape;
    // at any address: a slice begins where it begins
    const auto x = tape.variable(whole({rows + 1, K}, 1, 1).to(device).slice(1, rows + 1));
    const auto y = linear(x, layers, 3);
    tape.backward(sum(y * whole({rows, N}, 1, 6).to(device)));
    all.push_back(y.array().to("cpu")), all.push_back(tape.gradient(x).to("cpu"));
  }
  for (auto* p : {&w1, &b1, &w2, &b2, &w3}) all.push_back(p->gradient().to("cpu"));
  return all;
}

}  // namespace

TEST_CASE("in bf16 whole numbers are exact, whichever kernels the layers take") {
  for (const Device device : devices())
    for (const auto& [rows, K, N] :
         {std::array<Index, 3>{64, 48, 32}, {64, 33, 3}, {64, 48, 1}, {3, 48, 32}}) {
      INFO(device.name() << ", " << rows << " rows of " << K << " to " << N);
      for (const auto* last :
           {static_cast<const kernels::Activation<float>*>(nullptr), &ops::joined<ops::Relu, float>}) {
        const auto exact = of_three_layers("cpu", rows, K, N, last);
        const PrecisionScope bf16(Precision::bf16);
        const auto found = of_three_layers(device, rows, K, N, last);
        for (std::size_t i = 0; i < exact.size(); ++i) CHECK(found[i] == exact[i]);
      }
      for (const auto& finding : device_findings()) FAIL_CHECK(finding);
    }
}

TEST_CASE("in bf16 what passes between layers is rounded, the result is not") {
  const Device device = devices().back();
  if (device.is_cpu()) return;
  const auto x = numbers({64, 48}).to<float>().to(device);
  std::array<Parameter<float>, 3> p{Parameter<float>(numbers({40, 48}, -1, 1, 2).to<float>().to(device)),
                                    Parameter<float>(numbers({40}, -1, 1, 3).to<float>().to(device)),
                                    Parameter<float>(numbers({32, 40}, -1, 1, 4).to<float>().to(device))};
  const auto y = [&](Precision precision) {
    const PrecisionScope scope(precision);
    return two_layers<float>(x, p, &ops::joined<ops::Sigmoid, float>, nullptr).array().to("cpu");
  };
  const auto strict = y(Precision::strict), rounded = y(Precision::bf16);
  double worst = 0;
  Index not_bf16 = 0;
  for (Index i = 0; i < strict.size(); ++i) {
    worst = std::max(worst, double(std::abs(strict.data()[i] - rounded.data()[i])));
    not_bf16 += (std::bit_cast<std::uint32_t>(rounded.data()[i]) & 0xffff) != 0;
  }
  CHECK(worst > 1e-3);  // 40 terms below 1, each rounded to 8 bits
  CHECK(worst < 40 * 0x1p-7);
  CHECK(not_bf16 > strict.size() / 2);
}

TEST_CASE("linear: shapes that do not fit are named") {
  const Array<float> x(Shape{5, 3}), w(Shape{4, 2}), w3(Shape{4, 3}), b(Shape{3});
  CHECK(words<ShapeError>([&] { linear(x, w); }) ==
        "linear: x is [5, 3], w is [4, 2]; x's last axis must equal w's columns");
  CHECK(words<ShapeError>([&] { linear(x, b); }) ==
        "linear: x is [5, 3], w is [3]; x's last axis must equal w's columns");
  CHECK(words<ShapeError>([&] { linear(Array<float>(Shape{}), w); }) ==
        "linear: x is [], w is [4, 2]; x's last axis must equal w's columns");
  CHECK(words<ShapeError>([&] { linear(x, w3, b); }) == "linear: w is [4, 3], b is [3]; b must be [4]");
  CHECK(words<ShapeError>([&] { linear(x, w3, Array<float>()); }) ==
        "linear: w is [4, 3], b is [0]; b must be [4]");
  const LinearLayer<float> layers[17] = {};
  for (const Index n : {0, 17})
    CHECK(words<ValueError>([&] { linear(Tensor<float>(x), layers, n); }) ==
          detail::message("linear: ", n, " layers; it takes 1 to 16"));
}
