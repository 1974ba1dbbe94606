// SPDX-License-Identifier: MIT
// Whether cuDNN is worth having for sigmoid nets: a layer forward, the slope of the one below backward, and
// softmax, each by the library's kernels and by cuDNN, which does what comes after a product in the product's
// own kernel. Results are compared, then both are timed in turn. Nothing is wanted of the ratio: it decides.
//
// Both are recorded and repeated by the GPU itself, as the steps of fit() are, so that what the host pays for
// a call does not count. In bf16 all numbers are bfloat16 in memory, as gradus has them between dense layers.
// Small arrays lie in the GPU's cache, as a layer's do that has just been computed.
#pragma once

#include <bit>
#include <chrono>
#include <functional>
#include <memory>

#include "bench/cuda/clock.hpp"
#include "bench/cuda/cudnn_graph.hpp"
#include "bench/cuda/nets.hpp"

namespace bench {

using Work = std::function<void()>;

/// A piece of work, a number of times over, without the host.
class Recorded {
 public:
  static constexpr int times = 16;

  Recorded(Device d, const Work& work) : repeating_(*d.backend().repeating()) {
    repeating_.record();
    try {
      for (int i = 0; i < times; ++i) work();
      program_ = repeating_.finish();
    } catch (...) {
      repeating_.abandon();
      throw;
    }
  }
  Recorded(const Recorded&) = delete;
  ~Recorded() { repeating_.forget(program_); }

  /// Of the work once, in as many as take some 20 ms.
  double microseconds(StreamClock& clock, bool quick) const {
    const auto seconds = [&](int runs) {
      return clock.seconds([&] {
        for (int i = 0; i < runs; ++i) repeating_.run(program_);
      });
    };
    const double once = seconds(1);
    const int runs = quick ? 1 : int(std::clamp(20e-3 / once, 1.0, 1000.0));
    return 1e6 * seconds(runs) / (runs * times);
  }

 private:
  Repeating& repeating_;
  void* program_ = nullptr;
};

/// Numbers on a GPU: float32, or bfloat16, of which two lie in the place of one.
struct Numbers {
  Array<float> array;
  bool is_short;

  Numbers(Index n, bool as_short, Device d)
      : array(Shape{as_short ? (n + 1) / 2 : n}, d), is_short(as_short) {}
  Numbers(const Array<float>& from, bool as_short) : Numbers(from.size(), as_short, from.device()) {
    const kernels::Shortening rounded{from.data(), data(), from.size()};
    if (is_short)
      kernels::shorten(from.device(), &rounded, 1);
    else
      array = from;
  }
  float* data() { return array.mutable_data(); }
  void zero() { array.device().backend().zero(data(), array.bytes()); }
  std::vector<float> values() const {
    const Array<float> here = array.to(Device());
    if (!is_short) return {here.data(), here.data() + here.size()};
    std::vector<float> all(2 * std::size_t(here.size()));
    for (std::size_t i = 0; i < all.size(); i += 2) {
      const auto two = std::bit_cast<std::uint32_t>(here.data()[i / 2]);
      all[i] = std::bit_cast<float>(two << 16), all[i + 1] = std::bit_cast<float>(two & 0xffff0000u);
    }
    return all;
  }
};

/// One result by two ways. cuDNN's may be several, of which the quickest counts.
struct Trial {
  std::string name;
  double bound;  // of the largest difference, relative to the largest number
  Numbers &result, &theirs;
  Work ours;
  std::function<std::vector<Work>()> cudnn;
};

inline double largest_difference(const std::vector<float>& ours, const std::vector<float>& theirs) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double d = std::abs(double(theirs[i]) - ours[i]);
    difference = std::max(difference, std::isnan(d) ? HUGE_VAL : d);
    largest = std::max(largest, double(std::abs(ours[i])));
  }
  return difference / largest;
}

/// What has come of cuDNN's ways.
struct Rival {
  std::unique_ptr<Recorded> best;
  std::string skipped, refused;
  std::size_t plans = 0;
  double milliseconds_a_plan = 0, difference = 0;
};

