// SPDX-License-Identifier: MIT
// The part of a kernel's prelude about threads: barriers, shuffles, votes, atomics; and the watch over
// accesses.
#pragma once

namespace gradus::test::emulator {

inline constexpr const char* prelude_threads = R"(
static inline void __syncthreads(int line = __builtin_LINE()) { emulator_view.barrier(0, line); }
static inline int __syncthreads_count(int p, int line = __builtin_LINE()) {
  return emulator_view.barrier(p != 0, line); }
static inline int __syncthreads_or(int p, int line = __builtin_LINE()) {
  return emulator_view.barrier(p != 0, line) != 0; }
static inline int __syncthreads_and(int p, int line = __builtin_LINE()) {
  return emulator_view.barrier(p == 0, line) == 0; }
static inline unsigned emulator_lane() {
  return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32; }
template <class T> EMULATOR_RAW static T emulator_exchange(unsigned mask, T v, unsigned source, int line) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a shuffle moves 4 or 8 bytes");
  unsigned long long bits = 0;
  unsigned ballot;
  __builtin_memcpy(&bits, &v, sizeof(T));
  bits = emulator_view.exchange(mask, bits, source, &ballot, line);
  __builtin_memcpy(&v, &bits, sizeof(T));
  return v;
}
template <class T> static inline T __shfl_sync(unsigned mask, T v, int source, int width = 32,
                                               int line = __builtin_LINE()) {
  return emulator_exchange(mask, v, (emulator_lane() & ~(width - 1)) | (source & (width - 1)), line); }
template <class T> static inline T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = 32,
                                                    int line = __builtin_LINE()) {
  const unsigned lane = emulator_lane();
  return emulator_exchange(mask, v, lane % width + by < width ? lane + by : lane, line); }
template <class T> static inline T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = 32,
                                                  int line = __builtin_LINE()) {
  const unsigned lane = emulator_lane();
  return emulator_exchange(mask, v, lane % width >= by ? lane - by : lane, line); }
template <class T> static inline T __shfl_xor_sync(unsigned mask, T v, int with, int width = 32,
                                                   int line = __builtin_LINE()) {
  const unsigned lane = emulator_lane();
  return emulator_exchange(mask, v, (lane ^ with) / width <= lane / width ? lane ^ with : lane, line); }
EMULATOR_RAW static unsigned __ballot_sync(unsigned mask, int p, int line = __builtin_LINE()) {
  unsigned ballot;
  emulator_view.exchange(mask, p != 0, emulator_lane(), &ballot, line);
  return ballot;
}
static inline int __any_sync(unsigned mask, int p, int line = __builtin_LINE()) {
  return __ballot_sync(mask, p, line) != 0; }
static inline int __all_sync(unsigned mask, int p, int line = __builtin_LINE()) {
  return __ballot_sync(mask, !p, line) == 0; }
static inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE()) {
  __ballot_sync(mask, 0, line); }
static inline void __threadfence() { emulator_view.fence(); }
static inline void __threadfence_block() {}
static inline void __trap(int line = __builtin_LINE()) { emulator_view.trap(line); }
#define EMULATOR_ATOMIC(name, T, kind, next)                                                     \
  EMULATOR_RAW static T name(T* p, T v) {                                                        \
    emulator_view.access(p, sizeof(T), kind, __builtin_return_address(0));                       \
    const T old = *p;                                                                            \
    *p = next;                                                                                   \
    return old;                                                                                  \
  }
#define EMULATOR_ATOMICS(T)                                                                      \
  EMULATOR_ATOMIC(atomicAdd, T, emulator_updates, old + v)                                       \
  EMULATOR_ATOMIC(atomicExch, T, emulator_replaces, v)                                           \
  EMULATOR_ATOMIC(atomicMax, T, emulator_updates, old < v ? v : old)                             \
  EMULATOR_ATOMIC(atomicMin, T, emulator_updates, v < old ? v : old)                             \
  EMULATOR_RAW static T atomicCAS(T* p, T expected, T v) {                                       \
    emulator_view.access(p, sizeof(T), emulator_updates, __builtin_return_address(0));           \
    const T old = *p;                                                                            \
    if (old == expected) *p = v;                                                                 \
    return old;                                                                                  \
  }
