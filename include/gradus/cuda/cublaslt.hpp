// SPDX-License-Identifier: MIT
// Large products by cublasLt. It counts rows down columns: row-major C is its Cᵀ = op(B)ᵀ · op(A)ᵀ, and so
// nothing is transposed, and the bias of C's columns is the bias of its rows that it offers.
#pragma once

#include <memory>
#include <unordered_map>

#include <gradus/cuda/expression.hpp>
#include <gradus/cuda/memory.hpp>
#include <gradus/kernels/table.hpp>

namespace gradus::cuda {

using kernels::Operand;
using kernels::Target;

/// What another library than the driver says of a call. Throws OutOfMemory, DeviceLost or DeviceError.
inline void check(Context& context, cublasStatus_t r, const char* call) {
  if (r == CUBLAS_STATUS_SUCCESS) [[likely]]
    return;
  context.expect_alive(call);
  const std::string what =
      detail::message(context.name(), ": ", call, ": ", library<CublasLt>().GetStatusString(r));
  if (r == CUBLAS_STATUS_ALLOC_FAILED) throw OutOfMemory(what);
  throw DeviceError(what);
}

/// One of cublasLt's own objects, or none.
template <class Handle, auto destroy> struct Described {
  Handle handle = nullptr;
  Described() = default;
  Described(const Described&) = delete;
  ~Described() {
    if (handle) (library<CublasLt>().*destroy)(handle);
  }
};

/// A product's descriptors and the algorithm chosen for them, found once for each shape.
class Plan {
 public:
  struct Key {
    Index M, N, K, batch, step_a, step_b;
    Dtype result, factor;
    Precision precision;
    cublasLtEpilogue_t epilogue;
    bool transpose_a, transpose_b, add;
    unsigned alignment_a, alignment_b, alignment_c;
    bool operator==(const Key&) const = default;
  };

  Plan(Context& context, cublasLtHandle_t handle, const Key& k, std::size_t workspace, const void* vector,
       const void* signs)
      : context_(context) {
    const cudaDataType_t factor = type_of(k.factor), result = type_of(k.result);
    const cudaDataType_t scale = k.result == Dtype::f64 ? CUDA_R_64F : CUDA_R_32F;
    check(lt_.MatmulDescCreate(&product_.handle, compute_type(k), scale), "cublasLtMatmulDescCreate");
    set(CUBLASLT_MATMUL_DESC_TRANSA, k.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, k.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, k.epilogue);
    point(vector, signs);
    if (signs) set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, std::int64_t(kernels::Signs::bytes(1, k.N) * 8));
    layout(b_, factor, k.transpose_b ? k.K : k.N, k.transpose_b ? k.N : k.K, k.batch, k.step_b);
    layout(a_, factor, k.transpose_a ? k.M : k.K, k.transpose_a ? k.K : k.M, k.batch, k.step_a);
    layout(c_, result, k.N, k.M, k.batch, k.M * k.N);
    choose(handle, k, workspace);
  }
  Plan(const Plan&) = delete;

  bool usable() const { return usable_; }  ///< false: cublasLt has no algorithm for this shape

  /// `vector`: what the epilogue reads, the bias, or writes, the sums.
  void run(cublasLtHandle_t handle, const Target& c, const void* a, const void* b, const void* vector,
           const void* signs, void* workspace, std::size_t bytes, CUstream stream) {
    point(vector, signs);
    const Dtype scale = c.type == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    const Real one(1, scale), beta(c.add ? 1 : 0, scale);
    check(lt_.Matmul(handle, product_.handle, one.data(), b, b_.handle, a, a_.handle, beta.data(), c.data,
                     c_.handle, c.data, c_.handle, &algorithm_, workspace, bytes, stream),
          "cublasLtMatmul");
  }

 private:
  using Product = Described<cublasLtMatmulDesc_t, &CublasLt::MatmulDescDestroy>;
  using Layout = Described<cublasLtMatrixLayout_t, &CublasLt::MatrixLayoutDestroy>;
  using Preference = Described<cublasLtMatmulPreference_t, &CublasLt::MatmulPreferenceDestroy>;

