// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <thread>

#include <gradus/ops/ops.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Values = Array<double>;

namespace {

/// One layer and its gradient: 4 threads of these must not meet.
Values layer_gradient(const Parameter<double>& w, const Values& x) {
  Tape tape;
  tape.backward(mean(square(tanh(matmul(tape.input(x), w)))));
  const Values d = w.gradient();
  w.leaf().gradient.written = false;
  return d;
}

}  // namespace

TEST_CASE("backward: what it cannot do, it says") {
  const Parameter<double> w(Values{1, 2});
  Tape tape;
  CHECK(words<TapeError>([&] { tape.backward(sum(w)); }) ==
        "backward: the loss is not on a tape (start from tape.input(x))");
  const auto x = tape.input(Values{3, 4});
  CHECK(words<ShapeError>([&] { tape.backward(w * x); }) ==
        "backward: the loss is [2]; it must be one number");
  CHECK(words<TapeError>([&] { tape.backward(sum(x)); }) ==
        "backward: the loss depends on no parameter and no variable");
  Tape other;
  CHECK(words<TapeError>([&] { other.backward(sum(w * x)); }) ==
        "backward: the loss was recorded on another tape");
  const auto loss = sum(w * x);
  tape.backward(loss);
  CHECK(words<TapeError>([&] { tape.backward(loss); }) ==
        "backward: it ran already; record again or first backward(loss, true)");
  CHECK(w.gradient() == Values{3, 4});  // once, whatever was tried
  Parameter<double> frozen(Values{2});
  frozen.freeze();
  CHECK(words<TapeError>([&] { tape.backward(tape.watch(frozen)); }) ==
        "backward: the loss depends on no parameter and no variable");
}

TEST_CASE("gradient: what is not there is named") {
  Tape tape;
  const auto x = tape.input(Values{3, 4}), v = tape.variable(Values{1}), unused = tape.variable(Values{1});
  const std::string none = " has none (is it a variable? has backward run?)";
  CHECK(words<TapeError>([&] { tape.gradient(v); }) == "gradient: the tensor [1]" + none);
  tape.backward(sum(x * v));
  CHECK(tape.gradient(v) == Values{7});
  CHECK(words<TapeError>([&] { tape.gradient(x); }) == "gradient: the tensor [2]" + none);
  CHECK(words<TapeError>([&] { tape.gradient(unused); }) == "gradient: the tensor [1]" + none);
}

TEST_CASE("backward twice with keep adds exactly twice") {
  const Parameter<double> w(numbers({7, 5}));
  const Values x = numbers({3, 7}, -1, 1, 2);
  const auto loss = [&](Tape& tape) { return mean(square(tanh(matmul(tape.input(x), w)))); };
  Tape once;
  once.backward(loss(once));
  Values twice = w.gradient();
  for (double& d : twice.mutable_values()) d *= 2;
  w.leaf().gradient.written = false;
  Tape tape;
  const auto l = loss(tape);
  tape.backward(l, true);
  tape.backward(l);
  CHECK(w.gradient() == twice);
}

namespace {

/// y = x, and a backward that throws as often as it is told to.
struct Failing {
  static constexpr const char* name = "failing";
  static inline int failures = 0;
  View<double> x;
  Shape shape() const { return x.shape; }
  void forward(const Sink<double>& y, Step&) const {
    kernels::map<kernels::Identity, double>(y, std::array<double, 0>(), x);
  }
  void backward(const View<double>& dy, Step&, const Sink<double>& dx) const {
    if (failures-- > 0) throw OutOfMemory("no memory");
    kernels::map<kernels::Identity, double>(dx, std::array<double, 0>(), dy);
  }
};

}  // namespace

TEST_CASE("a backward that throws ends its step, which says so") {
  for (const bool keep : {false, true}) {
    Tape tape;
    const auto x = tape.variable(Array<double>{2, 3});
    const auto inner = sum(square(x));
    const auto loss = inner * apply([](const View<double>& v) { return Failing{v}; }, inner);
    Failing::failures = 1;
    CHECK_THROWS_AS(tape.backward(loss, keep), OutOfMemory);
    CHECK(words<TapeError>([&] { tape.backward(inner, true); }) ==
          "backward: it ran already; record again or first backward(loss, true)");
    const auto again = tape.variable(Array<double>{2, 3});
    tape.backward(sum(square(again)));
    CHECK(tape.gradient(again) == Array<double>{4, 6});
  }
}

TEST_CASE("two losses of one recording") {
  const Parameter<double> w(Values{2});
  Tape tape;
  const auto y = w * tape.input(Values{3}), a = y * y, b = exp(y * 0.0);
  tape.backward(a, true);
  CHECK(w.gradient() == Values{36});
  tape.backward(y);  // an earlier record: those after it take no part
  CHECK(w.gradient() == Values{39});
  CHECK(b.item() == 1);
}

TEST_CASE("a loss that is itself a variable or a parameter") {
  const Parameter<double> w(Values{2});
  Tape tape;
  const auto v = tape.variable(Values{5});
  tape.backward(v, true);
  tape.backward(tape.watch(w));
  CHECK(tape.gradient(v) == Values{1});
  CHECK(w.gradient() == Values{1});
}

TEST_CASE("inputs: arrays, views, and memory of the step") {
  Tape tape;
  const Values a = {1, 2};
  CHECK(tape.input(a).array() == a);
  CHECK(tape.input(a.view()).array() == a);
  const Sink<double> memory = tape.allocate<double>({2, 2});
  for (Index i = 0; i < 4; ++i) memory.data[i] = double(i);
  CHECK(tape.input(memory.view()).array() == Values{{0, 1}, {2, 3}});
  CHECK(sum(tape.input(Array<std::int32_t>{1, 2})).item() == 3);
}

