// SPDX-License-Identifier: MIT
// A GPU's memory: had and given back in the order of the stream, from a pool that keeps what it has.
#pragma once

#include <gradus/cuda/context.hpp>
#include <gradus/fwd.hpp>

namespace gradus::cuda {

/// What kernels complain of: a bad index is met on the device and reported at the next download. The first
/// bad place (in its upper half, the index in its lower) and the number of rows that there are.
struct Complaint {
  unsigned long long first = ~0ull;
  long long bound = 0;
};
enum class By { take, one_hot, softmax_cross_entropy, count };

class Memory {
 public:
  explicit Memory(Context& c) : Memory(&c) {  // from here on the destructor runs
    fixed_ = static_cast<Fixed*>(allocate(sizeof(Fixed)));
    static constexpr Fixed first;
    upload(fixed_, &first, sizeof first);
  }
  Memory(const Memory&) = delete;
  ~Memory() {
    for (void* memory : {static_cast<void*>(fixed_), workspaces_[0].data, workspaces_[1].data})
      if (memory) release(memory);
  }

  /// At least 256-byte aligned. Throws OutOfMemory, after which nothing has changed.
  void* allocate(std::size_t bytes) {
    context_.use();
    detail::require<DeviceError>(!context_.recording(), context_.name(),
                                 ": memory is asked for while a step is recorded");
    CUdeviceptr data = 0;
    const std::size_t some = bytes ? bytes : 1;  // an address even for nothing
    CUresult r = driver_.MemAllocAsync(&data, some, context_.stream());
    if (r == CUDA_ERROR_OUT_OF_MEMORY) {  // what the pool keeps may be in pieces that are too small
      context_.synchronize();
      context_.check(driver_.MemPoolTrimTo(context_.pool(), 0), "cuMemPoolTrimTo");
      r = driver_.MemAllocAsync(&data, some, context_.stream());
    }
    if (r == CUDA_ERROR_OUT_OF_MEMORY) fail_full(bytes);
    context_.check(r, "cuMemAllocAsync");
    return reinterpret_cast<void*>(data);
  }
  /// At the program's end the driver may be gone before the last array: then there is nothing to give back.
  void release(void* data) noexcept {
    context_.try_to_use();
    driver_.MemFreeAsync(address(data), context_.own_stream());  // a recorded step frees nothing
  }

  void upload(void* to, const void* host, std::size_t bytes) {
    context_.use();
    detail::require<DeviceError>(!context_.recording(), context_.name(),
                                 ": numbers come from the host while a step is being recorded");
    context_.check(driver_.MemcpyHtoDAsync(address(to), host, bytes, context_.stream()), "cuMemcpyHtoDAsync");
  }
  /// Waits for everything before it. Throws IndexError where a kernel has met a bad index since the last one.
  void download(void* host, const void* from, std::size_t bytes) {
    context_.use();
    if (bytes)
      context_.check(driver_.MemcpyDtoHAsync(host, address(from), bytes, context_.stream()),
                     "cuMemcpyDtoHAsync");
    Complaint found[std::size(nothing_)];
    context_.check(driver_.MemcpyDtoHAsync(found, address(complaint(By{})), sizeof found, context_.stream()),
                   "cuMemcpyDtoHAsync");
    context_.synchronize();
    for (std::size_t k = 0; k < std::size(found); ++k)
      if (found[k].first != nothing_[k].first) complain(static_cast<By>(k), found[k]);
  }
  void copy(void* to, const void* from, std::size_t bytes) {
    context_.use();
    context_.check(driver_.MemcpyDtoDAsync(address(to), address(from), bytes, context_.stream()),
                   "cuMemcpyDtoDAsync");
  }
  void zero(void* data, std::size_t bytes) {
    context_.use();
    if (bytes)
      context_.check(driver_.MemsetD8Async(address(data), 0, bytes, context_.stream()), "cuMemsetD8Async");
  }

  /// Memory for a kernel's partial results: the next one that asks for this slot may overwrite it, in the
  /// stream's order. Whoever asks holds the context's turn() until the last launch that uses it. What has been
  /// handed out stays: recorded steps keep its address.
  void* workspace(int slot, std::size_t bytes) {
    Workspace& w = workspaces_[slot];
    if (bytes > w.bytes) {
      w.data = allocate(2 * bytes);
      w.bytes = 2 * bytes;
    }
    return w.data;
  }
  void* complaint(By who) const { return &fixed_->complaints[int(who)]; }
  /// 0 between kernels: of blocks that have come to the end.
  void* counter() const { return &fixed_->counter; }
  const void* one(Dtype type) const {
    if (type == Dtype::f64) return &fixed_->one_f64;
    return &fixed_->one_f32;
  }

 private:
  explicit Memory(Context* c) : context_(*c), driver_(c->driver()) {}
  static CUdeviceptr address(const void* p) { return reinterpret_cast<CUdeviceptr>(p); }

  [[noreturn]] void fail_full(std::size_t bytes) {
    std::size_t free = 0, total = 0;
    context_.check(driver_.MemGetInfo(&free, &total), "cuMemGetInfo");
    constexpr std::size_t mib = 1 << 20;
    detail::fail<OutOfMemory>(context_.name(), ": out of memory: ", (bytes + mib - 1) / mib,
                              " MiB asked for, ", free / mib, " of ", total / mib,
                              " MiB free (a smaller batch needs less)");
  }
  [[noreturn]] void complain(By who, const Complaint& c) {
    upload(complaint(who), nothing_ + int(who), sizeof c);
    constexpr const char* names[] = {"take: index ", "one_hot: label ", "softmax_cross_entropy: label "};
    detail::fail<IndexError>(names[int(who)], int(static_cast<unsigned>(c.first)), " at place ",
                             c.first >> 32, " is outside 0 to ", c.bound - 1);
  }

  Context& context_;
  const Driver& driver_;
  static constexpr Complaint nothing_[int(By::count)] = {};
  /// What lies on the device as long as it is open.
  struct Fixed {
    Complaint complaints[int(By::count)];
    unsigned counter = 0;
    float one_f32 = 1;
    double one_f64 = 1;
  };
  Fixed* fixed_ = nullptr;
  struct Workspace {
    void* data = nullptr;
    std::size_t bytes = 0;
  } workspaces_[2];
};

}  // namespace gradus::cuda
