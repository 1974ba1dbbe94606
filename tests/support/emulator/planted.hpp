// SPDX-License-Identifier: MIT
// Kernels with mistakes, by which the emulator is judged, and some that look like it.
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace gradus::test::emulator {

/// A kernel f(float* y, const float* x, int n), whose y and x have n numbers.
struct Planted {
  std::string what, text;
  int n = 0;
  unsigned blocks = 1, threads = 1;
  std::vector<std::string> words;  // of the reports; none: there must be no report
};

// == what it is: n blocks threads
// then what stands between the kernel's braces, in its line 2 and the following; then the words
// => that are expected in the reports
inline constexpr const char* with_barriers = R"(
== no barrier: 256 1 256
  __shared__ float s[256];
  s[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = s[255 - threadIdx.x];
=> f (text:4): block (0, 0, 0) thread (128, 0, 0): reads shared memory that thread 127 wrote, with no barrier
== no barrier before the next tile: 512 1 256
  __shared__ float s[256];
  float sum = 0;
  for (int tile = 0; tile < n; tile += 256) {
    s[threadIdx.x] = x[tile + threadIdx.x];
    __syncthreads();
    sum += s[255 - threadIdx.x];
  }
  y[threadIdx.x] = sum;
=> writes shared memory that thread
=> read, with no barrier between
== two different barriers: 256 1 256
  if (threadIdx.x < 128)
    __syncthreads();
  else
    __syncthreads();
=> threads wait at different __syncthreads(), of the lines 3 and 5
== a barrier after threads have returned: 256 1 256
  if (threadIdx.x >= 100) return;
  __syncthreads();
=> f (line 3):
=> __syncthreads() after 156 threads have returned
)";

inline constexpr const char* with_warps = R"(
== a shuffle without all lanes: 256 1 256
  float v = threadIdx.x;
  if (threadIdx.x % 32 < 16)
    v += __shfl_xor_sync(0xffffffffu, v, 8);
  __syncthreads();
  y[threadIdx.x] = v;
=> f (line 4):
=> a shuffle waits for lanes that never come
== a shuffle that does not name its own lane: 32 1 32
  y[threadIdx.x] = __shfl_sync(0xffffu, 1.0f, 0);
=> a shuffle's mask does not name its own lane
== a shuffle whose lanes have returned: 250 1 256
  if (threadIdx.x >= n) return;
  y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
=> a shuffle names lanes that have returned
== lanes that rely on running together: 32 1 32
  __shared__ float s[32];
  s[threadIdx.x] = threadIdx.x;
  y[threadIdx.x] = s[31 - threadIdx.x];
=> reads shared memory that thread
== lanes that wait for each other: 32 1 32
  __shared__ float s[32];
  s[threadIdx.x] = threadIdx.x;
  __syncwarp();
  y[threadIdx.x] = s[31 - threadIdx.x];
== a part of a warp that waits for itself: 32 1 32
  __shared__ float s[32];
  s[threadIdx.x] = threadIdx.x;
  if (threadIdx.x < 16) {
    __syncwarp(0xffffu);
    y[threadIdx.x] = s[15 - threadIdx.x];
  } else {
    y[threadIdx.x] = 0;
  }
== one knows from another what a third one did: 32 1 32
  __shared__ float s[1];
  if (threadIdx.x == 0) s[0] = 1;
  if (threadIdx.x <= 1) __syncwarp(3u);
  if (threadIdx.x == 1 || threadIdx.x == 2) __syncwarp(6u);
  if (threadIdx.x == 2) y[0] = s[0];
== a block that is no whole warp: 24 1 24
  float v = threadIdx.x;
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_up_sync(0xffffffffu, v, d));
  y[threadIdx.x] = v;
)";

inline constexpr const char* with_bounds = R"(
== a shared array: 256 1 256
  __shared__ float s[8];
  s[threadIdx.x % 9] = 0;