  static cudaDataType_t type_of(Dtype d) {
    return d == Dtype::f64 ? CUDA_R_64F : d == Dtype::bf16 ? CUDA_R_16BF : CUDA_R_32F;
  }
  /// The fast ones round factors of float32 on their way to the tensor cores.
  static cublasComputeType_t compute_type(const Key& k) {
    if (k.factor == Dtype::f64) return CUBLAS_COMPUTE_64F;
    if (k.factor == Dtype::bf16) return CUBLAS_COMPUTE_32F;
    return k.precision == Precision::tf32   ? CUBLAS_COMPUTE_32F_FAST_TF32
           : k.precision == Precision::bf16 ? CUBLAS_COMPUTE_32F_FAST_16BF
                                            : CUBLAS_COMPUTE_32F;
  }
  void check(cublasStatus_t r, const char* call) const { cuda::check(context_, r, call); }
  template <class V> void set(cublasLtMatmulDescAttributes_t what, const V& value) {
    check(lt_.MatmulDescSetAttribute(product_.handle, what, &value, sizeof value),
          "cublasLtMatmulDescSetAttribute");
  }
  /// The heuristic looks at the addresses too.
  void point(const void* vector, const void* signs) {
    if (vector) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, vector);
    if (signs) set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, signs);
  }
  void layout(Layout& to, cudaDataType_t type, Index rows, Index columns, Index batch, Index step) {
    check(lt_.MatrixLayoutCreate(&to.handle, type, std::uint64_t(rows), std::uint64_t(columns), rows),
          "cublasLtMatrixLayoutCreate");
    const auto count = static_cast<std::int32_t>(batch);
    const std::int64_t stride = step;
    check(lt_.MatrixLayoutSetAttribute(to.handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
          "cublasLtMatrixLayoutSetAttribute");
    check(lt_.MatrixLayoutSetAttribute(to.handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                       sizeof stride),
          "cublasLtMatrixLayoutSetAttribute");
  }
  void choose(cublasLtHandle_t handle, const Key& k, std::size_t workspace) {
    Preference wish;
    check(lt_.MatmulPreferenceCreate(&wish.handle), "cublasLtMatmulPreferenceCreate");
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t what, auto value) {
      check(lt_.MatmulPreferenceSetAttribute(wish.handle, what, &value, sizeof value),
            "cublasLtMatmulPreferenceSetAttribute");
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(workspace));
    // parts of a sum are added in one order: the same bits each time
    prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t(k.alignment_b));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, std::uint32_t(k.alignment_a));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, std::uint32_t(k.alignment_c));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, std::uint32_t(k.alignment_c));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t r = lt_.MatmulAlgoGetHeuristic(handle, product_.handle, b_.handle, a_.handle,
                                                        c_.handle, c_.handle, wish.handle, 1, &found, &count);
    usable_ = r == CUBLAS_STATUS_SUCCESS && count == 1 && found.state == CUBLAS_STATUS_SUCCESS;
    algorithm_ = found.algo;
    if (r != CUBLAS_STATUS_SUCCESS && r != CUBLAS_STATUS_NOT_SUPPORTED && r != CUBLAS_STATUS_INVALID_VALUE)
      check(r, "cublasLtMatmulAlgoGetHeuristic");
  }

  Context& context_;
  const CublasLt& lt_ = library<CublasLt>();
  Product product_;
  Layout a_, b_, c_;
  cublasLtMatmulAlgo_t algorithm_{};
  bool usable_ = false;
};

/// What a product by cublasLt has come to.
enum class Done { nothing, product, all };  // `product`: C + bias, without what else was to be done to it

/// The products of one GPU.
class Products {
 public:
  Products(Context& c, Memory& m) : context_(c), memory_(m) {}

  /// C (+)= op(A) · op(B), and what is done to it; `sums` (or nullptr) are assigned the sums over each row of
  /// op(A). `nothing`: too small, or cublasLt has no algorithm for it.
  Done run(const Target& c, const Operand& a, const Operand& b, const kernels::Multiplication& p,
           void* sums) {
    if (!kernels::is_large(p.M, p.N, p.K)) return Done::nothing;
    if ((c.type != Dtype::f32 && c.type != Dtype::f64 && c.type != Dtype::bf16) || !is_aligned(p.bias, 16))
      return Done::nothing;
    const std::lock_guard guard(context_.turn());  // plans hold addresses, and all share a workspace
    context_.use();
    if (!handle_) open();
    const bool whole = !sums && !p.activation;
    if (sums && is_aligned(sums, 16) && run(c, a, b, p, CUBLASLT_EPILOGUE_BGRADB, sums, nullptr))
      return Done::all;
    if (p.activation && is_relu(p.activation) && run_relu(c, a, b, p)) return Done::all;
    const auto plain = p.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    return !run(c, a, b, p, plain, p.bias, nullptr) ? Done::nothing : whole ? Done::all : Done::product;
  }

