// SPDX-License-Identifier: MIT
// How far sums and products may be from the exact ones, number by number. A sum of K terms, each a product of two
// numbers, added in whatever order, is off by at most γ_K times the sum of the terms' sizes, γₙ = n u / (1 − n u), u half
// a unit in the last place (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 3.1). Whole numbers that are
// small enough have no rounding: there every bit must be right.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;
using kernels::Op;

namespace {

template <class T> double gamma(Index n) {
  const double nu = double(n) * double(std::numeric_limits<T>::epsilon()) / 2;
  return nu / (1 - nu);
}
template <class T> Sink<T> sink(Array<T>& a) { return {a.mutable_data(), a.shape(), a.device()}; }

/// The numbers of an operand, of a matrix's shape or of its transpose's.
Array<double> operand(Index rows, Index columns, bool whole, std::uint64_t seed) {
  Array<double> a = numbers({rows, columns}, -1, 1, seed);
  if (whole)
    for (Index i = 0; i < a.size(); ++i) a.mutable_data()[i] = std::round(4 * a.data()[i]);
  return a;
}
Array<double> turned(const Array<double>& a) {
  Array<double> t(Shape{a.shape()[1], a.shape()[0]});
  for (Index i = 0; i < a.shape()[0]; ++i)
    for (Index j = 0; j < a.shape()[1]; ++j) t.ref(j, i) = a(i, j);
  return t;
}

/// A · B + bias, and the sums of the terms' sizes.
struct Exact {
  Array<double> value, size;
  Exact(const Array<double>& a, const Array<double>& b, const Array<double>& bias)
      : value(Shape{a.shape()[0], b.shape()[1]}), size(value.shape()) {
    const Index M = value.shape()[0], N = value.shape()[1], K = a.shape()[1];
    const Array<double> columns = turned(b);
    for (Index m = 0; m < M; ++m)
      for (Index n = 0; n < N; ++n) {
        const double *x = a.data() + m * K, *y = columns.data() + n * K;
        Real s = bias(n), t = std::abs(bias(n));
        for (Index k = 0; k < K; ++k) s += Real(x[k]) * y[k], t += std::abs(Real(x[k]) * y[k]);
        value.ref(m, n) = double(s), size.ref(m, n) = double(t);
      }
  }
};

/// The largest |value − exact| / (γ size).
template <class T>
double worst(const Array<T>& value, const Array<double>& exact, const Array<double>& size, double gamma) {
  const Array<T> here = value.to("cpu");
  double most = 0;
  for (Index i = 0; i < exact.size(); ++i) {
    const double off = std::abs(double(here.data()[i]) - exact.data()[i]);
    if (off != 0)
      most = std::max(most, off / (gamma * size.data()[i]));  // infinite where the size is 0; NaN is lost
    if (off != off) return std::numeric_limits<double>::infinity();
  }
  return most;
}

struct Sizes {
  Index M, N, K;
};
// below 16, and up to 2^16 products, by the library's own kernel in tiles of 16 and of 64; else by cublasLt
constexpr Sizes small[] = {{1, 1, 1},   {3, 5, 7},    {15, 33, 100}, {128, 1, 300},
                           {80, 65, 9}, {64, 64, 15}, {200, 70, 4}};
constexpr Sizes large[] = {{64, 64, 64},   {16, 64, 100},  {48, 40, 130},
                           {100, 17, 257}, {32, 16, 1000}, {96, 128, 33}};

/// Of a product with bias in all four transposes, the largest error in units of γ; 0 where it must be exact.
template <class T> double worst_product(const Sizes& p, bool whole) {
  const Device gpu = devices().back();
  const auto a = operand(p.M, p.K, whole, 1), b = operand(p.K, p.N, whole, 2),
             row = operand(1, p.N, whole, 3);
  const Array<double> bias = row.reshape({p.N});
  const Exact exact(a, b, bias);
  const auto there = [&](const Array<double>& x) { return x.to<T>().to(gpu); };
  const Array<T> as[] = {there(a), there(turned(a))}, bs[] = {there(b), there(turned(b))}, v = there(bias);
  double most = 0;
  for (const Op op_a : {Op::none, Op::transpose})
    for (const Op op_b : {Op::none, Op::transpose}) {
      auto c = Array<T>::uninitialized({p.M, p.N}, gpu);
      kernels::gemm(sink(c), as[int(op_a)].view(), op_a, bs[int(op_b)].view(), op_b, {p.M, p.N, p.K},
                    {v.data()});
      most = std::max(most, worst(c, exact.value, exact.size, gamma<T>(p.K + 1)));
    }
  return most;
}
template <class T> void expect_products(const Sizes& p) {
  INFO("[" << p.M << ", " << p.K << "] by [" << p.K << ", " << p.N << "]");
  CHECK(worst_product<T>(p, false) <= 4);
  CHECK(worst_product<T>(p, true) == 0);
}

/// Where the emulator counts, no product but those by `name`.
void expect_all_by(const std::string& name) {
  if (!cuda::stand_in<cuda::Driver>) return;
  const auto all = emulator::launched();
  CHECK(std::count(all.begin(), all.end(), name) > 0);
  for (const std::string other : {"cublasLtMatmul", "gradus_gemm"})
    if (other != name) CHECK(std::count(all.begin(), all.end(), other) == 0);
}

/// Sums over axis 1 of an array [outer, n, inner].
template <class T> void expect_sums(Index outer, Index n, Index inner) {
  INFO("sums of " << n << " in [" << outer << ", " << n << ", " << inner << "]");
  const Device gpu = devices().back();
  for (const bool whole : {false, true}) {
    const auto x = operand(outer * n, inner, whole, 4).reshape({outer, n, inner});
    Array<double> exact(Shape{outer, inner}), size(exact.shape());
    for (Index i = 0; i < outer; ++i)
      for (Index j = 0; j < inner; ++j) {
        Real s = 0, t = 0;
        for (Index k = 0; k < n; ++k) s += x(i, k, j), t += std::abs(x(i, k, j));
        exact.ref(i, j) = double(s), size.ref(i, j) = double(t);
      }
    const double most = worst(sum(x.to<T>().to(gpu), 1).array(), exact, size, gamma<T>(n));
    CHECK(most <= (whole ? 0 : 4));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("products by the library's own kernel are within 4 γ, whole numbers exact", "", float,
                   double) {
  devices(), device_findings();
  for (const Sizes& p : small) expect_products<TestType>(p);
  expect_all_by("gradus_gemm");
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEMPLATE_TEST_CASE("products by cublasLt are within 4 γ, whole numbers exact", "", float, double) {
  devices(), device_findings();
  for (const Sizes& p : large) expect_products<TestType>(p);
  expect_all_by("cublasLtMatmul");
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("products in TF32 are not within 4 γ: a precision that nobody asked for would be seen") {
  devices();
  const PrecisionScope scope(Precision::tf32);
  CHECK(worst_product<float>(large[0], false) > 4);
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEMPLATE_TEST_CASE("sums are within 4 γ, whole numbers exact", "", float, double) {
  devices();
  expect_sums<TestType>(3, 1, 5);
  expect_sums<TestType>(7, 33, 1);
  expect_sums<TestType>(2, 1000, 3);
  expect_sums<TestType>(5, 9001, 1);
  expect_sums<TestType>(1, 9001, 5);
  expect_sums<TestType>(1, 100003, 1);
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("a number that is none is not hidden by ReLU, by whichever kernels") {
  const Device gpu = devices().back();
  for (const Precision precision : {Precision::strict, Precision::tf32, Precision::bf16})
    for (const Index N : {4, 32}) {
      const PrecisionScope scope(precision);
      auto x = numbers({64, 48}).to<float>();
      x.ref(5, 7) = std::numeric_limits<float>::quiet_NaN();
      nn::Sequential model{nn::Dense{48, N}, nn::Relu{}, nn::Dense{N, 32}, nn::Relu{}};
      model.to(gpu);
      const auto y = model(x.to(gpu)).array().to("cpu");
      Index wrong = 0;
      for (Index i = 0; i < 64; ++i)
        for (Index j = 0; j < 32; ++j) wrong += std::isnan(y(i, j)) != (i == 5);
      INFO(name(precision) << ", " << N << " columns");
      CHECK(wrong == 0);
    }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
