// SPDX-License-Identifier: MIT
// As much of an emulated cuDNN as bench/cuda/cudnn.hpp asks of the real one. A graph is executed as it is
// described, by loops over the strides that its tensors have; so what is described is what a test sees.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "bench/cuda/cudnn_graph.hpp"
#include "tests/support/emulator/cublaslt.hpp"

namespace gradus::test::emulator {

/// How it behaves. Of the two engines that it proposes for a graph, the first one never has a plan.
struct CudnnSettings {
  bool has_plans = true, adds_one = false;
};
inline CudnnSettings cudnn_settings;

struct CudnnTensor {
  std::int64_t id, rows, columns, row, column;  // the last two: how far apart they are
  bool in_memory;
  cudaDataType_t type;

  std::size_t bytes() const { return (place(rows - 1, columns - 1) + 1) * bytes_of(type); }
  std::size_t place(std::int64_t i, std::int64_t j) const { return std::size_t(i * row + j * column); }
};
/// y = A · B, or f(x) or f(x, b) of each element.
struct CudnnOperation {
  std::optional<cudnnPointwiseMode_t> f;
  CudnnTensor x, y;
  std::optional<CudnnTensor> b;
};

struct CudnnDescriptor {
  cudnnBackendDescriptorType_t type;
  bool finished = false;
  std::map<int, std::vector<std::byte>> attributes = {};
  std::vector<CudnnOperation> operations = {};  // a plan's own

  template <class V> std::vector<V> all(int name) const {
    std::vector<V> values(attributes.at(name).size() / sizeof(V));
    std::memcpy(values.data(), attributes.at(name).data(), values.size() * sizeof(V));
    return values;
  }
  template <class V> V one(int name) const { return all<V>(name).at(0); }
  const CudnnDescriptor& part(int name) const { return *one<const CudnnDescriptor*>(name); }

  CudnnTensor tensor(int name) const {
    const CudnnDescriptor& t = part(name);
    const auto sizes = t.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
               steps = t.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
    return {t.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID),
            sizes.at(1),
            sizes.at(2),
            steps.at(1),
            steps.at(2),
            t.one<std::byte>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) == std::byte(0),
            t.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_BFLOAT16 ? CUDA_R_16BF
                                                                                       : CUDA_R_32F};
  }
  CudnnOperation operation() const {
    if (type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)
      return {{},
              tensor(CUDNN_ATTR_OPERATION_MATMUL_ADESC),
              tensor(CUDNN_ATTR_OPERATION_MATMUL_CDESC),
              tensor(CUDNN_ATTR_OPERATION_MATMUL_BDESC)};
    CudnnOperation o{part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
                         .one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE),
                     tensor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC),
                     tensor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC),
                     {}};
    if (attributes.count(CUDNN_ATTR_OPERATION_POINTWISE_BDESC))
      o.b = tensor(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    return o;
  }
};

/// A plan at work: y of every operation, in their order.
struct CudnnRun {
  std::vector<CudnnOperation> operations;
  std::map<std::int64_t, void*> memory;
  bool adds_one;
  int device = 0;
  std::map<std::int64_t, std::vector<float>> values = {};  // row-major

  void run() {
    for (const CudnnOperation& o : operations) {
      if (!read(o.x) || (o.b && !read(*o.b))) return;
      auto& y = values[o.y.id];
      y.resize(std::size_t(o.y.rows * o.y.columns));
      for (std::int64_t i = 0; i < o.y.rows; ++i)
        for (std::int64_t j = 0; j < o.y.columns; ++j) {
          y[std::size_t(i * o.y.columns + j)] = o.f ? mapped(o, i, j) : product(o, i, j);
        }
      if (o.y.in_memory && !write(o.y)) return;
    }
  }

