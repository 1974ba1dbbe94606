// SPDX-License-Identifier: MIT
// cuDNN by its backend API, which is C: operations on matrices are described, it offers plans to execute them
// all in one kernel, and one of these is executed. (Its C++ frontend takes half a minute to compile.)
#pragma once

#include <cstdint>
#include <cudnn.h>
#include <deque>
#include <utility>
#include <vector>

#include <gradus/cuda.hpp>

#define GRADUS_BENCH_CUDNN(F) \
  F(GetVersion)               \
  F(GetErrorString)           \
  F(GetLastErrorString)       \
  F(Create)                   \
  F(SetStream)                \
  F(BackendCreateDescriptor)  \
  F(BackendDestroyDescriptor) \
  F(BackendSetAttribute)      \
  F(BackendGetAttribute)      \
  F(BackendFinalize)          \
  F(BackendExecute)           \
  F(CreateTensorDescriptor)   \
  F(SetTensor4dDescriptor)    \
  F(DestroyTensorDescriptor)  \
  F(SoftmaxForward)           \
  F(SoftmaxBackward)

namespace bench {

using namespace gradus;

/// What the trial needs of cuDNN; opened as the library opens its own.
struct Cudnn {
#define GRADUS_BENCH_MEMBER(f) decltype(&::cudnn##f) f = nullptr;
  GRADUS_BENCH_CUDNN(GRADUS_BENCH_MEMBER)
#undef GRADUS_BENCH_MEMBER
  static std::string file() { return detail::message("libcudnn.so.", CUDNN_MAJOR); }
  static std::string remedy() { return "it is optional"; }
  template <class F> void each(const F& slot) {
#define GRADUS_BENCH_SLOT(f) slot("cudnn" #f, f);
    GRADUS_BENCH_CUDNN(GRADUS_BENCH_SLOT)
#undef GRADUS_BENCH_SLOT
  }
};

inline const Cudnn& cudnn() { return cuda::library<Cudnn>(); }

inline void check(cudnnStatus_t r, const char* call) {
  if (r == CUDNN_STATUS_SUCCESS) return;
  char more[1024] = {};
  cudnn().GetLastErrorString(more, sizeof more - 1);
  detail::fail<DeviceError>(call, ": ", cudnn().GetErrorString(r), *more ? ": " : "", more);
}

/// cuDNN on a GPU, opened at its first use, in gradus' own stream.
class CudnnHandle {
 public:
  explicit CudnnHandle(Device d) : device_(d) {}
  CudnnHandle(const CudnnHandle&) = delete;  // nor destroyed: it is the program's
  Device device() const { return device_; }
  /// For one call: the stream is a recording's while there is one.
  cudnnHandle_t now() {
    const CUstream stream = cuda::stream(device_);  // and its context is this thread's
    if (!handle_) check(cudnn().Create(&handle_), "cudnnCreate");
    check(cudnn().SetStream(handle_, stream), "cudnnSetStream");
    return handle_;
  }

 private:
  const Device device_;
  cudnnHandle_t handle_ = nullptr;
};

/// B rows of C numbers, for the functions that are older than the backend API.
struct CudnnRows {
  cudnnTensorDescriptor_t handle = nullptr;

  CudnnRows(Index B, Index C) {
    check(cudnn().CreateTensorDescriptor(&handle), "cudnnCreateTensorDescriptor");
    check(cudnn().SetTensor4dDescriptor(handle, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, int(B), int(C), 1, 1),
          "cudnnSetTensor4dDescriptor");
  }
  CudnnRows(const CudnnRows&) = delete;
  ~CudnnRows() { cudnn().DestroyTensorDescriptor(handle); }
};

/// One of the backend's descriptors: made, told its attributes, finished.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnn().BackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor");
  }
  Descriptor(Descriptor&& d) noexcept : handle_(std::exchange(d.handle_, nullptr)) {}
  ~Descriptor() {
    if (handle_) cudnn().BackendDestroyDescriptor(handle_);
  }
  cudnnBackendDescriptor_t handle() const { return handle_; }

  using Name = cudnnBackendAttributeName_t;
  using Type = cudnnBackendAttributeType_t;
  template <class V> Descriptor& set(Name what, Type type, const std::vector<V>& values) {
    check(cudnn().BackendSetAttribute(handle_, what, type, std::int64_t(values.size()), values.data()),
          "cudnnBackendSetAttribute");
    return *this;
  }
  template <class V> Descriptor& set(Name what, Type type, V value) {
    check(cudnn().BackendSetAttribute(handle_, what, type, 1, &value), "cudnnBackendSetAttribute");
    return *this;
  }
  Descriptor& set(Name what, cudnnDataType_t type) { return set(what, CUDNN_TYPE_DATA_TYPE, type); }
  Descriptor& set(Name what, const Descriptor& part) {
    return set(what, CUDNN_TYPE_BACKEND_DESCRIPTOR, part.handle_);
  }
  /// Into `to`, which has room for so many; how many there are.
  std::int64_t get(Name what, Type type, std::int64_t room, void* to) const {
    std::int64_t count = 0;
    check(cudnn().BackendGetAttribute(handle_, what, type, room, &count, to), "cudnnBackendGetAttribute");
    return count;
  }
  bool try_finish() { return cudnn().BackendFinalize(handle_) == CUDNN_STATUS_SUCCESS; }
  Descriptor& finish() {
    check(cudnn().BackendFinalize(handle_), "cudnnBackendFinalize");
    return *this;
  }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

