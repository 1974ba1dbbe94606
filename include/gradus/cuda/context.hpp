// SPDX-License-Identifier: MIT
// One GPU in use: its context, its stream, and what every call to it is checked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include <gradus/core/dtype.hpp>
#include <gradus/cuda/driver.hpp>

namespace gradus::cuda {

/// What a call to the driver says, in words.
inline std::string words(CUresult r) {
  const auto& driver = library<Driver>();
  const char *text = nullptr, *name = nullptr;
  driver.GetErrorString(r, &text);
  driver.GetErrorName(r, &name);
  return detail::message(text ? text : "unknown error", " (", name ? name : "?", ", ", int(r), ")");
}

/// After one of these the context is gone for good, with all memory in it.
constexpr bool is_fatal(CUresult r) {
  switch (r) {
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_EXTERNAL_DEVICE:
    case CUDA_ERROR_MPS_CLIENT_TERMINATED:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
      return true;
    default:
      return false;
  }
}

/// Why no GPU can be used, or not this one; empty: it can, or it is lost, as its first use says.
inline std::string why_not(int index) {
  try {
    const auto& driver = library<Driver>();
    const std::string no = "cuda: no usable GPU: ";
    const auto failed = [&](CUresult r) { return is_fatal(r) ? std::string() : no + words(r); };
    int version = 0, devices = 0;
    const CUresult r = driver.Init(0);
    if (r == CUDA_ERROR_STUB_LIBRARY)
      return no +
             "libcuda.so.1 is the toolkit's stub for linking, not the driver (take .../lib64/stubs out of "
             "LD_LIBRARY_PATH)";
    if (r == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)
      return no + "the kernel module and libcuda.so.1 are of two versions (reboot after the driver's update)";
    if (r != CUDA_SUCCESS && r != CUDA_ERROR_NO_DEVICE) return failed(r);
    if (const CUresult v = driver.DriverGetVersion(&version)) return failed(v);
    if (version / 1000 < CUDA_VERSION / 1000)
      return detail::message(no, "the driver supports CUDA ", version / 1000, ".", version % 1000 / 10,
                             ", this program was built for CUDA ", CUDA_VERSION / 1000,
                             ".x (update the driver)");
    if (r == CUDA_SUCCESS)
      if (const CUresult c = driver.DeviceGetCount(&devices)) return failed(c);
    if (devices == 0) {
      const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
      return no + "the driver sees no device" +
             (visible ? detail::message(" (CUDA_VISIBLE_DEVICES is \"", visible, "\")") : "");
    }
    if (devices == 1 && index > 0) return detail::message("cuda:", index, ": there is one GPU, cuda:0");
    if (index >= devices)
      return detail::message("cuda:", index, ": there are ", devices, " GPUs, cuda:0 to cuda:", devices - 1);
    library<Nvrtc>();
    library<CublasLt>();
    return {};
  } catch (const DeviceError& e) { return e.what(); }
}

/// The name of an element type in CUDA C++.
inline const char* type_name(Dtype d) {
  constexpr const char* names[] = {
      "float",     "double",        "signed char",    "short",        "int",
      "long long", "unsigned char", "unsigned short", "unsigned int", "unsigned long long",
      "bool",      "gradus_bf16"};
  detail::require<DeviceError>(d != Dtype::other,
                               "cuda: kernels work on numbers, not on a type of one's own");
  return names[int(d)];
}
/// What numbers of this type are computed in.
inline Dtype computed_in(Dtype d) { return d == Dtype::bf16 ? Dtype::f32 : d; }
inline std::size_t size_of(Dtype d) {
  constexpr std::size_t sizes[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8, sizeof(bool), 2, 0};
  return sizes[int(d)];
}

/// A number as a kernel's parameter of that type has it.
class Real {
 public:
  Real(double x, Dtype type) : size_(size_of(type)) {
    if (type == Dtype::f32)
      put(static_cast<float>(x));
    else if (type == Dtype::f64)
      put(x);
    else
      put(static_cast<std::int64_t>(x));  // of which a smaller type is the first bytes
  }
  const void* data() const { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  template <class N> void put(N n) { std::memcpy(bytes_, &n, sizeof n); }
  std::size_t size_;
  alignas(8) unsigned char bytes_[8];
};

/// Everything that is done on one GPU goes through its stream, in the order of the calls.
class Context {
 public:
  /// A step that is recorded may fork in two branches. `side`: the second one, after all that the first has got
  /// so far. `main`: the first, beside what the second has got. `both`: the first, after both.
  enum class Branch { both, main, side };
  /// Where this thread's calls go while it lives, if it records.
  class On {
   public:
    On(Context& c, Branch b) : before_(recorder().branch) {
      if (!c.recording()) return;
      if (b == Branch::side) c.fork();
      recorder().branch = b;
    }
    On(const On&) = delete;
    ~On() { recorder().branch = before_; }