inline Rival best_rival(const Trial& t, Device d, StreamClock& clock, bool quick) {
  using Clock = std::chrono::steady_clock;
  Rival rival;
  const std::vector<float> expected = t.result.values();
  double least = HUGE_VAL;
  try {
    const auto start = Clock::now();
    const std::vector<Work> ways = t.cudnn();
    rival.plans = ways.size();
    rival.milliseconds_a_plan =
        std::chrono::duration<double, std::milli>(Clock::now() - start).count() / double(ways.size());
    for (const Work& way : ways) {
      t.theirs.zero();
      way();
      const double difference = largest_difference(expected, t.theirs.values());
      if (!(difference <= t.bound)) {
        rival.refused = message("its result is up to ", difference, " from ours, relatively; at most ",
                                t.bound, " is agreement");
        continue;
      }
      auto recorded = std::make_unique<Recorded>(d, way);
      if (const double us = recorded->microseconds(clock, quick); us < least) {
        least = us;
        rival.best = std::move(recorded), rival.difference = difference;
      }
    }
  } catch (const DeviceLost&) { throw; } catch (const DeviceError& e) {
    rival.skipped = e.what();
  }
  return rival;
}

/// A row of ours, and one of cuDNN's where there is something to compare.
inline void add_trial(Report& report, const Trial& t, Device d, StreamClock& clock, bool quick) {
  t.ours();  // compiled, planned
  const Rival rival = best_rival(t, d, clock, quick);
  const Recorded recorded(d, t.ours);
  std::vector<double> ours, theirs;
  for (int round = quick ? 4 : 0; round < 5; ++round) {
    ours.push_back(recorded.microseconds(clock, quick));
    if (rival.best) theirs.push_back(rival.best->microseconds(clock, quick));
  }
  io::Json& row = report.add(t.name, median(ours), "µs", Bound::at_most, 0);
  if (!rival.skipped.empty()) row["skipped"]["cuDNN"] = rival.skipped;
  if (!rival.refused.empty()) row["refused"]["cuDNN"] = rival.refused, report.miss();
  std::printf("%-34s %9.2f us", t.name.c_str(), median(ours));
  if (rival.best) {
    const double ratio = median(theirs) / median(ours);
    io::Json& other = report.add(t.name + ", cuDNN", ratio, "of ours", Bound::at_most, 0);
    other["µs"] = median(theirs), other["difference"] = rival.difference;
    other["plans"] = rival.plans, other["ms a plan"] = rival.milliseconds_a_plan;
    std::printf("   cuDNN %9.2f us, %.3f of ours", median(theirs), ratio);
  }
  std::printf("%s%s\n", rival.skipped.empty() ? "" : ("   cuDNN skipped: " + rival.skipped).c_str(),
              rival.refused.empty() ? "" : ("   cuDNN refused: " + rival.refused).c_str());
  std::fflush(stdout);
}

/// Plans to be called, which stay where they are.
inline std::vector<Work> works(const std::vector<CudnnPlan>& plans) {
  std::vector<Work> all;
  for (const CudnnPlan& plan : plans) all.emplace_back(std::cref(plan));
  return all;
}

/// y = σ(x·Wᵀ + b), and dx = (dz·W) · y (1 − y), the dz of the layer below; B rows, N columns each.
inline void add_layers(Report& report, CudnnHandle& cudnn, StreamClock& clock, Index N, Index B, Precision p,
                       const Arguments& a) {
  using kernels::Op;
  constexpr std::size_t most_plans = 4;  // each takes the better part of a second to compile
  const Device d = cudnn.device();
  const bool bf16 = p == Precision::bf16;
  const auto type = bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
  const double bound = bf16 ? 2e-2 : 5e-3;
  const std::string size = message(N, " b", B, bf16 ? " bf16" : " tf32");
  const kernels::Activation<float>* const sigmoid = &ops::joined<ops::Sigmoid, float>;
  const kernels::Product<float> product{B, N, N, 1, false, false, bf16, bf16};
  Numbers x(normal({B, N}, 1).to(d), bf16), b(normal({N}, 3).to(d), bf16), y(B * N, bf16, d);
  Numbers w(normal({N, N}, 2, 1 / std::sqrt(float(N))).to(d), bf16), dx(B * N, bf16, d),
      theirs(B * N, bf16, d);
  const View<float> rows{x.data(), {B, N}, d}, weights{w.data(), {N, N}, d};
  std::vector<CudnnPlan> plans;
  const auto offered = [&](Graph& g) {
    plans = g.plans(cudnn, most_plans);
    std::vector<Work> all;
    for (const CudnnPlan& plan : plans) all.emplace_back(std::cref(plan));
    return all;
  };
  const Trial forward{message("sigmoid layer ", size),
                      bound,
                      y,
                      theirs,
                      [&] {
                        const PrecisionScope scope(p);
                        kernels::gemm<float>({y.data(), {B, N}, d}, rows, Op::none, weights, Op::transpose,
                                             product, {b.data(), sigmoid});
                      },
                      [&] {
                        Graph g(type);
                        const auto bias = g.input(b.data(), 1, N);
                        const auto z = g.product(g.input(x.data(), B, N), g.transposed_input(w.data(), N, N));
                        g.map_to(theirs.data(), CUDNN_POINTWISE_SIGMOID_FWD,
                                 g.map(CUDNN_POINTWISE_ADD, z, &bias));
                        return offered(g);
                      }};
  const Trial backward{message("sigmoid slope ", size),
                       bound,
                       dx,
                       theirs,
                       [&] {
                         const PrecisionScope scope(p);
                         kernels::gemm<float>({dx.data(), {B, N}, d}, rows, Op::none, weights, Op::none,
                                              product, {nullptr, sigmoid, y.data()});
                       },
                       [&] {
                         Graph g(type);
                         const auto dy = g.product(g.input(x.data(), B, N), g.input(w.data(), N, N));
                         const auto at = g.input(y.data(), B, N),
                                    square = g.map(CUDNN_POINTWISE_MUL, at, &at),
                                    slope = g.map(CUDNN_POINTWISE_SUB, at, &square);
                         g.map_to(theirs.data(), CUDNN_POINTWISE_MUL, dy, &slope);
                         return offered(g);
                       }};
  forward.ours();  // backward reads y
  for (const Trial* t : {&forward, &backward})
    if (a.wants(t->name)) add_trial(report, *t, d, clock, a.quick);
}

