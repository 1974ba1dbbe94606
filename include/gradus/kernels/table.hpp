// SPDX-License-Identifier: MIT
// The contract as a table, for devices whose kernels are not C++ templates. The words are those of the other
// files here; types are values, a formula is what writes it down. What a captured or compiled step needs
// holds for every entry: memory that is read or written is an argument, what changes from step to step lies
// behind a pointer to the device's memory, and nothing waits for a result.
#pragma once

#include <array>

#include <gradus/core/dtype.hpp>
#include <gradus/core/formula.hpp>
#include <gradus/core/precision.hpp>
#include <gradus/core/random.hpp>
#include <gradus/core/rows.hpp>
#include <gradus/core/sink.hpp>

namespace gradus::kernels {

using gradus::RowLookup;
using symbolic::Write;

/// A View, its type a value. Lives as long as the call.
struct Operand {
  const void* data;
  const Shape& shape;
  Dtype type;
  Operand(const void* d, const Shape& s, Dtype t) : data(d), shape(s), type(t) {}
  template <class T> Operand(const View<T>& v) : Operand(v.data, v.shape, dtype_of<T>()) {}
};
/// A Sink that has been opened and is wanted. `add`: to what is there.
struct Target {
  void* data;
  bool add;
  const Shape& shape;
  Dtype type;
};
/// Which numbers of a ReLU's y [M, N] are above 0, a bit each, rows padded to 128 bits. A device that notes
/// them while it computes y says so, and may then take them for y when it multiplies by the slope.
struct Signs {
  void* bits;
  bool noted;
  static Index bytes(Index M, Index N) { return M * ((N + 127) / 128) * 16; }
};
/// Whether a product is large enough for tensor cores and for the libraries that feed them: these have nothing
/// for a size of 1, and little for small ones.
constexpr bool is_large(Index M, Index N, Index K) {
  return M >= 16 && N >= 16 && K >= 16 && M * N * K >= 1 << 16;
}
/// op(A) · op(B), and what is done to it: see kernels/gemm.hpp. nullptr: none of it.
struct Multiplication {
  Index M, N, K, batch;
  bool transpose_a, transpose_b, one_a, one_b;
  const void* bias;
  Write activation, slope;
  const void* slope_at;
  Signs* signs;
  Precision precision;
  bool apart;
};

/// n numbers of float32 that are wanted as bfloat16.
struct Shortening {
  const void* from;
  void* to;
  Index n;
  static constexpr int most = 33;  // in one go
};

/// A loss that an update looks at before it changes anything, and notes. Where it is not finite, or one
/// before it was not, the update does nothing and says so to the next one. All on the device; without a loss
/// there is no watch.
struct Watch {
  const void* loss = nullptr;
  const int* halted_before = nullptr;
  int* halted_after = nullptr;
  void* note = nullptr;
};

struct Table {
  virtual ~Table() = default;
  virtual void map(Write, const Target& y, Dtype, const void* scalars, const Operand* x, int operands) = 0;
  virtual void fill(const Target& y, double value) = 0;
  virtual const void* one(Dtype) = 0;
  virtual void gemm(const Target& c, const Operand& a, const Operand& b, const Multiplication&) = 0;
  virtual void gemm_sums(const Target& c, const Target& s, const Operand& a, const Operand& b,
                         const Multiplication&) = 0;
  virtual void shorten(const Shortening* arrays, int n) = 0;

  virtual void sum_all(Write, const Target& y, double scale, const void* scalars, const Operand* x,
                       int operands) = 0;
  virtual void loss(Write, Write slope, const Target& l, const Target& dx, double scale, const void* scalars,
                    const Operand* x, int operands) = 0;
  virtual void sum(const Target& y, const Operand& x, Groups, double scale) = 0;
  virtual void extreme(const Target& y, const Operand& x, Groups, bool largest) = 0;
  virtual void extreme_slope(const Target& dx, const Operand& x, const Operand& y, const Operand& dy,
                             Groups) = 0;
  virtual void extreme_place(const Target& y, const Operand& x, Groups, bool largest) = 0;

  virtual void logsumexp(const Target& y, const Operand& x, Groups) = 0;
  virtual void softmax(const Target& y, const Operand& x, Groups, bool logarithm) = 0;
  virtual void softmax_slope(const Target& dx, const Operand& y, const Operand& dy, Groups,
                             bool logarithm) = 0;
  virtual void softmax_cross_entropy(const Target& y, const Target& kept, const Operand& z, const Operand& t,
                                     double smoothing) = 0;
  virtual void softmax_cross_entropy_slope(const Target& dz, const Operand& z, const Operand& kept,
                                           const Operand& t, const Operand& dy, double smoothing) = 0;
  virtual void softmax_cross_entropy_sum(const Target& l, const Target& dz, const Operand& z,
                                         const Operand& t, double smoothing, double scale) = 0;

  virtual void gather(const Target& y, const Operand& x, Groups, const Operand& rows) = 0;
  virtual void gather_rows(const RowLookup* arrays, int n, const Operand& rows) = 0;
  virtual void scatter_add(const Target& dx, const Operand& dy, Groups, const Operand& rows) = 0;
  virtual void slice(const Target& y, const Operand& x, Groups, Index m, Index first, Index step) = 0;
  virtual void place(const Target& y, const Operand& x, Groups, Index m, Index first, Index step) = 0;
  virtual void permute(const Target& y, const Operand& x, const std::array<int, Shape::max_rank>& order) = 0;
  virtual void one_hot(const Target& y, const Operand& labels) = 0;

  virtual void dropout(const Target& y, const Operand& x, double p, const random::Stream&,
                       const random::Draw&) = 0;
  virtual void update(Write rule, Dtype, void* w, const void* g, void* const* state, const void* numbers,
                      Index n, const Watch&) = 0;
};

/// Throws DeviceError where this program has no kernels for the device.
inline Table& table(Device device, const char* kernel) {
  if (Table* t = device.backend().kernels()) return *t;
  detail::fail<DeviceError>(kernel, ": this program has no kernels for device ", device.name());
}

/// A number of a kernel's arguments; a scalar of the user's own stays on the CPU.
template <class T> double real(const T& x) {
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<double>(x);
  else
    return 0;
}

/// A sink on another device than the CPU, opened; false: nobody wants it, or there is nothing to write.
struct Elsewhere {
  Table* table;
  Target to;
  explicit operator bool() const { return table; }
  Table* operator->() const { return table; }
  /// What is written, as bfloat16 instead.
  Target as(bool bf16) const { return {to.data, to.add, to.shape, bf16 ? Dtype::bf16 : to.type}; }
};
// not inline: a kernel's way on the CPU stays short
template <class T> [[gnu::noinline, gnu::cold]] Elsewhere elsewhere(const Sink<T>& y,
                                                                    const typename Sink<T>::Target& to,
                                                                    const char* kernel) {
  detail::require<DeviceError>(dtype_of<T>() != Dtype::other, kernel,
                               ": a scalar of one's own has kernels on the ", "CPU alone, not on ",
                               y.device.name());
  const bool any = to && y.size() > 0;
  return {any ? &table(y.device, kernel) : nullptr, {to.data, to.add, y.shape, dtype_of<T>()}};
}
template <class T> [[gnu::noinline, gnu::cold]] Elsewhere elsewhere(const Sink<T>& y, const char* kernel) {
  return elsewhere(y, y.open(), kernel);
}

}  // namespace gradus::kernels