 private:
  /// y = ReLU(C + bias), its signs noted where that is wanted and can be had; or C where y is above 0.
  bool run_relu(const Target& c, const Operand& a, const Operand& b, const kernels::Multiplication& p) {
    if (p.slope)
      return p.signs && p.signs->noted && run(c, a, b, p, CUBLASLT_EPILOGUE_DRELU, nullptr, p.signs->bits);
    const auto with = p.bias ? CUBLASLT_EPILOGUE_RELU_AUX_BIAS : CUBLASLT_EPILOGUE_RELU_AUX;
    if (p.signs && p.signs->bits) {
      p.signs->noted = run(c, a, b, p, with, p.bias, p.signs->bits);
      if (p.signs->noted) return true;
    }
    const auto without = p.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    return run(c, a, b, p, without, p.bias, nullptr);
  }
  bool run(const Target& c, const Operand& a, const Operand& b, const kernels::Multiplication& p,
           cublasLtEpilogue_t epilogue, const void* vector, void* signs) {
    const Plan::Key key{p.M,
                        p.N,
                        p.K,
                        p.batch,
                        p.one_a ? 0 : p.M * p.K,
                        p.one_b ? 0 : p.K * p.N,
                        c.type,
                        a.type,
                        p.precision,
                        epilogue,
                        p.transpose_a,
                        p.transpose_b,
                        c.add,
                        alignment(a.data),
                        alignment(b.data),
                        alignment(c.data)};
    auto& plan = plans_[key];
    if (!plan) plan = std::make_unique<Plan>(context_, handle_, key, workspace_bytes, vector, signs);
    if (plan->usable())
      plan->run(handle_, c, a.data, b.data, vector, signs, workspace(), workspace_bytes, context_.stream());
    return plan->usable();
  }
  /// Asked once for each formula: to write it down takes longer than to launch a product.
  bool is_relu(symbolic::Write write) {
    const auto found = relu_.find(write);
    return found != relu_.end() ? found->second : (relu_[write] = cuda::is_relu(write));
  }

  struct Hash {
    std::size_t operator()(const Plan::Key& k) const {
      std::size_t h = 0;
      for (const auto part :
           {k.M, k.N, k.K, k.batch, k.step_a, k.step_b, Index(k.result), Index(k.factor), Index(k.precision),
            Index(k.epilogue), Index(k.transpose_a), Index(k.transpose_b), Index(k.add), Index(k.alignment_a),
            Index(k.alignment_b), Index(k.alignment_c)})
        h = (h ^ std::size_t(part)) * 0x9e3779b97f4a7c15 >> 3;
      return h;
    }
  };
  static bool is_aligned(const void* p, std::uintptr_t to) {
    return reinterpret_cast<std::uintptr_t>(p) % to == 0;
  }
  /// What is true of the address, up to the 256 bytes that more does not help.
  static unsigned alignment(const void* p) {
    unsigned to = 256;
    while (!is_aligned(p, to)) to /= 2;
    return to;
  }
  void open() {
    if (!workspace_) workspace_ = memory_.allocate(2 * workspace_bytes);
    check(context_, library<CublasLt>().Create(&handle_), "cublasLtCreate");
  }

  /// Two branches of a recorded step need one each.
  void* workspace() const {
    return static_cast<char*>(workspace_) + (context_.is_aside() ? workspace_bytes : 0);
  }

  static constexpr std::size_t workspace_bytes = std::size_t(32) << 20;  // what Hopper's algorithms ask for

  Context& context_;
  Memory& memory_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::unordered_map<Plan::Key, std::unique_ptr<Plan>, Hash> plans_;
  std::unordered_map<symbolic::Write, bool> relu_;
};

}  // namespace gradus::cuda