EMULATOR_ATOMICS(int) EMULATOR_ATOMICS(long long) EMULATOR_ATOMICS(float) EMULATOR_ATOMICS(double)
EMULATOR_ATOMICS(unsigned) EMULATOR_ATOMICS(unsigned long long)
#define EMULATOR_BIT_ATOMICS(T)                                                                  \
  EMULATOR_ATOMIC(atomicAnd, T, emulator_updates, old & v)                                       \
  EMULATOR_ATOMIC(atomicOr, T, emulator_updates, old | v)                                        \
  EMULATOR_ATOMIC(atomicXor, T, emulator_updates, old ^ v)
EMULATOR_BIT_ATOMICS(int) EMULATOR_BIT_ATOMICS(unsigned) EMULATOR_BIT_ATOMICS(unsigned long long)
EMULATOR_ATOMIC(atomicInc, unsigned, emulator_updates, old >= v ? 0 : old + 1)
)";

// -fsanitize=thread,bounds,alignment inserts calls of these before each access. The sanitizers' libraries are
// not linked: the calls come here. Hidden, or those of a test program that is itself sanitized would be
// taken.
inline constexpr const char* prelude_checks = R"(
#if EMULATOR_CHECKED
#define EMULATOR_HOOK extern "C" EMULATOR_RAW EMULATOR_HIDDEN void
#define EMULATOR_WATCH(name, n, kind)                                                            \
  EMULATOR_HOOK __tsan_##name(void* p) {                                                         \
    emulator_view.access(p, n, kind, __builtin_return_address(0)); }
#define EMULATOR_ACCESS(n)                                                                       \
  EMULATOR_WATCH(read##n, n, emulator_reads)                                                     \
  EMULATOR_WATCH(write##n, n, emulator_writes)
#define EMULATOR_ACCESSES(n) EMULATOR_ACCESS(n)                                                  \
  EMULATOR_WATCH(unaligned_read##n, n, emulator_reads)                                           \
  EMULATOR_WATCH(unaligned_write##n, n, emulator_writes)
EMULATOR_ACCESS(1) EMULATOR_ACCESSES(2) EMULATOR_ACCESSES(4) EMULATOR_ACCESSES(8) EMULATOR_ACCESSES(16)
EMULATOR_HOOK __tsan_read_range(void* p, unsigned long n) {
  emulator_view.access(p, n, emulator_reads, __builtin_return_address(0)); }
EMULATOR_HOOK __tsan_write_range(void* p, unsigned long n) {
  emulator_view.access(p, n, emulator_writes, __builtin_return_address(0)); }
EMULATOR_HOOK __tsan_func_entry(void*) {}
EMULATOR_HOOK __tsan_func_exit(void*) {}
EMULATOR_HOOK __tsan_init() {}
struct emulator_place { const char* file; unsigned line, column; };
EMULATOR_HOOK __ubsan_handle_out_of_bounds(void* at, void* index) {
  const emulator_place* p = static_cast<emulator_place*>(at);
  emulator_view.complain("index # is outside its array", (long long)index, p->file, p->line, 0); }
EMULATOR_HOOK __ubsan_handle_type_mismatch_v1(void* at, void* address) {
  struct data { emulator_place place; const void* type; unsigned char alignment; };
  const data* d = static_cast<data*>(at);
  const long long off = (long long)address & ((1ll << d->alignment) - 1);
  emulator_view.complain("misaligned access, by # bytes", off, d->place.file, d->place.line, 1); }
#endif
)";

}  // namespace gradus::test::emulator
