// SPDX-License-Identifier: MIT
// The emulator is judged here: correct kernels give right values and no report, planted mistakes each their
// report.
#include "tests/support/emulator/emulator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tests/cuda/environment.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/emulator/planted.hpp"
#include "tests/support/emulator/rig.hpp"

namespace emulator = gradus::test::emulator;
using emulator::Order;
using emulator::Rig;

namespace {

std::vector<float> waves(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<float>(i) * 0.7f);
  return x;
}

/// All that was reported, a line each.
std::string reported() {
  std::string all;
  for (const std::string& r : emulator::reports()) all += r + "\n";
  return all;
}

const char* const pointwise = R"(
extern "C" __global__ void __launch_bounds__(256)
pointwise(float* __restrict__ y, const float* __restrict__ x, long long n) {
  const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = first; i < n / 4; i += step) {
    const float4 v = reinterpret_cast<const float4*>(x)[i];
    reinterpret_cast<float4*>(y)[i] = make_float4(expf(v.x), expf(v.y), expf(v.z), expf(v.w));
  }
  for (long long i = n / 4 * 4 + first; i < n; i += step) y[i] = expf(x[i]);
})";

const char* const row_sum = R"(
__device__ __forceinline__ float warp_sum(float s) {
  for (int d = 16; d > 0; d /= 2) s += __shfl_down_sync(0xffffffffu, s, d);
  return s;
}
extern "C" __global__ void __launch_bounds__(256) row_sum(float* y, const float* x, int N) {
  __shared__ float warps[8];
  const float* const row = x + (long long)blockIdx.x * N;
  float s = 0;
  for (int i = threadIdx.x; i < N; i += blockDim.x) s += row[i];
  s = warp_sum(s);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = s;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  s = warp_sum(threadIdx.x < 8 ? warps[threadIdx.x] : 0.0f);
  if (threadIdx.x == 0) y[blockIdx.x] = s;
})";

const char* const gemm = R"(
extern "C" __global__ void __launch_bounds__(256)
gemm(float* C, const float* A, const float* B, int M, int N, int K) {
  __shared__ float a[16][17], b[16][17];
  const int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
  float c = 0;
  for (int k0 = 0; k0 < K; k0 += 16) {
    a[ty][tx] = row < M && k0 + tx < K ? A[row * K + k0 + tx] : 0.0f;
    b[ty][tx] = k0 + ty < K && col < N ? B[(k0 + ty) * N + col] : 0.0f;
    __syncthreads();
    for (int k = 0; k < 16; ++k) c += a[ty][k] * b[k][tx];
    __syncthreads();
  }
  if (row < M && col < N) C[row * N + col] = c;
})";

const char* const histogram = R"(
extern "C" __global__ void histogram(unsigned* counts, const unsigned char* x, int n, int bins) {
  GRADUS_DYNAMIC_SHARED(unsigned, local);
  for (int i = threadIdx.x; i < bins; i += blockDim.x) local[i] = 0;
  __syncthreads();
  const int first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
  for (int i = first; i < n; i += step) atomicAdd(&local[x[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < bins; i += blockDim.x) atomicAdd(&counts[i], local[i]);
})";

// The last block adds what the others have left: one launch for a whole sum.
const char* const column_sum = R"(
extern "C" __global__ void __launch_bounds__(256) column_sum(float* y, float* partial, unsigned* arrived,
                                                             const float* x, int M, int N) {
  __shared__ bool last;
  for (int c = threadIdx.x; c < N; c += blockDim.x) {
    float s = 0;
    for (int r = blockIdx.x; r < M; r += gridDim.x) s += x[r * N + c];
    partial[blockIdx.x * N + c] = s;
  }
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(arrived, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  for (int c = threadIdx.x; c < N; c += blockDim.x) {
    float s = 0;
    for (int b = 0; b < gridDim.x; ++b) s += partial[b * N + c];
    y[c] = s;
  }
  if (threadIdx.x == 0) *arrived = 0;
})";

}  // namespace

TEST_CASE("Every function of the tables is emulated") {
  emulator::install();
  const auto is_filled = [](const char* name, auto function) {
    INFO(name);
    CHECK(function != nullptr);
  };
  auto driver = gradus::cuda::library<gradus::cuda::Driver>();
  auto nvrtc = gradus::cuda::library<gradus::cuda::Nvrtc>();
  auto cublaslt = gradus::cuda::library<gradus::cuda::CublasLt>();
  driver.each(is_filled), nvrtc.each(is_filled), cublaslt.each(is_filled);
}

