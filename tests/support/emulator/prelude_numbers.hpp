// SPDX-License-Identifier: MIT
// The part of a kernel's prelude about numbers: short vectors, bits, the functions of <math.h> for float and
// double.
#pragma once

namespace gradus::test::emulator {

inline constexpr const char* prelude_numbers = R"(
#define EMULATOR_VECTOR(T, name, alignment)                                                      \
  struct __attribute__((aligned(alignment / 2))) name##2 { T x, y; };                            \
  struct name##3 { T x, y, z; };                                                                 \
  struct __attribute__((aligned(alignment))) name##4 { T x, y, z, w; };                          \
  static inline name##2 make_##name##2(T x, T y) { return {x, y}; }                              \
  static inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                      \
  static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATOR_VECTOR(unsigned char, uchar, 4) EMULATOR_VECTOR(short, short, 8)
EMULATOR_VECTOR(unsigned short, ushort, 8) EMULATOR_VECTOR(int, int, 16)
EMULATOR_VECTOR(unsigned, uint, 16) EMULATOR_VECTOR(float, float, 16)
struct __attribute__((aligned(16))) double2 { double x, y; };
struct __attribute__((aligned(16))) longlong2 { long long x, y; };
struct __attribute__((aligned(16))) ulonglong2 { unsigned long long x, y; };
static inline double2 make_double2(double x, double y) { return {x, y}; }
static inline longlong2 make_longlong2(long long x, long long y) { return {x, y}; }
static inline ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y) { return {x, y}; }
template <class To, class From> static inline To emulator_bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &v, sizeof to);
  return to;
}
static inline int __float_as_int(float v) { return emulator_bits<int>(v); }
static inline float __int_as_float(int v) { return emulator_bits<float>(v); }
static inline unsigned __float_as_uint(float v) { return emulator_bits<unsigned>(v); }
static inline float __uint_as_float(unsigned v) { return emulator_bits<float>(v); }
static inline long long __double_as_longlong(double v) { return emulator_bits<long long>(v); }
static inline double __longlong_as_double(long long v) { return emulator_bits<double>(v); }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)((unsigned long long)a * b >> 32); }
static inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64); }
static inline int __popc(unsigned v) { return __builtin_popcount(v); }
static inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
static inline int __clz(int v) { return v ? __builtin_clz((unsigned)v) : 32; }
static inline int __clzll(long long v) { return v ? __builtin_clzll((unsigned long long)v) : 64; }
static inline int __ffs(int v) { return __builtin_ffs(v); }
template <class T> static inline T __ldg(const T* p) { return *p; }
#define EMULATOR_LEAST_MOST(T)                                                                   \
  static inline T min(T a, T b) { return b < a ? b : a; }                                        \
  static inline T max(T a, T b) { return a < b ? b : a; }
EMULATOR_LEAST_MOST(int) EMULATOR_LEAST_MOST(long) EMULATOR_LEAST_MOST(long long)
EMULATOR_LEAST_MOST(unsigned) EMULATOR_LEAST_MOST(unsigned long) EMULATOR_LEAST_MOST(unsigned long long)
static inline float min(float a, float b) { return __builtin_fminf(a, b); }
static inline float max(float a, float b) { return __builtin_fmaxf(a, b); }
static inline double min(double a, double b) { return __builtin_fmin(a, b); }
static inline double max(double a, double b) { return __builtin_fmax(a, b); }
)";

inline constexpr const char* prelude_math = R"(
#define EMULATOR_UNARY(name)                                                                     \
  extern "C" double name(double) noexcept;                                                       \
  extern "C" float name##f(float) noexcept;                                                      \
  static inline float name(float x) { return name##f(x); }
#define EMULATOR_BINARY(name)                                                                    \
  extern "C" double name(double, double) noexcept;                                               \
  extern "C" float name##f(float, float) noexcept;                                               \
  static inline float name(float x, float y) { return name##f(x, y); }
EMULATOR_UNARY(exp) EMULATOR_UNARY(exp2) EMULATOR_UNARY(expm1) EMULATOR_UNARY(log)
EMULATOR_UNARY(log2) EMULATOR_UNARY(log10) EMULATOR_UNARY(log1p) EMULATOR_UNARY(tanh)
EMULATOR_UNARY(sinh) EMULATOR_UNARY(cosh) EMULATOR_UNARY(sin) EMULATOR_UNARY(cos)
EMULATOR_UNARY(tan) EMULATOR_UNARY(asin) EMULATOR_UNARY(acos) EMULATOR_UNARY(atan)
EMULATOR_UNARY(erf) EMULATOR_UNARY(erfc) EMULATOR_UNARY(sqrt) EMULATOR_UNARY(cbrt)
EMULATOR_UNARY(fabs) EMULATOR_UNARY(floor) EMULATOR_UNARY(ceil) EMULATOR_UNARY(trunc)
EMULATOR_UNARY(round) EMULATOR_UNARY(rint) EMULATOR_UNARY(lgamma) EMULATOR_UNARY(tgamma)
EMULATOR_BINARY(pow) EMULATOR_BINARY(fmax) EMULATOR_BINARY(fmin) EMULATOR_BINARY(fmod) EMULATOR_BINARY(atan2)
EMULATOR_BINARY(hypot) EMULATOR_BINARY(copysign)
extern "C" double fma(double, double, double) noexcept;
extern "C" float fmaf(float, float, float) noexcept;
extern "C" double ldexp(double, int) noexcept;
extern "C" float ldexpf(float, int) noexcept;
extern "C" int printf(const char*, ...);
static inline float fma(float a, float b, float c) { return fmaf(a, b, c); }
static inline float ldexp(float x, int n) { return ldexpf(x, n); }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline float rsqrt(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline int abs(int x) { return x < 0 ? -x : x; }
static inline long long abs(long long x) { return x < 0 ? -x : x; }
static inline float abs(float x) { return fabsf(x); }
static inline double abs(double x) { return fabs(x); }
#define EMULATOR_CLASS(T)                                                                        \
  static inline bool isnan(T x) { return __builtin_isnan(x); }                                   \
  static inline bool isinf(T x) { return __builtin_isinf(x) != 0; }                              \
  static inline bool isfinite(T x) { return __builtin_isfinite(x); }                             \
  static inline bool signbit(T x) { return __builtin_signbit(x) != 0; }
EMULATOR_CLASS(float) EMULATOR_CLASS(double)
static inline float __expf(float x) { return expf(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }
static inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
static inline int __float2int_rn(float x) { return (int)rintf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
)";

}  // namespace gradus::test::emulator