=> f (text:3):
=> index 8 is outside its array
== a local array: 8 1 1
  float s[8];
  for (int i = 0; i <= n; ++i) s[i] = x[0];
  y[0] = s[n - 1];
=> f (text:3):
=> index 8 is outside its array
== beyond the shared arrays, by a pointer: 8 1 1
  __shared__ float s[8];
  float* p = s;
  s[0] = p[n] = 0;
  y[0] = s[0];
=> f (text:4):
=> writes beyond its shared memory
== global memory: 300 2 256
  const int i = blockIdx.x * 256 + threadIdx.x;
  if (i <= n) y[i] = x[0];
=> f (text:3): block (1, 0, 0) thread (44, 0, 0): writes global memory out of bounds
=> bytes 1200 to 1204 of 1200
== dynamic shared memory: 8 1 1
  GRADUS_DYNAMIC_SHARED(float, s);
  s[2] = 0;
=> writes dynamic shared memory out of bounds: bytes 8 to 12 of 8
== a null pointer: 1 1 1
  y = reinterpret_cast<float*>((size_t)(n - 1));
  y[0] = 1;
=> f (text:3):
=> writes through a null pointer
== a float4 at +4 bytes: 8 1 1
  reinterpret_cast<float4*>(y + 1)[0] = make_float4(1, 2, 3, 4);
=> f (text:2):
=> misaligned access, by 4 bytes
)";

inline constexpr const char* with_races = R"(
== two blocks write a cell: 1 2 1
  y[0] = 1;
=> writes global memory that block
=> wrote in the same launch
== a block reads what another one writes: 2 2 1
  y[blockIdx.x] = 1;
  if (blockIdx.x == 1) y[1] = y[0];
=> memory that block
== a plain += instead of an atomic: 1 1 256
  __shared__ int s;
  if (threadIdx.x == 0) s = 0;
  __syncthreads();
  s += 1;
=> f (text:5):
=> shared memory that thread
== all warps read, then one of them writes: 256 1 64
  __shared__ float s;
  if (threadIdx.x == 0) s = 0;
  __syncthreads();
  y[threadIdx.x] = s;
  if (threadIdx.x == 63) s = 1;
=> shared memory that thread
== neighbouring bytes: 1 4 1
  reinterpret_cast<unsigned char*>(y)[blockIdx.x] = 1;
== atomics: 1 4 64
  __shared__ unsigned s;
  if (threadIdx.x == 0) s = 0;
  __syncthreads();
  atomicAdd(&s, 1u);
  __syncthreads();
  if (threadIdx.x == 0) atomicExch(y, (float)s);
)";

inline constexpr const char* with_unwritten = R"(
== shared memory: 256 1 256
  __shared__ float s[256];
  if (threadIdx.x) s[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
=> f (text:5): block (0, 0, 0) thread (0, 0, 0): reads uninitialised shared memory
== shared memory of the block before: 2 2 1
  __shared__ float s, first;
  if (threadIdx.x == 0) first = 1;
  if (blockIdx.x == n) s = 1;
  y[blockIdx.x] = first + s;
=> reads uninitialised shared memory
== global memory: 1 1 1
  y[0] += 1;
=> f (text:2):
=> reads uninitialised global memory
)";

inline std::vector<Planted> planted(const std::string& all) {
  std::vector<Planted> result;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("== ", 0) == 0) {
      Planted p;
      const std::size_t colon = line.find(": ");
      p.what = line.substr(3, colon - 3);
      p.text = "extern \"C\" __global__ void __launch_bounds__(256) f(float* y, const float* x, int n) {\n";
      std::istringstream(line.substr(colon + 2)) >> p.n >> p.blocks >> p.threads;
      result.push_back(p);
    } else if (line.rfind("=> ", 0) == 0) {
      result.back().words.push_back(line.substr(3));
    } else if (!line.empty()) {
      result.back().text += line + "\n";
    }
  }
  for (Planted& p : result) p.text += "}\n";
  return result;
}

}  // namespace gradus::test::emulator