 private:
  float at(const CudnnTensor& t, std::int64_t i, std::int64_t j) const {
    return values.at(t.id)[std::size_t((t.rows == 1 ? 0 : i) * t.columns + j)];
  }
  float product(const CudnnOperation& o, std::int64_t i, std::int64_t j) const {
    float sum = 0;
    for (std::int64_t k = 0; k < o.x.columns; ++k)
      sum += round_mantissa(at(o.x, i, k), 10) * round_mantissa(at(*o.b, k, j), 10);
    return sum;
  }
  float mapped(const CudnnOperation& o, std::int64_t i, std::int64_t j) const {
    const float x = at(o.x, i, j), b = o.b ? at(*o.b, i, j) : 0;
    switch (*o.f) {
      case CUDNN_POINTWISE_ADD:
        return x + b;
      case CUDNN_POINTWISE_SUB:
        return x - b;
      case CUDNN_POINTWISE_MUL:
        return x * b;
      case CUDNN_POINTWISE_SIGMOID_FWD:
        return 1 / (1 + std::exp(-x));
      default:
        found("cuDNN: the emulator does not know this pointwise operation");
        return NAN;
    }
  }
  bool read(const CudnnTensor& t) {
    if (!t.in_memory) return values.count(t.id) || (found("cuDNN: an operation comes too early"), false);
    const void* const from = memory.at(t.id);
    if (!touch_range("cudnnBackendExecute", from, t.bytes(), emulator_reads, device)) return false;
    auto& x = values[t.id];
    x.clear();
    for (std::int64_t i = 0; i < t.rows; ++i)
      for (std::int64_t j = 0; j < t.columns; ++j) x.push_back(load<float>(from, t.place(i, j), t.type));
    return true;
  }
  bool write(const CudnnTensor& t) const {
    void* const to = memory.at(t.id);
    if (!touch_range("cudnnBackendExecute", to, t.bytes(), emulator_writes, device)) return false;
    for (std::int64_t i = 0; i < t.rows; ++i)
      for (std::int64_t j = 0; j < t.columns; ++j)
        store(to, t.place(i, j), t.type, at(t, i, j) + (adds_one ? 1.f : 0.f));
    return true;
  }
};

struct EmulatedCudnn {
  using Handle = cudnnBackendDescriptor_t;
  static constexpr auto good = CUDNN_STATUS_SUCCESS, bad = CUDNN_STATUS_BAD_PARAM;
  static inline CUstream stream = nullptr;
  static inline std::set<Handle> descriptors;
  static inline Index softmax_rows = 0, softmax_columns = 0;

  static CudnnDescriptor& of(Handle d) { return *static_cast<CudnnDescriptor*>(d); }