TEST_CASE("Correct kernels give right values and no report, in any order of threads and blocks") {
  const bool checks = GENERATE(true, false);
  const Order order = GENERATE(Order::forward, Order::reverse, Order::shuffled);
  Rig rig;
  emulator::settings().checks = checks, emulator::settings().order = order;
  CAPTURE(checks, static_cast<int>(order));

  SECTION("pointwise, four at a time") {
    const long long n = 1003;
    float *const y = rig.empty<float>(1003), *const x = rig.full(waves(1003));
    rig.launch(rig.kernel(pointwise, "pointwise"), {2}, {256}, 0, rig.stream, y, x, n);
    const auto got = rig.read(y, 1003), in = waves(1003);
    for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == std::exp(in[i]));
  }
  SECTION("sums of rows, by shuffles and shared memory") {
    const int rows = 5, N = 777;
    float *const y = rig.empty<float>(5), *const x = rig.full(waves(5 * 777));
    rig.launch(rig.kernel(row_sum, "row_sum"), {rows}, {256}, 0, rig.stream, y, x, N);
    const auto got = rig.read(y, 5), in = waves(5 * 777);
    for (int r = 0; r < rows; ++r)
      CHECK(got[std::size_t(r)] ==
            Approx(std::accumulate(in.begin() + r * N, in.begin() + (r + 1) * N, 0.0)).margin(1e-4));
  }
  SECTION("a product, by tiles") {
    const int M = 33, N = 19, K = 45;
    float *const C = rig.empty<float>(33 * 19), *const A = rig.full(waves(33 * 45)),
                 *const B = rig.full(waves(45 * 19));
    rig.launch(rig.kernel(gemm, "gemm"), {2, 3}, {16, 16}, 0, rig.stream, C, A, B, M, N, K);
    const auto got = rig.read(C, 33 * 19), a = waves(33 * 45), b = waves(45 * 19);
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < N; ++j) {
        float sum = 0;
        for (int k = 0; k < K; ++k) sum += a[std::size_t(i * K + k)] * b[std::size_t(k * N + j)];
        REQUIRE(got[std::size_t(i * N + j)] == Approx(sum).margin(1e-5));
      }
  }
  SECTION("a histogram, by dynamic shared memory and atomics") {
    const int n = 3001, bins = 250;
    std::vector<unsigned char> in(3001);
    std::vector<unsigned> expected(250, 0), zeros(250, 0);
    for (std::size_t i = 0; i < in.size(); ++i) ++expected[in[i] = static_cast<unsigned char>(i * 37 % 250)];
    unsigned* const counts = rig.full(zeros);
    unsigned char* const x = rig.full(in);
    rig.launch(rig.kernel(histogram, "histogram"), {3}, {100}, 1000, rig.stream, counts, x, n, bins);
    CHECK(rig.read(counts, 250) == expected);
  }
  SECTION("sums of columns, finished by the block that comes last") {
    const int M = 61, N = 37;
    float *const y = rig.empty<float>(37), *const partial = rig.empty<float>(7 * 37),
                 *const x = rig.full(waves(61 * 37));
    unsigned* const arrived = rig.full(std::vector<unsigned>{0});
    const CUkernel k = rig.kernel(column_sum, "column_sum");
    for (int twice = 0; twice < 2; ++twice)
      rig.launch(k, {7}, {64}, 0, rig.stream, y, partial, arrived, x, M, N);
    const auto got = rig.read(y, 37), in = waves(61 * 37);
    for (int c = 0; c < N; ++c) {
      float sum = 0;
      for (int r = 0; r < M; ++r) sum += in[std::size_t(r * N + c)];
      CHECK(got[std::size_t(c)] == Approx(sum).margin(1e-5));
    }
    CHECK(emulator::launched() == std::vector<std::string>{"column_sum", "column_sum"});
  }
  CHECK(reported() == "");
}

TEST_CASE("Words of CUDA C++ mean what they mean there") {
  Rig rig;
  const char* const text = R"(
template <class T> __device__ T first(T v) { __shared__ T s[4]; s[0] = v; __syncthreads(); return s[0]; }
struct Two { double d; int i; };
extern "C" __global__ void words(double* y, Two two, char c, long long n) {
  const unsigned lane = threadIdx.x;
  const double eight = __shfl_xor_sync(0xffffffffu, lane + 0.5, 1);
  const long long nine = __shfl_sync(0xffffffffu, (long long)lane << 40, 3);
  const unsigned votes = __ballot_sync(0xffffffffu, lane % 2 == 0);
  const int any = __any_sync(0xffffffffu, lane == 7);
  const int count = __syncthreads_count(lane < 5);
  if (lane != 2) return;
  y[0] = eight, y[1] = (double)(nine >> 40), y[2] = votes, y[3] = any, y[4] = count;
  y[5] = two.d, y[6] = two.i, y[7] = c, y[8] = (double)n;
  y[9] = __umulhi(0x80000000u, 6u), y[10] = __uint_as_float(__float_as_uint(1.5f));
  y[11] = tanh(0.5f) == tanhf(0.5f);
  y[12] = rsqrt(4.0), y[13] = isnan(0.0f / 0.0f), y[14] = fma(2.0f, 3.0f, 1.0f), y[15] = erf(0.5);
}
)";
  double* const y = rig.empty<double>(16);
  struct Two {
    double d = 2.5;
    int i = -3;
  } two;
  const char c = 9;
  const long long n = 1ll << 40;
  const CUkernel k = rig.kernel(text, "words");
  rig.launch(k, {1}, {32}, 0, rig.stream, y, two, c, n);
  CHECK(rig.read(y, 16) == std::vector<double>{3.5, 3, 0x55555555, 1, 5, 2.5, -3, 9, double(n), 3, 1.5, 1,
                                               0.5, 1, 7, std::erf(0.5)});
  std::size_t offset = 0, size = 0;
  const std::size_t expected[][2] = {{0, 8}, {8, 16}, {24, 1}, {32, 8}};
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(rig.cu.KernelGetParamInfo(k, i, &offset, &size) == CUDA_SUCCESS);
    CHECK(offset == expected[i][0]);
    CHECK(size == expected[i][1]);
  }
  CHECK(rig.cu.KernelGetParamInfo(k, 4, &offset, &size) == CUDA_ERROR_INVALID_VALUE);
  CHECK(reported() == "");
}

TEST_CASE("A kernel that does not compile says why, and where") {
  Rig rig;
  CHECK_THAT(Rig::compile("\n\nextern \"C\" __global__ void f() { wrong; }", NVRTC_ERROR_COMPILATION),
             ContainsSubstring("text:3:") && ContainsSubstring("wrong"));
}