/// Softmax of B rows of C numbers, and its slope. cuDNN has functions for these, older than its graphs.
inline void add_softmax(Report& report, CudnnHandle& on, StreamClock& clock, Index C, Index B,
                        const Arguments& a) {
  const Device d = on.device();
  const Groups rows{B, C, 1};
  const Shape shape{B, C};
  const Array<float> x = normal(shape, 1).to(d), dy = normal(shape, 2).to(d);
  Numbers y(B * C, false, d), dx(B * C, false, d), theirs(B * C, false, d);
  static constexpr float one = 1, zero = 0;
  constexpr auto how = CUDNN_SOFTMAX_ACCURATE;
  constexpr auto along = CUDNN_SOFTMAX_MODE_INSTANCE;
  const Trial forward{message("softmax ", C, " b", B),
                      1e-5,
                      y,
                      theirs,
                      [&] {
                        kernels::softmax<false, float>({y.data(), shape, d}, x.view(), rows);
                      },
                      [&] {
                        return std::vector<Work>{[&, r = std::make_shared<CudnnRows>(B, C)] {
                          check(cudnn().SoftmaxForward(on.now(), how, along, &one, r->handle, x.data(), &zero,
                                                       r->handle, theirs.data()),
                                "cudnnSoftmaxForward");
                        }};
                      }};
  const Trial backward{
      message("softmax slope ", C, " b", B),
      1e-5,
      dx,
      theirs,
      [&] {
        kernels::softmax_slope<false, float>({dx.data(), shape, d}, {y.data(), shape, d}, dy.view(), rows);
      },
      [&] {
        return std::vector<Work>{[&, r = std::make_shared<CudnnRows>(B, C)] {
          check(cudnn().SoftmaxBackward(on.now(), how, along, &one, r->handle, y.data(), r->handle, dy.data(),
                                        &zero, r->handle, theirs.data()),
                "cudnnSoftmaxBackward");
        }};
      }};
  forward.ours();  // backward reads y
  for (const Trial* t : {&forward, &backward})
    if (a.wants(t->name)) add_trial(report, *t, d, clock, a.quick);
}

inline int cudnn_trial(const Arguments& a) {
  const Device device(a.device);
  detail::require<DeviceError>(!device.is_cpu(), "the trial is a GPU's; the device is cpu");
  struct Size {
    Index columns, batch;
  };
  const std::vector<Size> layers = a.quick ? std::vector<Size>{{64, 16}}  // no less: goes to cublasLt
                                           : std::vector<Size>{{512, 256},   {512, 8192},  {1024, 1024},
                                                               {2048, 1024}, {2048, 8192}, {4096, 8192}},
                          rows = a.quick ? std::vector<Size>{{10, 16}}
                                         : std::vector<Size>{{10, 8192}, {1024, 1024}, {4096, 8192}};
  Report report;
  CudnnHandle cudnn(device);
  StreamClock clock(device);
  for (const Size& s : layers)
    for (const Precision p : {Precision::tf32, Precision::bf16})
      add_layers(report, cudnn, clock, s.columns, s.batch, p, a);
  for (const Size& s : rows) add_softmax(report, cudnn, clock, s.columns, s.batch, a);
  return report.write(a.file, versions());
}

}  // namespace bench
