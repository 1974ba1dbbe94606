// SPDX-License-Identifier: MIT
// The rate at which kernels move memory, beside that of a copy from the device to itself in the same minute,
// each byte that is read or written counted once: copy, kernel, copy, kernel …, and the medians' ratio.
//
// Four arrays of the largest size are gone through in pieces of the size that is measured, so that the GPU's
// cache (50 MB on an H200) has nothing of a piece when its turn comes again.
#pragma once

#include "bench/cuda/clock.hpp"
#include "bench/cuda/report.hpp"

namespace bench {

/// The arrays, and the piece of them whose turn it is.
class Pieces {
 public:
  static constexpr Index row = 1024;  // of what is reduced by rows

  Pieces(Device d, Index elements) : device(d) {
    const Index block = std::min(elements, Index(1) << 22);
    for (int k = 0; k < 4; ++k) {
      auto host = Array<float>::uninitialized(Shape{block});
      random::fill_normal(host.mutable_data(), block, random::Stream(std::uint64_t(k)));
      if (k == 3)  // Adam's second moments
        for (float& x : host.mutable_values()) x *= x;
      arrays_[k] = Array<float>(Shape{elements}, d);
      for (Index i = 0; i < elements; i += block)
        d.backend().upload(arrays_[k].mutable_data() + i, host.data(), host.bytes());
    }
    sums_ = Array<float>(Shape{elements / row}, d);
    numbers_ = Array<float>(Shape{cpu::most_numbers}, d);
    float numbers[cpu::most_numbers];
    optim::Powers powers;
    adam.numbers(1, 1, 1, powers, numbers);
    d.backend().upload(numbers_.mutable_data(), numbers, sizeof numbers);
  }

  void size(Index n) { n_ = n, at_ = 0; }
  void next() { at_ = at_ + 2 * n_ <= arrays_[0].size() ? at_ + n_ : 0; }

  Index n() const { return n_; }
  Groups rows() const { return {n_ / row, row, 1}; }
  float* data(int k) { return arrays_[k].mutable_data() + at_; }
  View<float> from(int k) { return {data(k), Shape{n_}, device}; }
  Sink<float> to(int k) { return {data(k), Shape{n_}, device}; }
  Sink<float> sums() { return {sums_.mutable_data(), Shape{n_ / row}, device}; }
  Sink<float> sum() { return {sums_.mutable_data(), Shape{}, device}; }
  const float* numbers() const { return numbers_.data(); }

  const Device device;
  const optim::Rule<float> adam = optim::Adam{};

 private:
  Array<float> arrays_[4], sums_, numbers_;
  Index n_ = 0, at_ = 0;
};

struct Kernel {
  const char* name;
  int passes;  // over a piece, reading or writing
  void (*launch)(Pieces&);
};

template <class F, class... U> constexpr const kernels::Formula& formula =
    kernels::formula<F, float, float, 0, U...>;
inline constexpr const float* no_numbers = nullptr;

inline constexpr Kernel copy_kernel = {
    "copy", 2,
    [](Pieces& p) { p.device.backend().copy(p.data(1), p.data(0), std::size_t(p.n()) * sizeof(float)); }};
inline constexpr Kernel kernels_measured[] = {
    {"relu", 2, [](Pieces& p) { kernels::map(formula<ops::Relu, float>, p.to(1), no_numbers, p.from(0)); }},
    {"sigmoid", 2,
     [](Pieces& p) { kernels::map(formula<ops::Sigmoid, float>, p.to(1), no_numbers, p.from(0)); }},
    {"add", 3,
     [](Pieces& p) {
       kernels::map(formula<ops::Add, float, float>, p.to(2), no_numbers, p.from(0), p.from(1));
     }},
    {"adam", 7,
     [](Pieces& p) {
       float* const state[cpu::most_states] = {p.data(2), p.data(3)};
       kernels::update<float>(p.adam.update(), p.device, p.data(0), p.data(1), state, p.numbers(), p.n());
     }},
    {"sum of all", 1,
     [](Pieces& p) {
       kernels::sum_all(formula<kernels::Identity, float>, p.sum(), 1.f, no_numbers, p.from(0));
     }},
    {"sums of rows", 1, [](Pieces& p) { kernels::sum(p.sums(), p.from(0), p.rows()); }},
    {"softmax of rows", 2, [](Pieces& p) { kernels::softmax<false>(p.to(1), p.from(0), p.rows()); }}};

/// Bytes a second, of as many launches as take some 20 ms.
inline double rate(const Kernel& k, Pieces& p, StreamClock& clock, bool quick) {
  const double bytes = double(k.passes) * double(p.n()) * sizeof(float);
  const int launches = quick ? 2 : int(std::clamp(20e-3 * 4e12 / bytes, 4.0, 1000.0));
  const double seconds = clock.seconds([&] {
    for (int i = 0; i < launches; ++i) k.launch(p), p.next();
  });
  return launches * bytes / seconds;
}

inline void add_kernel(Report& report, const Kernel& k, const std::string& size, Pieces& p,
                       StreamClock& clock, bool quick) {
  std::vector<double> ours, copies;
  rate(copy_kernel, p, clock, quick), rate(k, p, clock, quick);  // compiled, warm
  for (int round = quick ? 4 : 0; round < 5; ++round) {
    copies.push_back(rate(copy_kernel, p, clock, quick));
    ours.push_back(rate(k, p, clock, quick));
  }
  const double ratio = median(ours) / median(copies);
  io::Json& row =
      report.add(message(k.name, " ", size), ratio, "of a copy's rate", Bound::at_least, quick ? 0 : 0.85);
  row["GB/s"] = median(ours) * 1e-9, row["copy GB/s"] = median(copies) * 1e-9;
  const io::Json* const met = row.find("met");
  std::printf("%-24s %6.1f%% of a copy's rate: %8.1f of %8.1f GB/s  %s\n", row.at("name").string().c_str(),
              100 * ratio, row.at("GB/s").number(), row.at("copy GB/s").number(),
              met ? met->boolean() ? "met" : "MISSED" : "");
  std::fflush(stdout);
}

inline int kernel_rates(const Arguments& a) {
  const Device device(a.device);
  detail::require<DeviceError>(!device.is_cpu(), "the rates are a GPU's; the device is cpu");
  const std::vector<Index> sizes =
      a.quick ? std::vector<Index>{64, 256} : std::vector<Index>{64 << 10, 256 << 10, 1 << 20};
  Report report;
  Pieces pieces(device, sizes.back() * 1024 / Index(sizeof(float)));
  StreamClock clock(device);
  for (const Index kib : sizes) {
    const std::string size = kib < 1024      ? message(kib, " KiB")
                             : kib < 1 << 20 ? message(kib >> 10, " MiB")
                                             : message(kib >> 20, " GiB");
    pieces.size(kib * 1024 / Index(sizeof(float)));
    for (const Kernel& k : kernels_measured)
      if (a.wants(message(k.name, " ", size))) add_kernel(report, k, size, pieces, clock, a.quick);
  }
  return report.write(a.file, versions());
}

}  // namespace bench