namespace {

void expect_reports(const char* kernels) {
  const Order order = GENERATE(Order::forward, Order::reverse, Order::shuffled);
  for (const emulator::Planted& p : emulator::planted(kernels)) {
    Rig rig;
    emulator::settings().order = order;
    float *const y = rig.empty<float>(std::size_t(p.n)), *const x = rig.full(waves(std::size_t(p.n)));
    rig.launch(rig.kernel(p.text, "f"), {p.blocks}, {p.threads}, 8, rig.stream, y, x, p.n);
    rig.sync();
    CAPTURE(p.what, static_cast<int>(order));
    if (p.words.empty()) CHECK(reported() == "");
    for (const std::string& words : p.words)
      if (order == Order::forward || words.find("thread (") == std::string::npos)
        CHECK_THAT(reported(), ContainsSubstring(words));
  }
}

}  // namespace

TEST_CASE("A text is compiled once, in one process or in all") {
  Rig rig;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("gradus-emulator-test-" + std::to_string(::getpid()));
  const gradus::test::Environment cache("GRADUS_EMULATOR_CACHE", folder.c_str());
  const std::string text = "extern \"C\" __global__ void once() {}";
  std::filesystem::remove_all(folder);
  const std::string image = Rig::compile(text);
  CHECK(emulator::compilations() == 1);
  CHECK(Rig::compile(text) == image);
  emulator::compiled_texts().clear();  // as in another process
  CHECK(Rig::compile(text) == image);
  CHECK(emulator::compilations() == 1);
  emulator::settings().checks = false;
  CHECK(Rig::compile(text) != image);
  CHECK(emulator::compilations() == 2);
  std::filesystem::remove_all(folder);
}

TEST_CASE("Mistakes with barriers are found") { expect_reports(emulator::with_barriers); }
TEST_CASE("Mistakes with warps are found") { expect_reports(emulator::with_warps); }
TEST_CASE("Accesses out of bounds are found") { expect_reports(emulator::with_bounds); }
TEST_CASE("Races are found") { expect_reports(emulator::with_races); }
TEST_CASE("Reads of what was never written are found") { expect_reports(emulator::with_unwritten); }

TEST_CASE("The last block needs a fence, and a barrier behind it") {
  std::string text = column_sum;
  const std::string missing = GENERATE("__threadfence();", "__syncthreads();");
  text.erase(text.find(missing), 16);
  Rig rig;
  float *const y = rig.empty<float>(4), *const partial = rig.empty<float>(8), *const x = rig.full(waves(16));
  unsigned* const arrived = rig.full(std::vector<unsigned>{0});
  const int M = 4, N = 4;
  rig.launch(rig.kernel(text, "column_sum"), {2}, {32}, 0, rig.stream, y, partial, arrived, x, M, N);
  rig.sync();
  CHECK_THAT(reported(), ContainsSubstring("reads global memory that block 0 wrote in the same launch"));
}

TEST_CASE("A kernel that takes the host's memory loses the device") {
  Rig rig;
  const CUkernel k = rig.kernel(pointwise, "pointwise");
  const std::vector<float> host(8);
  const float* const x = host.data();
  float* const y = rig.empty<float>(8);
  const long long n = 8;
  rig.launch(k, {1}, {32}, 0, rig.stream, y, x, n);
  CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_ERROR_ILLEGAL_ADDRESS);
  CHECK_THAT(reported(), ContainsSubstring("reads host memory"));
  CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_ERROR_ILLEGAL_ADDRESS);
  emulator::clear();
  CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_SUCCESS);
}

TEST_CASE("Copies hand on what is not written, and reading it on the host is found") {
  Rig rig;
  float *const a = rig.empty<float>(8), *const b = rig.empty<float>(8);
  rig.write(a, {1, 2, 3});
  rig.cu.MemcpyDtoDAsync(Rig::address(b), Rig::address(a), 32, rig.stream);
  CHECK(rig.read(b, 3) == std::vector<float>{1, 2, 3});
  CHECK(reported() == "");
  CHECK(std::isnan(rig.read(b, 4)[3]));
  CHECK_THAT(reported(), ContainsSubstring("cuMemcpyDtoHAsync: reads uninitialised device memory"));
}

TEST_CASE("Use of freed memory is found") {
  Rig rig;
  float *const x = rig.full(waves(300)), *const y = rig.empty<float>(300);
  const CUkernel k = rig.kernel(pointwise, "pointwise");
  const long long n = 300;
  rig.free(x);
  SECTION("by a kernel") {
    rig.launch(k, {1}, {256}, 0, rig.stream, y, x, n);
    rig.sync();
    CHECK_THAT(reported(), ContainsSubstring("reads freed memory"));
  }
  SECTION("by a copy") {
    rig.cu.MemcpyDtoDAsync(Rig::address(y), Rig::address(x), 300, rig.stream);
    rig.sync();
    CHECK_THAT(reported(), ContainsSubstring("cuMemcpyDtoDAsync: uses freed memory"));
  }
  SECTION("by a second free") {
    CHECK(rig.cu.MemFreeAsync(Rig::address(x), rig.stream) == CUDA_ERROR_INVALID_VALUE);
    CHECK_THAT(reported(), ContainsSubstring("cuMemFreeAsync: freed twice"));
  }
}