  static cudnnStatus_t make(cudnnBackendDescriptorType_t type, Handle* d) {
    descriptors.insert(*d = new CudnnDescriptor{type});
    return good;
  }
  static cudnnStatus_t destroy(Handle d) {
    delete &of(d);
    return descriptors.erase(d) ? good : bad;
  }
  static cudnnStatus_t set(Handle d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                           std::int64_t count, const void* values) {
    const bool words = type == CUDNN_TYPE_HANDLE || type == CUDNN_TYPE_INT64 || type == CUDNN_TYPE_VOID_PTR ||
                       type == CUDNN_TYPE_BACKEND_DESCRIPTOR;
    const auto* const bytes = static_cast<const std::byte*>(values);
    const std::size_t size = words ? 8 : type == CUDNN_TYPE_BOOLEAN ? 1 : 4;
    for (std::int64_t i = 0; i < count && type == CUDNN_TYPE_BACKEND_DESCRIPTOR; ++i)
      if (const Handle part = static_cast<const Handle*>(values)[i]; !descriptors.count(part))
        return bad;
      else if (!of(part).finished)
        return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    of(d).attributes[name].assign(bytes, bytes + std::size_t(count) * size);
    return of(d).finished ? bad : good;
  }
  static cudnnStatus_t get(Handle d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t,
                           std::int64_t room, std::int64_t* count, void* to) {
    if (!of(d).finished) return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) {
      *count = 1, *static_cast<std::int64_t*>(to) = 256;
      return good;
    }
    *count = 2;  // CUDNN_ATTR_ENGINEHEUR_RESULTS
    for (std::int64_t i = 0; i < std::min(room, *count); ++i) {
      CudnnDescriptor& engine = of(static_cast<Handle*>(to)[i]);
      engine.attributes = of(d).attributes, engine.finished = true;
      engine.attributes[CUDNN_ATTR_ENGINE_GLOBAL_INDEX] = {std::byte(i)};
    }
    return good;
  }
  static cudnnStatus_t finish(Handle handle) {
    CudnnDescriptor& d = of(handle);
    d.finished = true;
    if (d.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) return good;
    const CudnnDescriptor& engine = d.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    const CudnnDescriptor& graph = engine.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    for (const auto* o : graph.all<const CudnnDescriptor*>(CUDNN_ATTR_OPERATIONGRAPH_OPS))
      d.operations.push_back(o->operation());
    d.finished =
        cudnn_settings.has_plans && engine.one<std::byte>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX) == std::byte(1);
    return d.finished ? good : CUDNN_STATUS_NOT_SUPPORTED;
  }
  /// Into the stream. Its work owns what it needs.
  template <class F> static cudnnStatus_t launch(const char* name, F work) {
    const std::lock_guard lock(machine());
    Stream* s = nullptr;
    if (stream_of(stream, name, &s)) return CUDNN_STATUS_EXECUTION_FAILED;
    push(*s, name, [work, device = s->device]() mutable { work(device); });
    return good;
  }
  static cudnnStatus_t execute(cudnnHandle_t, Handle plan, Handle arguments) {
    const CudnnDescriptor &p = of(plan), &a = of(arguments);
    if (!p.finished || !a.finished) return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    CudnnRun run{p.operations, {}, cudnn_settings.adds_one};
    const auto data = a.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    for (std::size_t i = 0; i < data.size(); ++i)
      run.memory[a.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).at(i)] = data[i];
    void* const workspace = a.one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    return launch("cudnnBackendExecute", [run, workspace](int device) mutable {
      run.device = device;
      if (touch_range("cudnnBackendExecute, workspace", workspace, 256, emulator_writes, device)) run.run();
    });
  }

  static cudnnStatus_t rows(cudnnTensorDescriptor_t, cudnnTensorFormat_t, cudnnDataType_t, int n, int c,
                            int h, int w) {
    softmax_rows = n, softmax_columns = Index(c) * h * w;
    return good;
  }
  static Groups softmax_groups() { return {softmax_rows, softmax_columns, 1}; }
  static bool touch(const void* p, emulator_kind kind, int device) {
    const auto bytes = std::size_t(softmax_rows * softmax_columns) * sizeof(float);
    return touch_range("cudnnSoftmax", p, bytes, kind, device);
  }
  static cudnnStatus_t softmax(cudnnHandle_t, cudnnSoftmaxAlgorithm_t, cudnnSoftmaxMode_t, const void*,
                               cudnnTensorDescriptor_t, const void* x, const void*, cudnnTensorDescriptor_t,
                               void* y) {
    return launch("cudnnSoftmaxForward", [x, y](int device) {
      const Groups g = softmax_groups();
      const Shape shape{g.outer, g.n};
      if (touch(x, emulator_reads, device) && touch(y, emulator_writes, device))
        kernels::softmax<false, float>({static_cast<float*>(y), shape, {}, nullptr},
                                       {static_cast<const float*>(x), shape, {}}, g);
    });
  }
  static cudnnStatus_t softmax_slope(cudnnHandle_t, cudnnSoftmaxAlgorithm_t, cudnnSoftmaxMode_t, const void*,
                                     cudnnTensorDescriptor_t, const void* y, cudnnTensorDescriptor_t,
                                     const void* dy, const void*, cudnnTensorDescriptor_t, void* dx) {
    return launch("cudnnSoftmaxBackward", [y, dy, dx](int device) {
      const Groups g = softmax_groups();
      const Shape shape{g.outer, g.n};
      if (touch(y, emulator_reads, device) && touch(dy, emulator_reads, device) &&
          touch(dx, emulator_writes, device))
        kernels::softmax_slope<false, float>({static_cast<float*>(dx), shape, {}, nullptr},
                                             {static_cast<const float*>(y), shape, {}},
                                             {static_cast<const float*>(dy), shape, {}}, g);
    });
  }

  static void install() {
    static bench::Cudnn t;
    cuda::stand_in<bench::Cudnn> = &t;
    t.GetVersion = [] { return std::size_t(CUDNN_VERSION); };
    t.GetErrorString = [](cudnnStatus_t s) { return s == bad ? "CUDNN_STATUS_BAD_PARAM" : "another error"; };
    t.GetLastErrorString = [](char* to, std::size_t n) { std::snprintf(to, n, "said by the emulator"); };
    t.Create = [](cudnnHandle_t* handle) {
      *handle = reinterpret_cast<cudnnHandle_t>(&stream);
      return good;
    };
    t.SetStream = [](cudnnHandle_t, cudaStream_t s) { return stream = s, good; };
    t.BackendCreateDescriptor = make, t.BackendDestroyDescriptor = destroy;
    t.BackendSetAttribute = set, t.BackendGetAttribute = get;
    t.BackendFinalize = finish, t.BackendExecute = execute;
    t.CreateTensorDescriptor = [](cudnnTensorDescriptor_t*) { return good; };
    t.DestroyTensorDescriptor = [](cudnnTensorDescriptor_t) { return good; };
    t.SetTensor4dDescriptor = rows, t.SoftmaxForward = softmax, t.SoftmaxBackward = softmax_slope;
  }
};

}  // namespace gradus::test::emulator
