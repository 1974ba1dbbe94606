// SPDX-License-Identifier: MIT
// "cuda", "cuda:1" …: a GPU as arrays see it, and the table that kernels/ calls.
#pragma once

#include <gradus/core/device.hpp>
#include <gradus/cuda/about.hpp>
#include <gradus/cuda/gather.hpp>
#include <gradus/cuda/gemm.hpp>
#include <gradus/cuda/graph.hpp>
#include <gradus/cuda/random.hpp>
#include <gradus/cuda/softmax.hpp>
#include <gradus/cuda/update.hpp>

namespace gradus::cuda {

class CudaDevice final : public Backend, public kernels::Table {
 public:
  explicit CudaDevice(int index) : gpu_(index) {}
  Gpu& gpu() { return gpu_; }

  std::string name() const override { return gpu_.context.name(); }
  std::string describe() const override { return gpu_.context.describe(); }
  void* allocate(std::size_t bytes) override { return gpu_.memory.allocate(bytes); }
  void release(void* data, std::size_t) override { gpu_.memory.release(data); }
  void upload(void* to, const void* host, std::size_t n) override { gpu_.memory.upload(to, host, n); }
  void download(void* host, const void* from, std::size_t n) override { gpu_.memory.download(host, from, n); }
  void copy(void* to, const void* from, std::size_t n) override { gpu_.memory.copy(to, from, n); }
  void zero(void* data, std::size_t n) override { gpu_.memory.zero(data, n); }
  kernels::Table* kernels() override { return this; }
  Repeating* repeating() override { return &repeating_; }

  void map(Write f, const Target& y, Dtype type, const void* scalars, const Operand* x, int n) override {
    cuda::map(gpu_, f, y, type, scalars, x, n);
  }
  void fill(const Target& y, double value) override { cuda::fill(gpu_, y, value); }
  const void* one(Dtype type) override { return gpu_.memory.one(type); }
  void gemm(const Target& c, const Operand& a, const Operand& b, const kernels::Multiplication& p) override {
    cuda::gemm(gpu_, c, a, b, p);
  }
  void gemm_sums(const Target& c, const Target& s, const Operand& a, const Operand& b,
                 const kernels::Multiplication& p) override {
    cuda::gemm_sums(gpu_, c, s, a, b, p);
  }
  void shorten(const kernels::Shortening* arrays, int n) override { cuda::shorten(gpu_, arrays, n); }
  void sum_all(Write f, const Target& y, double scale, const void* scalars, const Operand* x,
               int n) override {
    cuda::sum_all(gpu_, f, y, scale, scalars, x, n);
  }
  void loss(Write f, Write slope, const Target& l, const Target& dx, double scale, const void* scalars,
            const Operand* x, int n) override {
    cuda::loss(gpu_, f, slope, l, dx, scale, scalars, x, n);
  }
  void sum(const Target& y, const Operand& x, Groups g, double scale) override {
    cuda::sum(gpu_, y, x, g, scale);
  }
  void extreme(const Target& y, const Operand& x, Groups g, bool largest) override {
    cuda::extreme(gpu_, y, x, g, largest);
  }
  void extreme_slope(const Target& dx, const Operand& x, const Operand& y, const Operand& dy,
                     Groups g) override {
    cuda::extreme_slope(gpu_, dx, x, y, dy, g);
  }
  void extreme_place(const Target& y, const Operand& x, Groups g, bool largest) override {
    cuda::extreme_place(gpu_, y, x, g, largest);
  }
  void logsumexp(const Target& y, const Operand& x, Groups g) override { cuda::logsumexp(gpu_, y, x, g); }
  void softmax(const Target& y, const Operand& x, Groups g, bool logarithm) override {
    cuda::softmax(gpu_, y, x, g, logarithm);
  }
  void softmax_slope(const Target& dx, const Operand& y, const Operand& dy, Groups g,
                     bool logarithm) override {
    cuda::softmax_slope(gpu_, dx, y, dy, g, logarithm);
  }
  void softmax_cross_entropy(const Target& y, const Target& kept, const Operand& z, const Operand& t,
                             double smoothing) override {
    cuda::softmax_cross_entropy(gpu_, y, kept, z, t, smoothing);
  }
  void softmax_cross_entropy_slope(const Target& dz, const Operand& z, const Operand& kept, const Operand& t,
                                   const Operand& dy, double smoothing) override {
    cuda::softmax_cross_entropy_slope(gpu_, dz, z, kept, t, dy, smoothing);
  }
  void softmax_cross_entropy_sum(const Target& l, const Target& dz, const Operand& z, const Operand& t,
                                 double smoothing, double scale) override {
    cuda::softmax_cross_entropy_sum(gpu_, l, dz, z, t, smoothing, scale);
  }
  void gather(const Target& y, const Operand& x, Groups g, const Operand& rows) override {
    cuda::gather(gpu_, y, x, g, rows);
  }
  void gather_rows(const RowLookup* arrays, int n, const Operand& rows) override {
    cuda::gather_rows(gpu_, arrays, n, rows);
  }
  void scatter_add(const Target& dx, const Operand& dy, Groups g, const Operand& rows) override {
    cuda::scatter_add(gpu_, dx, dy, g, rows);
  }
  void slice(const Target& y, const Operand& x, Groups g, Index m, Index first, Index step) override {
    cuda::slice(gpu_, y, x, g, m, first, step);
  }
  void place(const Target& y, const Operand& x, Groups g, Index m, Index first, Index step) override {
    cuda::place(gpu_, y, x, g, m, first, step);
  }
  void permute(const Target& y, const Operand& x, const std::array<int, Shape::max_rank>& order) override {
    cuda::permute(gpu_, y, x, order);
  }
  void one_hot(const Target& y, const Operand& labels) override { cuda::one_hot(gpu_, y, labels); }
  void dropout(const Target& y, const Operand& x, double p, const random::Stream& s,
               const random::Draw& d) override {
    cuda::dropout(gpu_, y, x, p, s, d);
  }
  void update(Write rule, Dtype type, void* w, const void* g, void* const* state, const void* numbers,
              Index n, const kernels::Watch& watch) override {
    cuda::update(gpu_, rule, type, w, g, state, numbers, n, watch);
  }

 private:
  Gpu gpu_;
  Graphs repeating_{gpu_.context, gpu_.memory};
};

/// Opened at its first use, and never closed: arrays of static storage duration may outlive all else.
inline CudaDevice& device(int index) {
  static std::mutex mutex;
  static std::vector<CudaDevice*>& open = *new std::vector<CudaDevice*>;
  const std::lock_guard guard(mutex);
  if (std::size_t(index) >= open.size()) open.resize(std::size_t(index) + 1);
  auto*& d = open[std::size_t(index)];
  if (!d) d = new CudaDevice(index);
  return *d;
}

/// The stream of all that gradus does on a GPU, for kernels of your own: in it they run in the order of the
/// calls, with array.data() and array.mutable_data() as addresses. CUstream is cudaStream_t. Throws
/// DeviceError.
inline CUstream stream(Device d) {
  auto* const gpu = d.is_cpu() ? nullptr : dynamic_cast<CudaDevice*>(&d.backend());
  detail::require<DeviceError>(gpu, "cuda::stream: ", d.name(), " has none; a GPU has");
  gpu->gpu().context.use();
  return gpu->gpu().context.stream();
}

/// What adds "cuda" to a program: including gradus/cuda.hpp.
inline DeviceKind kind{"cuda", &why_not, [](int index) -> Backend& { return device(index); }, &about};

}  // namespace gradus::cuda