TEST_CASE("Two streams need an event between them") {
  const Order order = GENERATE(Order::forward, Order::reverse);
  const bool waits = GENERATE(true, false);
  Rig rig;
  emulator::settings().order = order;
  float *const x = rig.full(waves(100)), *const y = rig.empty<float>(100), *const z = rig.empty<float>(100);
  rig.sync();
  const CUkernel k = rig.kernel(pointwise, "pointwise");
  const long long n = 100;
  CUevent event = nullptr;
  rig.cu.EventCreate(&event, CU_EVENT_DISABLE_TIMING);
  rig.launch(k, {1}, {64}, 0, rig.stream, y, x, n);
  rig.cu.EventRecord(event, rig.stream);
  if (waits) rig.cu.StreamWaitEvent(rig.other, event, 0);
  rig.launch(k, {1}, {64}, 0, rig.other, z, y, n);
  rig.cu.StreamSynchronize(rig.other);
  rig.sync();
  rig.cu.EventDestroy(event);
  CAPTURE(static_cast<int>(order), waits);
  if (waits)
    CHECK(reported() == "");
  else
    CHECK_THAT(reported(), ContainsSubstring("on another stream, with no event between") ||
                               ContainsSubstring("reads uninitialised global memory"));
}

TEST_CASE("A stream runs no more than somebody waits for") {
  Rig rig;
  float* const x = rig.full(waves(8));
  void* pinned = nullptr;
  rig.cu.MemHostAlloc(&pinned, 32, 0);
  auto* const host = static_cast<float*>(pinned);
  host[1] = 77;
  rig.cu.MemcpyDtoHAsync(host, Rig::address(x), 32, rig.stream);
  CHECK(host[1] == 77);
  rig.sync();
  CHECK(host[1] == waves(8)[1]);
  rig.cu.MemFreeHost(pinned);
  CHECK(reported() == "");
}

TEST_CASE("Many threads may call, each with its stream") {
  Rig rig;
  float *const x = rig.full(waves(1000)), *const y = rig.empty<float>(4000);
  rig.sync();
  const CUkernel k = rig.kernel(pointwise, "pointwise");
  const long long n = 1000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, part = y + 1000 * t] {
      rig.use(0);
      CUstream mine = nullptr;
      rig.cu.StreamCreate(&mine, CU_STREAM_NON_BLOCKING);
      for (int i = 0; i < 5; ++i) {
        rig.launch(k, {2}, {128}, 0, mine, part, x, n);
        rig.cu.StreamSynchronize(mine);
      }
      rig.cu.StreamDestroy(mine);
    });
  for (std::thread& t : threads) t.join();
  const auto got = rig.read(y, 4000), in = waves(1000);
  for (std::size_t i = 0; i < 4000; ++i) REQUIRE(got[i] == std::exp(in[i % 1000]));
  CHECK(reported() == "");
  CHECK(emulator::launches() == 20);
}