   private:
    Branch before_;
  };

  explicit Context(int index) : index_(index) {
    CUdevice device;
    check(driver_.DeviceGet(&device, index), "cuDeviceGet");
    char name[256] = {};
    check(driver_.DeviceGetName(name, sizeof name - 1, device), "cuDeviceGetName");
    gpu_name_ = name;
    if (const char* tf32 = std::getenv("NVIDIA_TF32_OVERRIDE"); tf32 && *tf32 == '1')
      gpu_name_ += "; NVIDIA_TF32_OVERRIDE=1 makes cublasLt's strict float32 tf32";
    const auto attribute = [&](CUdevice_attribute a) {
      int value = 0;
      check(driver_.DeviceGetAttribute(&value, a, device), "cuDeviceGetAttribute");
      return value;
    };
    architecture_ = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                    attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    multiprocessors_ = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    // the primary context, which cublasLt uses as well
    check(driver_.DevicePrimaryCtxRetain(&context_, device), "cuDevicePrimaryCtxRetain");
    use();
    check(driver_.DeviceGetDefaultMemPool(&pool_, device), "cuDeviceGetDefaultMemPool");
    cuuint64_t keep = ~cuuint64_t(0);  // what is released stays ours, and is had again without the system
    check(driver_.MemPoolSetAttribute(pool_, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &keep),
          "cuMemPoolSetAttribute");
    check(driver_.StreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  }
  Context(const Context&) = delete;
  ~Context() { driver_.StreamDestroy(stream_); }  // of one that could not be opened as a whole: others stay

  int index() const { return index_; }
  std::string name() const { return detail::message("cuda:", index_); }
  std::string describe() const { return detail::message("cuda:", index_, " (", gpu_name_, ")"); }

  int architecture() const { return architecture_; }  ///< 90 for compute capability 9.0
  int multiprocessors() const { return multiprocessors_; }
  /// Where this thread's calls go: to the GPU, or into what it records.
  CUstream stream() {
    if (!recording()) return stream_;
    Recorder& r = recorder();
    if (r.forked && r.branch == Branch::both) {
      check(r.join(driver_), "cuStreamWaitEvent");
      r.forked = false;
    }
    return r.branch == Branch::side ? r.side : r.stream;
  }
  CUstream own_stream() const { return stream_; }
  bool is_aside() const { return recording() && recorder().branch == Branch::side; }
  bool recording() const { return recorder().of == this; }
  /// Held from a launch that writes a workspace to the one that reads it: no other thread may come between.
  std::recursive_mutex& turn() { return turn_; }
  CUmemoryPool pool() const { return pool_; }
  const Driver& driver() const { return driver_; }

  /// This thread's calls go to this GPU. Throws DeviceLost where it has failed before.
  void use() {
    if (lost_.load(std::memory_order_acquire)) [[unlikely]]
      throw DeviceLost(loss_);
    check(driver_.CtxSetCurrent(context_), "cuCtxSetCurrent");  // the user's own code may have set another
  }
  void try_to_use() noexcept { driver_.CtxSetCurrent(context_); }
  /// Throws DeviceError, or DeviceLost now and for ever after.
  void check(CUresult r, const char* call, const char* of = "") {
    if (r != CUDA_SUCCESS) [[unlikely]]
      fail(r, call, of);
  }
  /// After another library's failure, which does not say: throws DeviceLost where the GPU is gone.
  void expect_alive(const char* call) {
    CUstreamCaptureStatus status;
    check(driver_.StreamIsCapturing(stream_, &status), call);
  }
  /// Not while this thread records: nothing of it has been computed. Throws DeviceError then.
  void synchronize() {
    use();
    check(driver_.StreamSynchronize(stream()), "cuStreamSynchronize");
  }

  /// Between these two this thread's calls go to a stream of their own, and other threads go on with the GPU.
  void begin_recording() {
    use();
    Recorder r;
    try {
      check(driver_.StreamCreate(&r.stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
      check(driver_.StreamCreate(&r.side, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
      check(driver_.EventCreate(&r.event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
      check(driver_.StreamBeginCapture(r.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
            "cuStreamBeginCapture");
    } catch (const DeviceError&) {
      r.close(driver_);
      throw;
    }
    r.of = this;
    recorder() = r;
  }
  /// nullptr where there is none; *result says why.
  CUgraph end_recording(CUresult* result) {
    CUgraph graph = nullptr;
    Recorder r = std::exchange(recorder(), {});
    const CUresult joined = r.forked ? r.join(driver_) : CUDA_SUCCESS;
    *result = driver_.StreamEndCapture(r.stream, &graph);
    if (joined != CUDA_SUCCESS) *result = joined;
    r.close(driver_);
    return graph;
  }

 private:
  struct Recorder {
    const Context* of = nullptr;
    CUstream stream = nullptr, side = nullptr;
    CUevent event = nullptr;
    Branch branch = Branch::both;
    bool forked = false;  // and not joined since

    /// What comes to `to` waits for all that `from` has got.
    CUresult wait(const Driver& driver, CUstream to, CUstream from) const {
      const CUresult r = driver.EventRecord(event, from);
      return r == CUDA_SUCCESS ? driver.StreamWaitEvent(to, event, 0) : r;
    }
    CUresult join(const Driver& driver) const { return wait(driver, stream, side); }
    void close(const Driver& driver) const {
      for (const CUstream s : {stream, side})
        if (s) driver.StreamDestroy(s);
      if (event) driver.EventDestroy(event);
    }
  };
  void fork() {
    Recorder& r = recorder();
    check(r.wait(driver_, r.side, r.stream), "cuStreamWaitEvent");
    r.forked = true;
  }
  static Recorder& recorder() {
    static thread_local Recorder r;
    return r;
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail(CUresult r, const char* call, const char* of) {
    const std::string what = detail::message(name(), ": ", call, *of ? " of " : "", of, ": ", words(r));
    const std::lock_guard guard(loss_mutex_);
    if (is_fatal(r) && !lost_) {
      loss_ = what + "; the GPU and all that is in its memory are lost to this process";
      lost_.store(true, std::memory_order_release);
    }
    if (lost_) throw DeviceLost(loss_);
    if (r == CUDA_ERROR_OUT_OF_MEMORY) throw OutOfMemory(what);
    throw DeviceError(what);
  }

  const Driver& driver_ = library<Driver>();
  const int index_;
  std::string gpu_name_;
  std::mutex loss_mutex_;
  std::string loss_;  // the first words of it; written once, before lost_
  std::atomic<bool> lost_ = false;
  std::recursive_mutex turn_;
  int architecture_ = 0, multiprocessors_ = 0;
  CUcontext context_ = nullptr;
  CUmemoryPool pool_ = nullptr;
  CUstream stream_ = nullptr;
};

}  // namespace gradus::cuda
