// SPDX-License-Identifier: MIT
// The text of every kernel and every formula, without running one: the library is asked for each kernel, and
// an NVRTC that only writes down what it is given answers that it cannot. So cuda.texts has texts where no
// other test has run yet; which types and shapes there are beside these, the other tests know.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <gradus/cuda.hpp>

#include "tests/cuda/environment.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

namespace gradus::test::texts {

/// Stands for NVRTC: keeps texts and options, compiles nothing.
class Recorder {
 public:
  Recorder() : other_(cuda::stand_in<cuda::Nvrtc>), table_(cuda::library<cuda::Nvrtc>()) {
    texts.clear();
    table_.CreateProgram = [](nvrtcProgram*, const char* text, const char*, int, const char* const*,
                              const char* const*) { return texts.insert(text), ++asked, NVRTC_SUCCESS; };
    table_.DestroyProgram = [](nvrtcProgram*) { return NVRTC_SUCCESS; };
    table_.CompileProgram = [](nvrtcProgram, int count, const char* const* given) {
      options.clear();
      for (int i = 0; i < count; ++i) options += std::string(" ") + given[i];
      return NVRTC_ERROR_INVALID_PROGRAM;
    };
    cuda::stand_in<cuda::Nvrtc> = &table_;
  }
  ~Recorder() { cuda::stand_in<cuda::Nvrtc> = other_; }
  Recorder(const Recorder&) = delete;

  static inline std::set<std::string> texts;
  static inline std::string options;  // of the last compilation
  static inline int asked = 0;