TEST_CASE("What is captured runs at each replay, and as it runs without") {
  const Order order = GENERATE(Order::forward, Order::reverse, Order::shuffled);
  Rig rig;
  emulator::settings().order = order;
  float *const x = rig.full(waves(4 * 50)), *const y = rig.empty<float>(200),
               *const sums = rig.empty<float>(4);
  float* const copy = rig.empty<float>(200);
  const CUkernel exps = rig.kernel(pointwise, "pointwise"), rows = rig.kernel(row_sum, "row_sum");
  const long long n = 200;
  const int N = 50;
  CUevent fork = nullptr, join = nullptr;
  rig.cu.EventCreate(&fork, 0), rig.cu.EventCreate(&join, 0);
  const auto step = [&](bool joins) {
    rig.launch(exps, {1}, {64}, 0, rig.stream, y, x, n);
    rig.cu.EventRecord(fork, rig.stream);
    rig.cu.StreamWaitEvent(rig.other, fork, 0);
    rig.cu.MemcpyDtoDAsync(Rig::address(copy), Rig::address(y), 800, rig.other);
    rig.cu.EventRecord(join, rig.other);
    rig.launch(rows, {4}, {256}, 0, rig.stream, sums, y, N);
    if (joins) rig.cu.StreamWaitEvent(rig.stream, join, 0);
  };
  const auto capture = [&](bool joins, CUgraph& graph) {
    CHECK(rig.cu.StreamBeginCapture(rig.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) == CUDA_SUCCESS);
    step(joins);
    return rig.cu.StreamEndCapture(rig.stream, &graph);
  };
  CUgraph graph = nullptr;

  SECTION("the same results") {
    step(true);
    const auto eager = rig.read(sums, 4);
    REQUIRE(capture(true, graph) == CUDA_SUCCESS);
    CUgraphExec program = nullptr;
    REQUIRE(rig.cu.GraphInstantiate(&program, graph, 0) == CUDA_SUCCESS);
    rig.write(x, std::vector<float>(200, 0));
    rig.cu.GraphLaunch(program, rig.stream);
    CHECK(rig.read(sums, 4) == std::vector<float>(4, 50));
    rig.write(x, waves(200));
    emulator::clear();
    for (int i = 0; i < 3; ++i) rig.cu.GraphLaunch(program, rig.stream);
    CHECK(rig.read(sums, 4) == eager);
    CHECK(emulator::launches() == 6);
    CHECK(rig.read(copy, 200) == rig.read(y, 200));
    rig.cu.GraphExecDestroy(program);
    rig.cu.GraphDestroy(graph);
    CHECK(reported() == "");
  }
  SECTION("a fork that is not joined") {
    CHECK(capture(false, graph) == CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    CHECK(graph == nullptr);
    CHECK_THAT(reported(), ContainsSubstring("a stream that forked from the capture was never joined"));
  }
  SECTION("two branches with no event between") {
    rig.cu.StreamBeginCapture(rig.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    rig.cu.EventRecord(fork, rig.stream);
    rig.cu.StreamWaitEvent(rig.other, fork, 0);
    rig.launch(exps, {1}, {64}, 0, rig.stream, y, x, n);
    rig.cu.MemcpyDtoDAsync(Rig::address(copy), Rig::address(y), 800, rig.other);
    rig.cu.EventRecord(join, rig.other);
    rig.cu.StreamWaitEvent(rig.stream, join, 0);
    REQUIRE(rig.cu.StreamEndCapture(rig.stream, &graph) == CUDA_SUCCESS);
    CUgraphExec program = nullptr;
    rig.cu.GraphInstantiate(&program, graph, 0);
    rig.cu.GraphLaunch(program, rig.stream);
    rig.sync();
    CHECK_THAT(reported(), ContainsSubstring("on another stream, with no event between"));
    rig.cu.GraphExecDestroy(program);
    rig.cu.GraphDestroy(graph);
  }
  rig.cu.EventDestroy(fork), rig.cu.EventDestroy(join);
}

TEST_CASE("What must not be called while capturing is an error, and the capture is lost") {
  Rig rig;
  const CUkernel k = rig.kernel(pointwise, "pointwise");
  const std::string cubin = Rig::compile(pointwise);
  float* const x = rig.full(waves(8));
  const long long n = 8;
  rig.sync();
  CUstreamCaptureStatus status{};
  REQUIRE(rig.cu.StreamBeginCapture(rig.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) == CUDA_SUCCESS);
  rig.cu.StreamIsCapturing(rig.stream, &status);
  CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  CUresult error = CUDA_SUCCESS;
  std::string words;
  CUdeviceptr p = 0;
  CUlibrary library = nullptr;
  SECTION("synchronisation") {
    error = rig.cu.StreamSynchronize(rig.stream),
    words = "cuStreamSynchronize: called while the stream is capturing";
  }
  SECTION("allocation") {
    error = rig.cu.MemAllocAsync(&p, 8, rig.stream),
    words = "cuMemAllocAsync: called while a stream is capturing";
  }
  SECTION("freeing") {
    error = rig.cu.MemFreeAsync(Rig::address(x), rig.stream), words = "cuMemFreeAsync: called while";
  }
  SECTION("loading") {
    error = rig.cu.LibraryLoadData(&library, cubin.data(), nullptr, nullptr, 0, nullptr, nullptr, 0);
    words = "cuLibraryLoadData: called while a stream is capturing";
  }
  SECTION("the legacy stream") {
    CHECK(rig.launch(k, {1}, {32}, 0, nullptr, x, x, n) == CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    error = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, words = "cuLaunchKernel: uses the legacy default stream";
  }
  CHECK(error == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CHECK_THAT(reported(), ContainsSubstring(words));
  CHECK(rig.launch(k, {1}, {32}, 0, rig.stream, x, x, n) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CUgraph graph = nullptr;
  CHECK(rig.cu.StreamEndCapture(rig.stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  rig.cu.StreamIsCapturing(rig.stream, &status);
  CHECK(status == CU_STREAM_CAPTURE_STATUS_NONE);
}

TEST_CASE("The legacy stream is reported, and works") {
  Rig rig;
  float* const x = rig.full(waves(8));
  rig.sync();
  std::vector<float> host(8);
  CHECK(rig.cu.MemcpyDtoHAsync(host.data(), Rig::address(x), 32, nullptr) == CUDA_SUCCESS);
  CHECK(host == waves(8));
  CHECK_THAT(reported(), ContainsSubstring("cuMemcpyDtoHAsync: uses the legacy default stream"));
}

TEST_CASE("Launches that no device could run are refused") {
  Rig rig;
  const CUkernel k = rig.kernel(pointwise, "pointwise"), h = rig.kernel(histogram, "histogram");
  float* const x = rig.full(waves(8));
  const long long n = 8;
  const int i = 8;
  CHECK(rig.launch(k, {1}, {512}, 0, rig.stream, x, x, n) == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  CHECK(rig.launch(h, {1}, {2048}, 0, rig.stream, x, x, i, i) == CUDA_ERROR_INVALID_VALUE);
  CHECK(rig.launch(k, {1, 70000}, {32}, 0, rig.stream, x, x, n) == CUDA_ERROR_INVALID_VALUE);
  CHECK(rig.launch(k, {0}, {32}, 0, rig.stream, x, x, n) == CUDA_ERROR_INVALID_VALUE);
  CHECK(rig.launch(h, {1}, {32}, 50000, rig.stream, x, x, i, i) == CUDA_ERROR_INVALID_VALUE);
  CHECK_THAT(reported(), ContainsSubstring("512 threads a block, but __launch_bounds__(256)") &&
                             ContainsSubstring("50000 bytes of dynamic shared memory; it was allowed 49152"));
  rig.cu.KernelSetAttribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 60000, h, 0);
  emulator::clear();
  CHECK(rig.launch(h, {1}, {32}, 50000, rig.stream, rig.full(std::vector<unsigned>(1, 0)), x, 0, 1) ==
        CUDA_SUCCESS);
  rig.sync();
  CHECK(reported() == "");
}

TEST_CASE("Memory runs out, and leaks are counted") {
  Rig rig;
  emulator::settings().capacity = 1 << 20;
  const std::size_t before = emulator::leaks();
  CUdeviceptr a = 0, b = 0;
  REQUIRE(rig.cu.MemAllocAsync(&a, 700 << 10, rig.stream) == CUDA_SUCCESS);
  CHECK(a % 256 == 0);
  CHECK(rig.cu.MemAllocAsync(&b, 700 << 10, rig.stream) == CUDA_ERROR_OUT_OF_MEMORY);
  CHECK(emulator::leaks() == before + 1);
  rig.cu.MemFreeAsync(a, rig.stream);
  CHECK(emulator::leaks() == before);
  CHECK(rig.cu.MemAllocAsync(&b, 700 << 10, rig.stream) == CUDA_SUCCESS);
  CHECK(a != b);
  rig.cu.MemFreeAsync(b, rig.stream);
  CHECK(rig.cu.MemAllocAsync(&a, 0, rig.stream) == CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("Addresses come back when the region is used up") {
  Rig rig;
  emulator::settings().capacity = std::size_t{16} << 30;
  for (int i = 0; i < 12; ++i) {
    CUdeviceptr p = 0;
    REQUIRE(rig.cu.MemAllocAsync(&p, std::size_t{1} << 30, rig.stream) == CUDA_SUCCESS);
    CHECK(rig.cu.MemFreeAsync(p, rig.stream) == CUDA_SUCCESS);
    rig.sync();
  }
  CHECK(reported() == "");
}

TEST_CASE("Calls fail where a test asks for it") {
  Rig rig;
  CUdeviceptr p = 0;
  float* const x = rig.full(waves(8));
  SECTION("the n-th") {
    emulator::clear();
    emulator::fail_call(2);
    CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_SUCCESS);
    CHECK(rig.cu.MemAllocAsync(&p, 8, rig.stream) == CUDA_ERROR_OUT_OF_MEMORY);
    CHECK(emulator::failed() == "cuMemAllocAsync");
    CHECK(emulator::calls() == 2);
    emulator::fail_call(1);
    CHECK(rig.cu.MemsetD8Async(Rig::address(x), 0, 8, rig.stream) == CUDA_ERROR_UNKNOWN);
    CHECK(rig.cu.MemsetD8Async(Rig::address(x), 0, 8, rig.stream) == CUDA_SUCCESS);
    const auto& lt = gradus::cuda::library<gradus::cuda::CublasLt>();
    cublasLtHandle_t handle = nullptr;
    emulator::fail_call(1);
    CHECK(lt.Create(&handle) == CUBLAS_STATUS_NOT_INITIALIZED);
    emulator::fail_call(2);
    Rig::compile(pointwise, NVRTC_ERROR_COMPILATION);
    CHECK(emulator::failed().starts_with("nvrtcCompileProgram"));
  }
  SECTION("all, when the device is lost") {
    emulator::lose_device();
    CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(rig.cu.MemAllocAsync(&p, 8, rig.stream) == CUDA_ERROR_ILLEGAL_ADDRESS);
    emulator::clear();
    CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_SUCCESS);
  }
  SECTION("without a context") {
    rig.cu.CtxSetCurrent(nullptr);
    CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_ERROR_INVALID_CONTEXT);
  }
  SECTION("with memory and streams of another device") {
    emulator::settings().devices = 2;
    rig.use(1);
    CHECK(rig.cu.StreamSynchronize(rig.stream) == CUDA_ERROR_INVALID_HANDLE);
    CUstream there = nullptr;
    rig.cu.StreamCreate(&there, CU_STREAM_NON_BLOCKING);
    rig.cu.MemsetD8Async(Rig::address(x), 0, 8, there);
    rig.cu.StreamSynchronize(there);
    CHECK_THAT(reported(), ContainsSubstring("uses memory of device 0 on device 1"));
    rig.cu.StreamDestroy(there);
  }
  SECTION("what is no cubin of the emulator's") {
    CUlibrary library = nullptr;
    const auto load = [&](const std::string& image) {
      return rig.cu.LibraryLoadData(&library, image.data(), nullptr, nullptr, 0, nullptr, nullptr, 0);
    };
    CHECK(load("nonsense") == CUDA_ERROR_INVALID_IMAGE);
    emulator::settings().checks = false;  // a cache may hold kernels without checks
    const std::string unchecked = Rig::compile(pointwise);
    emulator::settings().checks = true;
    CHECK(load(unchecked) == CUDA_ERROR_INVALID_IMAGE);
  }
}

namespace {

/// D [m, n] = epilogue(op(A) op(B) + beta C), all counted down columns as cublasLt does.
struct Products {
  Rig& rig;
  const gradus::cuda::CublasLt& lt = gradus::cuda::library<gradus::cuda::CublasLt>();
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t d = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;

  Products(Rig& r, std::uint64_t m, std::uint64_t n, std::uint64_t k, bool transpose_a, bool transpose_b,
           std::int64_t lda = 0)
      : rig(r) {
    lt.Create(&handle);
    lt.MatmulDescCreate(&d, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    set(CUBLASLT_MATMUL_DESC_TRANSA, transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    const auto rows = [](bool transposed, std::uint64_t one, std::uint64_t other) {
      return transposed ? other : one;
    };
    const std::uint64_t ra = rows(transpose_a, m, k), rb = rows(transpose_b, k, n);
    lt.MatrixLayoutCreate(&a, CUDA_R_32F, ra, m * k / ra, lda ? lda : std::int64_t(ra));
    lt.MatrixLayoutCreate(&b, CUDA_R_32F, rb, k * n / rb, std::int64_t(rb));
    lt.MatrixLayoutCreate(&c, CUDA_R_32F, m, n, std::int64_t(m));
  }
  Products(const Products&) = delete;
  ~Products() {
    for (cublasLtMatrixLayout_t l : {a, b, c}) lt.MatrixLayoutDestroy(l);
    lt.MatmulDescDestroy(d);
  }
  template <class V> void set(cublasLtMatmulDescAttributes_t what, const V& value) const {
    CHECK(lt.MatmulDescSetAttribute(d, what, &value, sizeof value) == CUBLAS_STATUS_SUCCESS);
  }
  void batches(std::int32_t count, std::int64_t sa, std::int64_t sb, std::int64_t sc) const {
    const std::pair<cublasLtMatrixLayout_t, std::int64_t> all[] = {{a, sa}, {b, sb}, {c, sc}};
    for (const auto& [l, stride] : all) {
      lt.MatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
      lt.MatrixLayoutSetAttribute(l, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride);
    }
  }
  cublasStatus_t choose(cublasLtMatmulAlgo_t& algo, std::uint32_t alignment = 16,
                        std::uint64_t workspace = 0) const {
    cublasLtMatmulPreference_t p = nullptr;
    lt.MatmulPreferenceCreate(&p);
    lt.MatmulPreferenceSetAttribute(p, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                    sizeof workspace);
    for (const auto which :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      lt.MatmulPreferenceSetAttribute(p, which, &alignment, sizeof alignment);
    cublasLtMatmulHeuristicResult_t result{};
    int count = 0;
    const cublasStatus_t r = lt.MatmulAlgoGetHeuristic(handle, d, a, b, c, c, p, 1, &result, &count);
    lt.MatmulPreferenceDestroy(p);
    algo = result.algo;
    return r;
  }
  cublasStatus_t run(float* to, const float* left, const float* right, float beta = 0,
                     CUstream stream = nullptr, const cublasLtMatmulAlgo_t* algo = nullptr,
                     void* workspace = nullptr, std::size_t bytes = 0) const {
    const float one = 1;
    return lt.Matmul(handle, d, &one, left, a, right, b, &beta, to, c, to, c, algo, workspace, bytes,
                     stream ? stream : rig.stream);
  }
};

float at(const std::vector<float>& x, std::size_t rows, std::size_t i, std::size_t j) {
  return x[j * rows + i];
}

}  // namespace

TEST_CASE("cublasLt: products, transposes, batches") {
  const bool ta = GENERATE(false, true), tb = GENERATE(false, true);
  Rig rig;
  const std::size_t M = 5, N = 7, K = 9, batch = 2;
  const Products p(rig, M, N, K, ta, tb);
  p.batches(2, 48, 0, 36);
  float *const a = rig.full(waves(96)), *const b = rig.full(waves(63)), *const c = rig.full(waves(72));
  cublasLtMatmulAlgo_t algo{};
  REQUIRE(p.choose(algo) == CUBLAS_STATUS_SUCCESS);
  REQUIRE(p.run(c, a, b, 0.5f, rig.stream, &algo) == CUBLAS_STATUS_SUCCESS);
  const auto got = rig.read(c, 72), x = waves(96), y = waves(63), z = waves(72);
  for (std::size_t s = 0; s < batch; ++s)
    for (std::size_t i = 0; i < M; ++i)
      for (std::size_t j = 0; j < N; ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < K; ++k)
          sum += x[48 * s + (ta ? i * K + k : k * M + i)] * (tb ? at(y, N, j, k) : at(y, K, k, j));
        REQUIRE(got[36 * s + j * M + i] == Approx(sum + 0.5f * z[36 * s + j * M + i]).margin(1e-5));
      }
  CHECK(reported() == "");
  CHECK(emulator::launched() == std::vector<std::string>{"cublasLtMatmul"});
}

TEST_CASE("cublasLt: bias, ReLU and its mask, and their gradients") {
  Rig rig;
  const std::size_t M = 6, N = 4, K = 3;
  const Products p(rig, M, N, K, false, false);
  float *const a = rig.full(waves(18)), *const b = rig.full(waves(12)), *const c = rig.empty<float>(24);
  float* const bias = rig.full(std::vector<float>{1, 0, -1, 0.5f, 0, 0});
  auto* const mask = rig.empty<unsigned char>(64);
  std::vector<float> plain(24);
  for (std::size_t j = 0; j < N; ++j)
    for (std::size_t i = 0; i < M; ++i)
      for (std::size_t k = 0; k < K; ++k) plain[j * M + i] += at(waves(18), M, i, k) * at(waves(12), K, k, j);
  p.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  p.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, mask);
  p.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, std::int64_t{128});
  p.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_AUX_BIAS);
  REQUIRE(p.run(c, a, b) == CUBLAS_STATUS_SUCCESS);
  const auto y = rig.read(c, 24), offsets = rig.read(bias, 6);
  const auto value = [&](std::size_t i, std::size_t j) { return plain[j * M + i] + offsets[i]; };
  for (std::size_t j = 0; j < N; ++j)
    for (std::size_t i = 0; i < M; ++i)
      CHECK(y[j * M + i] == Approx(std::max(0.0f, value(i, j))).margin(1e-6));

  p.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DRELU_BGRAD);
  REQUIRE(p.run(c, a, b) == CUBLAS_STATUS_SUCCESS);
  const auto dx = rig.read(c, 24), sums = rig.read(bias, 6);
  for (std::size_t i = 0; i < M; ++i) {
    float sum = 0;
    for (std::size_t j = 0; j < N; ++j) {
      const float expected = value(i, j) > 0 ? plain[j * M + i] : 0.0f;
      CHECK(dx[j * M + i] == Approx(expected).margin(1e-6));
      sum += expected;
    }
    CHECK(sums[i] == Approx(sum).margin(1e-6));
  }
  p.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BGRADB);
  REQUIRE(p.run(c, a, b) == CUBLAS_STATUS_SUCCESS);
  for (std::size_t j = 0; j < N; ++j)
    CHECK(rig.read(bias, 4)[j] ==
          Approx(waves(12)[3 * j] + waves(12)[3 * j + 1] + waves(12)[3 * j + 2]).margin(1e-6));
  CHECK(reported() == "");
}

TEST_CASE("cublasLt: what it does not offer is refused, mistakes are reported") {
  Rig rig;
  const Products p(rig, 8, 8, 8, false, false);
  float *const a = rig.full(waves(64)), *const b = rig.full(waves(64)), *const c = rig.empty<float>(64);
  cublasLtMatmulAlgo_t algo{};
  SECTION("a bias at +8") {
    p.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    p.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, a + 2);
    CHECK(p.choose(algo) == CUBLAS_STATUS_NOT_SUPPORTED);
    CHECK(reported() == "");
    CHECK(p.run(c, a, b) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(reported(), ContainsSubstring("cublasLtMatmul: the bias is not aligned to 16 bytes"));
  }
  SECTION("an epilogue with a dimension of 1") {
    const Products one(rig, 8, 1, 8, false, false);
    CHECK(one.choose(algo) == CUBLAS_STATUS_SUCCESS);
    one.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU);
    CHECK(one.choose(algo) == CUBLAS_STATUS_NOT_SUPPORTED);
  }
  SECTION("a leading dimension that is too small") {
    const Products narrow(rig, 8, 8, 8, false, false, 7);
    CHECK(narrow.run(c, a, b) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(reported(), ContainsSubstring("the leading dimension of A is 7, below its 8"));
  }
  SECTION("a leading dimension that leaves the matrix") {
    const Products wide(rig, 8, 8, 8, false, false, 12);
    CHECK(wide.run(c, a, b) == CUBLAS_STATUS_SUCCESS);
    rig.sync();
    CHECK_THAT(
        reported(),
        ContainsSubstring("cublasLtMatmul, A: uses device memory out of bounds: bytes 240 to 272 of 256"));
  }
  SECTION("a matrix aligned worse than was promised") {
    REQUIRE(p.choose(algo, 256) == CUBLAS_STATUS_SUCCESS);
    CHECK(p.run(c, a + 4, b, 0, rig.stream, &algo) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(reported(),
               ContainsSubstring("A is not aligned to 256 bytes, for which the algorithm was chosen"));
    CHECK(p.choose(algo, 8) == CUBLAS_STATUS_NOT_SUPPORTED);
  }
  SECTION("an algorithm of another problem") {
    REQUIRE(p.choose(algo) == CUBLAS_STATUS_SUCCESS);
    const Products other(rig, 8, 4, 8, false, false);
    CHECK(other.run(c, a, b, 0, rig.stream, &algo) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(reported(), ContainsSubstring("the algorithm was chosen for another problem"));
  }
  SECTION("a workspace that is too small, or that two streams share") {
    REQUIRE(p.choose(algo, 256, 1 << 20) == CUBLAS_STATUS_SUCCESS);
    CHECK(p.run(c, a, b, 0, rig.stream, &algo) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(reported(), ContainsSubstring("a workspace of 0 bytes; the algorithm needs 1048576"));
    void* const space = rig.empty<char>(1 << 20);
    float* const e = rig.empty<float>(64);
    rig.sync();
    emulator::clear();
    CHECK(p.run(c, a, b, 0, rig.stream, &algo, space, 1 << 20) == CUBLAS_STATUS_SUCCESS);
    CHECK(p.run(e, a, b, 0, rig.other, &algo, space, 1 << 20) == CUBLAS_STATUS_SUCCESS);
    rig.sync();
    rig.cu.StreamSynchronize(rig.other);
    CHECK_THAT(
        reported(),
        ContainsSubstring("cublasLtMatmul, workspace: writes memory that cublasLtMatmul wrote on another "
                          "stream, with no event between"));
  }
  SECTION("factors that were never written") {
    CHECK(p.run(rig.empty<float>(64), a, c) == CUBLAS_STATUS_SUCCESS);
    rig.sync();
    CHECK_THAT(reported(), ContainsSubstring("cublasLtMatmul, B: reads uninitialised device memory"));
  }
  SECTION("C is read only where it counts") {
    CHECK(p.run(c, a, b) == CUBLAS_STATUS_SUCCESS);
    rig.sync();
    CHECK(reported() == "");
    CHECK(p.run(rig.empty<float>(64), a, b, 1) == CUBLAS_STATUS_SUCCESS);
    rig.sync();
    CHECK_THAT(reported(), ContainsSubstring("cublasLtMatmul, C: reads uninitialised device memory"));
  }
  SECTION("types that do not go together") {
    const auto doubles = CUDA_R_64F;
    p.lt.MatrixLayoutSetAttribute(p.c, CUBLASLT_MATRIX_LAYOUT_TYPE, &doubles, sizeof doubles);
    CHECK(p.choose(algo) == CUBLAS_STATUS_NOT_SUPPORTED);
    CHECK(p.run(c, a, b) == CUBLAS_STATUS_NOT_SUPPORTED);
  }
}
