// SPDX-License-Identifier: MIT
// One training step through the public API, its tape recorded anew each time, beside the same step written by
// hand: with Eigen's arrays and products, and as one fused kernel on its packets, the floor. Compare medians of
// one run with --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <gradus/gradus.hpp>

#include "bench/train/hand_fused.hpp"
#include "bench/train/hand_written.hpp"

using namespace gradus;

namespace {

constexpr Index batch = 32;

struct Data {
  Array<float> x, t;
  explicit Data(Index inputs) : x(Shape{batch, inputs}), t(Shape{batch, 1}) {
    random::fill_normal(x.mutable_data(), x.size(), random::Stream(1));
    for (Index i = 0; i < batch; ++i) t.ref(i, 0) = x(i, 0) * x(i, 1) > 0 ? 1.f : 0.f;
  }
};

void gradus_step(benchmark::State& state) {
  const Index inputs = state.range(0), hidden = state.range(1);
  set_threads(1);
  const Data data(inputs);
  nn::Sequential model{nn::Dense{inputs, hidden}, nn::Relu{}, nn::Dense{hidden, 1}};
  optim::Optimizer<float> adam(model, optim::Adam{.learning_rate = 1e-2});
  Tape tape;
  for (auto _ : state) {
    const auto loss = binary_cross_entropy(model(tape.input(data.x)), tape.input(data.t));
    tape.backward(loss);
    adam.step();
    benchmark::DoNotOptimize(loss.item());
  }
}

template <class Hand> void hand_step(benchmark::State& state) {
  const Index inputs = state.range(0), hidden = state.range(1);
  const Data data(inputs);
  nn::Sequential model{nn::Dense{inputs, hidden}, nn::Relu{}, nn::Dense{hidden, 1}};
  Hand hand{int(inputs), int(hidden), int(batch)};
  std::copy(data.x.begin(), data.x.end(), hand.x.data());
  std::copy(data.t.begin(), data.t.end(), hand.t.data());
  const auto p = model.named_parameters();
  for (Index h = 0; h < hidden; ++h) {  // [out, in] becomes [in, out]
    for (Index i = 0; i < inputs; ++i) hand.w(i * hidden + h) = p[0].value()(h, i);
    hand.w(inputs * hidden + h) = p[1].value()(h);
    hand.w(inputs * hidden + hidden + h) = p[2].value()(0, h);
  }
  hand.w(hand.n - 1) = p[3].value()(0);
  for (auto _ : state) benchmark::DoNotOptimize(hand.step(1e-2f));
}

void by_hand_step(benchmark::State& state) { hand_step<bench::HandWritten>(state); }

void fused_by_hand_step(benchmark::State& state) { hand_step<bench::HandFused>(state); }

/// fit() itself, shuffling and gathering included: time for one step of an epoch of 1,024 rows.
void fit_step(benchmark::State& state) {
  const Index inputs = state.range(0), hidden = state.range(1), rows = 1024;
  set_threads(1);
  auto x = Array<float>(Shape{rows, inputs}), t = Array<float>(Shape{rows, 1});
  random::fill_normal(x.mutable_data(), x.size(), random::Stream(1));
  for (Index i = 0; i < rows; ++i) t.ref(i, 0) = x(i, 0) * x(i, 1) > 0 ? 1.f : 0.f;
  const data::Dataset<float> data(x, t);
  nn::Sequential model{nn::Dense{inputs, hidden}, nn::Relu{}, nn::Dense{hidden, 1}, nn::Sigmoid{}};
  const int epochs = 200;
  for (auto _ : state)
    fit(model, data,
        {.loss = "binary_cross_entropy",
         .optimizer = optim::Adam{.learning_rate = 1e-2},
         .epochs = epochs,
         .batch_size = batch,
         .device = "cpu",
         .verbose = Verbose::silent});
  state.counters["s/step"] =
      benchmark::Counter(double(epochs * rows / batch),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

BENCHMARK(gradus_step)->Args({2, 16})->Args({30, 64});
BENCHMARK(by_hand_step)->Args({2, 16})->Args({30, 64});
BENCHMARK(fused_by_hand_step)->Args({2, 16})->Args({30, 64});
BENCHMARK(fit_step)->Args({2, 16})->Args({30, 64})->Unit(benchmark::kMillisecond);