/// One way to execute a graph.
class CudnnPlan {
 public:
  CudnnPlan(CudnnHandle& on, Descriptor engine, Descriptor plan, const std::vector<std::int64_t>& ids,
            const std::vector<void*>& data)
      : on_(on), engine_(std::move(engine)), plan_(std::move(plan)) {
    std::int64_t bytes = 0;
    plan_.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
    workspace_ = Array<std::uint8_t>(Shape{bytes}, on.device());
    arguments_.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
             static_cast<void*>(workspace_.mutable_data()))
        .finish();
  }
  void operator()() const {
    check(cudnn().BackendExecute(on_.now(), plan_.handle(), arguments_.handle()), "cudnnBackendExecute");
  }

 private:
  CudnnHandle& on_;
  Descriptor engine_, plan_, arguments_{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
  Array<std::uint8_t> workspace_;
};

/// Operations on row-major matrices, to be executed together. Those in memory are of one type, float32 or
/// bfloat16; what lies between them is float32, and never in memory.
class Graph {
 public:
  struct Matrix {
    Index rows, columns;
    const Descriptor& descriptor;
  };

  explicit Graph(cudnnDataType_t type) : type_(type) {}

  Matrix input(const void* data, Index rows, Index columns) {
    return matrix(data, rows, columns, columns, 1);
  }
  /// The transpose of what is in memory.
  Matrix transposed_input(const void* data, Index rows, Index columns) {
    return matrix(data, columns, rows, 1, columns);
  }
  /// A · B. Factors of float32 are rounded to TF32.
  Matrix product(const Matrix& a, const Matrix& b) {
    const Matrix c = between(a.rows, b.columns);
    const Descriptor& how =
        keep(Descriptor(CUDNN_BACKEND_MATMUL_DESCRIPTOR).set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT));
    operations_.push_back(keep(Descriptor(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)
                                   .set(CUDNN_ATTR_OPERATION_MATMUL_DESC, how)
                                   .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a.descriptor)
                                   .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b.descriptor)
                                   .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c.descriptor))
                              .handle());
    return c;
  }
  /// f(x), or f(x, b), of each element; b may be one row for all.
  Matrix map(cudnnPointwiseMode_t f, const Matrix& x, const Matrix* b = nullptr) {
    return map(f, x, b, between(x.rows, x.columns));
  }
  void map_to(void* y, cudnnPointwiseMode_t f, const Matrix& x, const Matrix* b = nullptr) {
    map(f, x, b, input(y, x.rows, x.columns));
  }

  /// What cuDNN offers, what it thinks the best first.
  std::vector<CudnnPlan> plans(CudnnHandle& on, std::size_t most) {
    const cudnnHandle_t handle = on.now();
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR), advice(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, handle)
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations_)
        .finish();
    advice.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A)
        .finish();
    constexpr auto results = CUDNN_ATTR_ENGINEHEUR_RESULTS;
    constexpr auto descriptors = CUDNN_TYPE_BACKEND_DESCRIPTOR;
    std::vector<Descriptor> engines;
    std::vector<cudnnBackendDescriptor_t> room;
    for (auto n = advice.get(results, descriptors, 0, nullptr); n > 0; --n)
      room.push_back(engines.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).handle());
    const auto found = std::size_t(advice.get(results, descriptors, std::int64_t(room.size()), room.data()));
    std::vector<CudnnPlan> plans;
    for (std::size_t i = 0; i < found && plans.size() < most; ++i) {
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, handle)
          .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engines[i]);
      if (plan.try_finish()) plans.emplace_back(on, std::move(engines[i]), std::move(plan), ids_, data_);
    }
    detail::require<DeviceError>(!plans.empty(), "cuDNN has no plan for it (", found, " were proposed)");
    return plans;
  }

 private:
  /// Without data: an intermediate result.
  Matrix matrix(const void* data, Index rows, Index columns, Index row, Index column) {
    const auto id = std::int64_t(parts_.size());
    if (data) ids_.push_back(id), data_.push_back(const_cast<void*>(data));
    const Descriptor& d = keep(
        Descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
            .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
            .set(CUDNN_ATTR_TENSOR_DATA_TYPE, data ? type_ : CUDNN_DATA_FLOAT)
            .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, std::int64_t(16))
            .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, !data)
            .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, std::vector<std::int64_t>{1, rows, columns})
            .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
                 std::vector<std::int64_t>{rows * columns, row, column}));
    return {rows, columns, d};
  }
  Matrix between(Index rows, Index columns) { return matrix(nullptr, rows, columns, columns, 1); }
  Matrix map(cudnnPointwiseMode_t f, const Matrix& x, const Matrix* b, const Matrix& y) {
    const Descriptor& how = keep(Descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
                                     .set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, f)
                                     .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT));
    Descriptor d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x.descriptor)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y.descriptor);
    if (b) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b->descriptor);
    operations_.push_back(keep(d).handle());
    return y;
  }
  const Descriptor& keep(Descriptor& d) { return parts_.emplace_back(std::move(d.finish())); }

  const cudnnDataType_t type_;
  std::deque<Descriptor> parts_;  // what is told of a descriptor must outlive the plan's making
  std::vector<cudnnBackendDescriptor_t> operations_;
  std::vector<std::int64_t> ids_;  // of what is in memory
  std::vector<void*> data_;
};

}  // namespace bench
