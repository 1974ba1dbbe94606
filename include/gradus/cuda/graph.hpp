// SPDX-License-Identifier: MIT
// Steps that the GPU repeats by itself: kernels captured into graphs, numbers that travel meanwhile.
#pragma once

#include <gradus/core/device.hpp>
#include <gradus/cuda/memory.hpp>

namespace gradus::cuda {

class Graphs final : public Repeating {
 public:
  Graphs(Context& c, Memory& m) : context_(c), memory_(m), driver_(c.driver()) {}

  void record() override { context_.begin_recording(); }
  void* finish() override {
    CUresult r;
    const CUgraph graph = context_.end_recording(&r);
    context_.check(r, "cuStreamEndCapture");
    CUgraphExec program = nullptr;
    r = driver_.GraphInstantiate(&program, graph, 0);
    driver_.GraphDestroy(graph);
    context_.check(r, "cuGraphInstantiate");
    return program;
  }
  void abandon() noexcept override {
    if (!context_.recording()) return;  // it was finish() that failed
    CUresult r;
    if (const CUgraph graph = context_.end_recording(&r)) driver_.GraphDestroy(graph);
  }
  void run(void* program) override {
    context_.use();
    const std::lock_guard guard(context_.turn());  // its kernels use the workspaces
    context_.check(driver_.GraphLaunch(static_cast<CUgraphExec>(program), context_.stream()),
                   "cuGraphLaunch");
  }
  void forget(void* program) noexcept override {
    driver_.GraphExecDestroy(static_cast<CUgraphExec>(program));
  }

  void* allocate_host(std::size_t bytes) override {
    context_.use();
    void* data = nullptr;
    const CUresult r = driver_.MemHostAlloc(&data, bytes, 0);
    if (r == CUDA_ERROR_OUT_OF_MEMORY)
      detail::fail<OutOfMemory>(context_.name(), ": out of pinned host memory: ", bytes, " bytes asked for");
    context_.check(r, "cuMemHostAlloc");
    return data;
  }
  void release_host(void* data) noexcept override { driver_.MemFreeHost(data); }
  void upload_later(void* to, const void* host, std::size_t bytes) override {
    context_.use();
    context_.check(driver_.MemcpyHtoDAsync(reinterpret_cast<CUdeviceptr>(to), host, bytes, context_.stream()),
                   "cuMemcpyHtoDAsync");
  }
  void download_later(void* host, const void* from, std::size_t bytes) override {
    context_.use();
    context_.check(
        driver_.MemcpyDtoHAsync(host, reinterpret_cast<CUdeviceptr>(from), bytes, context_.stream()),
        "cuMemcpyDtoHAsync");
  }
  void check() override { memory_.download(nullptr, nullptr, 0); }
  void* mark() override {
    context_.use();
    CUevent event = nullptr;
    context_.check(driver_.EventCreate(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    const CUresult r = driver_.EventRecord(event, context_.own_stream());  // while a step is recorded, too
    if (r != CUDA_SUCCESS) driver_.EventDestroy(event);
    context_.check(r, "cuEventRecord");
    return event;
  }
  void wait(void* mark) override {
    const CUresult r = driver_.EventSynchronize(static_cast<CUevent>(mark));
    driver_.EventDestroy(static_cast<CUevent>(mark));
    context_.check(r, "cuEventSynchronize");
  }

 private:
  Context& context_;
  Memory& memory_;
  const Driver& driver_;
};

}  // namespace gradus::cuda