 private:
  const cuda::Nvrtc* other_;
  cuda::Nvrtc table_;
};

/// Asks for kernels of numbers of type T.
template <class T> class Asking {
  using Operand = kernels::Operand;
  using Target = kernels::Target;

 public:
  explicit Asking(kernels::Table& t) : table_(t) {}

  void everything() {
    by_hand();
    products();
    using namespace ops;
    pointwise<0, Abs, Cos, Erf, Exp, Expm1, Gelu, GeluTanh, Log, Log1p, LogSigmoid, Neg, Reciprocal, Relu,
              Rsqrt, Sigmoid, Sign, Silu, Sin, Softplus, Sqrt, Square, Tanh>();
    pointwise<1, AddNumber, DivNumber, Elu, LeakyRelu, MulNumber, NumberDiv, NumberSub, PowNumber>();
    pointwise<2, Clamp>();
    pairwise<Add, Sub, Mul, Div, Maximum, Minimum, Pow>();
    losses<SquaredError, AbsoluteError, Huber, BinaryCrossEntropy, ProbabilityCrossEntropy, Hinge,
           KlDivergence>();
    rules(optim::Sgd(), optim::Adam(), optim::AdamW(), optim::AmsGrad(), optim::Adamax(), optim::Nadam(),
          optim::RmsProp(), optim::CenteredRmsProp(), optim::Adagrad(), optim::Adadelta());
    broadcast(pairwise_formula<Add, T>.value);
  }
  std::vector<std::string> unasked;  // calls that did not ask for a text

 private:
  template <class F> void ask(const char* name, const F& call) {
    const int before = Recorder::asked;
    try {
      call();
    } catch (const DeviceError&) {  // what the Recorder causes
    }
    if (Recorder::asked == before) unasked.push_back(name);
  }

  void by_hand() {
    ask("fill", [&] { table_.fill(y_, 1); });
    ask("sum_all", [&] {
      table_.sum_all(kernels::formula<kernels::Identity, T, T, 0, T>.write, y_, 1, nullptr, &x_, 1);
    });
    for (const Groups g : {Groups{2, 40, 3}, Groups{2, 40, 1}, Groups{2, 1000, 1}}) {
      ask("sum", [&] { table_.sum(y_, x_, g, 1); });
      for (const bool largest : {false, true}) {
        ask("extreme", [&] { table_.extreme(y_, x_, g, largest); });
        ask("extreme_place", [&] { table_.extreme_place(y_, x_, g, largest); });
      }
      ask("extreme_slope", [&] { table_.extreme_slope(y_, x_, x_, x_, g); });
      ask("logsumexp", [&] { table_.logsumexp(y_, x_, g); });
      ask("softmax", [&] { table_.softmax(y_, x_, g, false); });
      ask("softmax_slope", [&] { table_.softmax_slope(y_, x_, x_, g, false); });
    }
    for (const Shape shape : {Shape{7, 40}, Shape{7, 1000}}) {
      const Operand z(nullptr, shape, type_);
      ask("softmax_cross_entropy", [&] { table_.softmax_cross_entropy(y_, y_, z, index_, 0); });
      ask("softmax_cross_entropy_slope",
          [&] { table_.softmax_cross_entropy_slope(y_, z, z, index_, x_, 0); });
      ask("softmax_cross_entropy_sum", [&] { table_.softmax_cross_entropy_sum(y_, y_, z, index_, 0, 1); });
    }
    const Groups g{2, 40, 3};
    ask("gather", [&] { table_.gather(y_, x_, g, index_); });
    ask("gather_rows", [&] {
      const RowLookup rows{};
      table_.gather_rows(&rows, 1, index_);
    });
    ask("scatter_add", [&] { table_.scatter_add(y_, x_, g, index_); });
    ask("slice", [&] { table_.slice(y_, x_, g, 2, 0, 1); });
    ask("place", [&] { table_.place(y_, x_, g, 2, 0, 1); });
    ask("permute", [&] { table_.permute(y_, x_, {1, 0}); });
    ask("one_hot", [&] { table_.one_hot(y_, index_); });
    ask("dropout", [&] { table_.dropout(y_, x_, 0.5, random::Stream(), random::Draw()); });
  }

  void products() {
    const T bias = 0;
    kernels::Multiplication p{};
    const auto product = [&](const char* name) { ask(name, [&] { table_.gemm(y_, x_, x_, p); }); };
    for (const Index n : {Index(15), Index(80)})  // of both sizes of tile; cublasLt takes no K of 4
      for (const bool a : {false, true})
        for (const bool b : {false, true})
          for (const void* with : {static_cast<const void*>(nullptr), static_cast<const void*>(&bias)}) {
            p.M = p.N = n, p.K = 4, p.batch = 1;
            p.transpose_a = a, p.transpose_b = b, p.bias = with;
            product("gemm");
          }
    ask("shorten", [&] {
      const kernels::Shortening none{};
      table_.shorten(&none, 1);
    });
    for (const Index n : {Index(15), Index(80)}) {
      p = {};
      p.M = p.N = n, p.K = 4, p.batch = 1, p.transpose_a = true;
      ask("gemm_sums", [&] { table_.gemm_sums(y_, y_, x_, x_, p); });
    }
    for (const auto* f :
         {&ops::joined<ops::Sigmoid, T>, &ops::joined<ops::Relu, T>, &ops::joined<ops::Tanh, T>}) {
      p.activation = f->write, p.slope = nullptr;
      product(f->name);
      p.slope = f->slope.write;
      product(f->name);
    }
  }

  void map(const char* name, const kernels::Formula& f, int operands) {
    const std::vector<Operand> x(std::size_t(operands), x_);
    ask(name, [&] { table_.map(f.write, y_, type_, nullptr, x.data(), operands); });
  }
  template <std::size_t numbers, class... F> void pointwise() {
    const auto one = [&](const ops::PointwiseFormula<T>& f) {
      map(f.name, f.value, 1), map(f.name, f.slope, 2);
    };
    (one(ops::pointwise_formula<F, T, numbers>), ...);
  }
  template <class... F> void pairwise() {
    const auto one = [&](const ops::PairwiseFormula<T>& f) {
      map(f.name, f.value, 2);
      for (const auto* slope : {&f.da, &f.db}) map(f.name, *slope, f.of_dc_alone ? 1 : 3);
    };
    (one(ops::pairwise_formula<F, T>), ...);
  }
  template <class... F> void losses() {
    const auto one = [&](const ops::LossFormula<T>& f) {
      const Operand x[] = {x_, x_};
      ask(f.name, [&] { table_.loss(f.values.value, f.values.slope, y_, y_, 1, nullptr, x, 2); });
      map(f.name, {nullptr, f.values.value}, 2), map(f.name, {nullptr, f.values.slope}, 2);
      map(f.name, *f.dt, 3);
    };
    (one(ops::loss_formula<F, T, Tensor<T>>), ...);
  }
  template <class... R> void rules(const R&... r) {
    for (const optim::Rule<T>& rule : {optim::Rule<T>(r)...}) {
      void* const state[cpu::most_states] = {};
      ask(rule.name(), [&] {
        table_.update(rule.update().write, type_, nullptr, nullptr, state, nullptr, 64, kernels::Watch());
      });
    }
  }
  /// In as many loops as there can be, with 32-bit and 64-bit places.
  void broadcast(const kernels::Formula& f) {
    for (const Index first : {Index(2), Index(1) << 31}) {
      const Shape whole{first, 2, 2, 2, 2, 2}, every_second{1, 2, 1, 2, 1, 2};
      const Operand x[] = {{nullptr, whole, type_}, {nullptr, every_second, type_}};
      ask("broadcast", [&] { table_.map(f.write, {nullptr, false, whole, type_}, type_, nullptr, x, 2); });
    }
  }

  kernels::Table& table_;
  static constexpr Dtype type_ = dtype_of<T>();
  const Shape shape_{6, 40}, places_{7};
  const Operand x_{nullptr, shape_, type_}, index_{nullptr, places_, Dtype::i32};
  const Target y_{nullptr, false, shape_, type_};
};

/// Of float and double.
inline std::set<std::string> every_text() {
  const Environment no_cache("GRADUS_CACHE_DIR", "off");
  emulate();
  const Device device("cuda");
  const Recorder recorder;
  kernels::Table& table = kernels::table(device, "every_text");
  Asking<float> floats(table);
  Asking<double> doubles(table);
  floats.everything(), doubles.everything();
  for (const auto& name : floats.unasked) FAIL_CHECK("no text of " + name + " in float");
  for (const auto& name : doubles.unasked) FAIL_CHECK("no text of " + name + " in double");
  return Recorder::texts;
}

}  // namespace gradus::test::texts
