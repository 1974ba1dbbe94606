// SPDX-License-Identifier: MIT
// Element-wise formulas in the L1 and L2 caches and in memory, beside the vector library of glibc (libmvec)
// and the array functions of Eigen: GB/s beside a copy of as many bytes, and elements per nanosecond.

// clang-format off: the pragmas come before Eigen, whose arrays meet g++'s AVX-512 intrinsics
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
// clang-format on

#include <array>
#include <dlfcn.h>
#include <string>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/kernels/map.hpp>
#include <gradus/ops/activation.hpp>
#include <gradus/ops/exponential.hpp>

#include "bench/support/row.hpp"

namespace {

using namespace gradus;

/// A register of floats.
struct Register {
  cpu::Wide<float>::P p;
};
constexpr int lanes = cpu::Wide<float>::L;

struct Add {
  template <class X> static X value(X a, X b) { return a + b; }
};
struct MultiplyAdd {
  template <class X> static X value(X a, X b, X c) { return a * b + c; }
};
struct Sqrt {
  template <class X> static X value(X a) { return math::sqrt(a); }
};

constexpr Index sizes[] = {1 << 12, 1 << 16, 1 << 24};  // floats: 16 KiB, 256 KiB, 64 MiB of each operand

/// Operands from 0.5 to 1.5, where every function here has its hardest work; zeros as results.
struct Data {
  Array<float> x[3], y;
  explicit Data(Index n) : y(Shape{n}) {
    for (auto& a : x) {
      a = Array<float>(Shape{n});
      for (Index i = 0; i < n; ++i) a.mutable_data()[i] = 0.5f + static_cast<float>(i % 4093) / 4093;
    }
  }
};

bench::Work work(Index n, int arrays) { return {.bytes = 4.0 * arrays * double(n), .elements = double(n)}; }
std::string row(const std::string& name, Index n, const char* whose) {
  return "float/" + name + "/" + std::to_string(n) + "/" + whose;
}

template <class F, class... U> void gradus_row(const std::string& name, U... shape) {
  for (const Index n : sizes)
    bench::add(row(name, n, "gradus"), [=](benchmark::State& state) {
      Data d(n);
      int k = 0;
      const View<float> x[] = {View<float>{d.x[k++].data(), shape(n), Device()}...};
      const Sink<float> y{d.y.mutable_data(), x[0].shape, Device()};
      bench::measure<float>(state, work(n, sizeof...(U) + 1), [&] {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
          kernels::map<F, float>(y, std::array<float, 0>(), x[I]...);
        }
        (std::index_sequence_for<U...>());
      });
    });
}
/// f writes a whole array from another.
template <class F> void other_row(const std::string& name, const char* whose, F f) {
  for (const Index n : sizes)
    bench::add(row(name, n, whose), [=](benchmark::State& state) {
      Data d(n);
      float* const y = d.y.mutable_data();
      bench::measure<float>(state, work(n, 2), [&] { f(y, d.x[0].data(), n); });
    });
}

/// glibc's function of one packet, if there is one here.
using Vector = cpu::Wide<float>::P (*)(cpu::Wide<float>::P);
Vector libmvec(const std::string& name) {
  static void* const library = dlopen("libmvec.so.1", RTLD_NOW);
  const std::string symbol = std::string(lanes == 16  ? "_ZGVeN16v_"
                                         : lanes == 8 ? "_ZGVdN8v_"
                                                      : "_ZGVbN4v_") +
                             name + "f";
  return library ? reinterpret_cast<Vector>(dlsym(library, symbol.c_str())) : nullptr;
}
template <class F> void libmvec_row(const std::string& name, const std::string& function, F f) {
  if (const Vector v = libmvec(function))
    other_row(name, "libmvec", [=](float* y, const float* x, Index n) {
      for (Index i = 0; i < n; i += lanes)
        Eigen::internal::pstoreu(y + i,
                                 f(v, Register{Eigen::internal::ploadu<cpu::Wide<float>::P>(x + i)}).p);
    });
}
void libmvec_row(const std::string& name) {
  libmvec_row(name, name, [](Vector v, const Register& x) { return Register{v(x.p)}; });
}
template <class F> void eigen_row(const std::string& name, F f) {
  other_row(name, "eigen", [=](float* y, const float* x, Index n) {
    Eigen::Map<Eigen::ArrayXf>(y, n) = f(Eigen::Map<const Eigen::ArrayXf>(x, n));
  });
}

Shape flat(Index n) { return {n}; }
template <Index C> Shape rows(Index n) { return {n / C, C}; }
template <Index C> Shape one_row(Index) { return {C}; }

const bool registered = [] {
  other_row("copy", "memcpy",
            [](float* y, const float* x, Index n) { std::memcpy(y, x, std::size_t(n) * sizeof *x); });
  gradus_row<ops::Relu>("relu", flat);
  gradus_row<ops::Slope<ops::Relu>>("relu_slope", flat, flat);
  gradus_row<Add>("add", flat, flat);
  gradus_row<MultiplyAdd>("multiply_add", flat, flat, flat);
  gradus_row<Sqrt>("sqrt", flat);
  gradus_row<ops::Exp>("exp", flat);
  libmvec_row("exp");
  eigen_row("exp", [](const auto& x) { return x.exp(); });
  gradus_row<ops::Log>("log", flat);
  libmvec_row("log");
  eigen_row("log", [](const auto& x) { return x.log(); });
  gradus_row<ops::Tanh>("tanh", flat);
  libmvec_row("tanh");
  eigen_row("tanh", [](const auto& x) { return x.tanh(); });
  gradus_row<ops::Sigmoid>("sigmoid", flat);
  libmvec_row("sigmoid", "exp", [](Vector exp, const Register& x) {
    const auto one = cpu::packet::all<cpu::Wide<float>::P>(1);
    return Register{one / (one + exp(-x.p))};
  });
  eigen_row("sigmoid", [](const auto& x) { return x.logistic(); });
  gradus_row<ops::Expm1>("expm1", flat);
  libmvec_row("expm1");
  gradus_row<ops::Log1p>("log1p", flat);
  libmvec_row("log1p");
  gradus_row<ops::Erf>("erf", flat);
  libmvec_row("erf");
  gradus_row<ops::Sin>("sin", flat);
  libmvec_row("sin");
  eigen_row("sin", [](const auto& x) { return x.sin(); });
  gradus_row<ops::Cos>("cos", flat);
  libmvec_row("cos");
  eigen_row("cos", [](const auto& x) { return x.cos(); });
  gradus_row<ops::Gelu>("gelu", flat);
  gradus_row<ops::Silu>("silu", flat);
  gradus_row<ops::Slope<ops::Silu>>("silu_slope", flat, flat);
  gradus_row<ops::Softplus>("softplus", flat);
  gradus_row<ops::Slope<ops::Sigmoid>>("sigmoid_slope", flat, flat);
  gradus_row<ops::Slope<ops::Tanh>>("tanh_slope", flat, flat);
  gradus_row<Add>("bias_of_16", rows<16>, one_row<16>);
  gradus_row<Add>("bias_of_1024", rows<1024>, one_row<1024>);
  return true;
}();

}  // namespace