TEST_CASE("a tape is on one device") {
  Tape tape;
  const auto x = tape.input(Values{1});
  CHECK(words<DeviceError>([&] { tape.input(Values{1}.to("fake:0")); }) ==
        "tape: it is on cpu, the input on fake:0");
  CHECK(x.item() == 1);
  tape.clear();
  const auto there = tape.input(Values{2}.to("fake:0"));
  CHECK(there.device() == Device("fake:0"));
  CHECK(there.item() == 2);
}

TEST_CASE("training is the tape's, and says so to dropout alone") {
  const Values x = full<double>({64}, 1);
  Tape training, evaluation(false);
  CHECK_FALSE(dropout(training.input(x), 0.5).array() == x);
  CHECK(dropout(evaluation.input(x), 0.5).array() == x);
}

TEST_CASE("tapes nest") {
  const Parameter<double> w(Values{3}), u(Values{5});
  Tape outer;
  const auto y = w * outer.input(Values{2});
  {
    Tape inner;
    inner.backward(u * inner.input(Values{7}));
  }
  outer.backward(y);
  CHECK(w.gradient() == Values{2});
  CHECK(u.gradient() == Values{7});
}

TEST_CASE("tapes of several threads do not meet") {
  const Values w = numbers({17, 9});
  std::vector<Values> x, expected;
  for (std::uint64_t k = 0; k < 4; ++k) {
    x.push_back(numbers({33, 17}, -1, 1, k + 1));
    expected.push_back(layer_gradient(Parameter<double>(w), x.back()));
  }
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      const Parameter<double> mine(w);
      for (int n = 0; n < 200; ++n) {
        Tape around;
        const auto v = around.variable(x[k]);
        wrong[k] += !(layer_gradient(mine, x[k]) == expected[k]);
        around.backward(sum(v));
        wrong[k] += around.gradient(v)(0, 0) != 1;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("a chain of a million ops needs no deep stack, and memory in proportion") {
  struct Chain {
    Index ops;
    double slope = 0;
    static void* run(void* p) {
      auto& c = *static_cast<Chain*>(p);
      Tape tape;
      const auto x = tape.variable(Values{1});
      auto y = x;
      for (Index k = 0; k < c.ops; ++k) y = y * 1.0;
      tape.backward(y);
      c.slope = tape.gradient(x)(0);
      return nullptr;
    }
  };
  Chain chain{1000000};
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);  // recursion would need some 100 bytes an op
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &small, Chain::run, &chain) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&small);
  CHECK(chain.slope == 1);
}

TEST_CASE("a step takes memory in proportion to its ops") {
  const auto bytes = [](Index ops) {  // the distance of two numbers of one step, `ops` ops apart
    Tape tape;
    const auto x = tape.variable(Values{1});
    for (int warm = 0; warm < 2; ++warm) {  // once the arena is one chunk
      auto y = tape.variable(Values{1});
      for (Index k = 0; k < 10000; ++k) y = y * 1.0;
      tape.backward(y);
    }
    auto y = tape.variable(Values{1}) * 1.0;
    const auto* first = y.view().data;
    for (Index k = 0; k < ops; ++k) y = y * 1.0;
    return double(reinterpret_cast<std::uintptr_t>(y.view().data) - reinterpret_cast<std::uintptr_t>(first));
  };
  CHECK(bytes(2000) == 2 * bytes(1000));
  CHECK(bytes(1000) <= 1000 * 64.0);  // a number takes one cache line
}

TEST_CASE("a training step asks the heap for nothing after warm-up") {
  const Parameter<float> w1(numbers({16, 2}).to<float>()), b1(Array<float>(Shape{16}));
  const Parameter<float> w2(numbers({3, 16}).to<float>()), b2(Array<float>(Shape{3}));
  const Array<float> x = numbers({32, 2}).to<float>();
  Array<std::int32_t> t(Shape{32});
  for (Index i = 0; i < 32; ++i) t.ref(i) = std::int32_t(i % 3);
  const Parameter<float>* all[] = {&w1, &b1, &w2, &b2};
  const auto model = [&](const Tensor<float>& v) {
    return linear(linear(v, w1, b1, &ops::joined<ops::Relu, float>), w2, b2);
  };
  const auto step = [&](Tape& tape) {
    const auto z = dropout(model(tape.input(x)), 0.1);
    tape.backward(softmax_cross_entropy(z, t) + mean(square(softmax(z, 0))) +
                  sum(matmul(z, transpose(z))) * 1e-3);
    for (const auto* p : all) p->leaf().gradient.written = false;
  };
  Tape one;
  for (int warm = 0; warm < 3; ++warm) step(one);
  CHECK(allocations([&] {
          for (int k = 0; k < 10; ++k) step(one);
        }) == 0);
  const auto step_of_its_own = [&] {  // whose state comes from the pool, and is not yet warm
    Tape each;
    step(each);
  };
  for (int warm = 0; warm < 3; ++warm) step_of_its_own();
  CHECK(allocations([&] {
          for (int k = 0; k < 10; ++k) step_of_its_own();
        }) == 0);
  float y = 0;
  const auto predict = [&] { y = model(x)(0, 0); };  // without a tape
  for (int warm = 0; warm < 3; ++warm) predict();
  CHECK(allocations([&] {
          for (int k = 0; k < 10; ++k) predict();
        }) == 0);
  CHECK(std::isfinite(y));
}

TEST_CASE("the counter of allocations counts") {
  volatile std::size_t n = 100;
  void* volatile p = nullptr;
  int* volatile q = nullptr;
  const long count = allocations([&] {
    p = std::malloc(n);
    q = new int[n];
  });
  std::free(p);
  delete[] q;
  CHECK(count == (counts_allocations ? 2 : 0));
}
