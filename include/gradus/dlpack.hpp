// SPDX-License-Identifier: MIT
// The doors between arrays and the tensors of other libraries (NumPy, PyTorch, JAX, CuPy …) by DLPack: memory
// is shared, no number is copied. Not part of gradus.hpp: it needs <dlpack/dlpack.h>, 0.6 or later, which
// nothing else here does (Debian: libdlpack-dev).
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>

#include <dlpack/dlpack.h>

#include <gradus/core/array.hpp>

namespace gradus {
namespace detail {

constexpr auto dl_bool = DLDataTypeCode(6);  // kDLBool, which headers before 0.8 do not name

template <class T> constexpr DLDataType dl_type() {
  constexpr Dtype d = dtype_of<T>();
  static_assert(d != Dtype::other, "DLPack knows float, double, integers and bool");
  const DLDataTypeCode code = d == Dtype::boolean      ? dl_bool
                              : std::floating_point<T> ? kDLFloat
                              : std::is_signed_v<T>    ? kDLInt
                                                       : kDLUInt;
  return {std::uint8_t(code), std::uint8_t(8 * sizeof(T)), 1};
}

/// "float32", "bfloat16", "int8 in 4 lanes".
inline std::string type_words(const DLDataType& t) {
  constexpr const char* kinds[] = {"int", "uint", "float", "handle", "bfloat", "complex"};
  const std::string one = t.code == dl_bool           ? "bool"
                          : t.code < std::size(kinds) ? message(kinds[t.code], t.bits)
                                                      : message("type ", t.code, " of ", t.bits, " bits");
  return t.lanes == 1 ? one : message(one, " in ", t.lanes, " lanes");
}

// ---- out

/// What a receiver holds: a share of the memory, and the sizes that the tensor points to.
struct Exported {
  DLManagedTensor tensor = {};
  Share share;
  std::int64_t sizes[Shape::max_rank] = {}, strides[Shape::max_rank] = {};
};

/// A GPU's name says its number: "cuda:1".
inline DLDevice dl_device(const Device& device, const Shape& shape) {
  if (device.is_cpu()) return {kDLCPU, 0};
  constexpr std::string_view kind = "cuda:";
  const std::string name = device.name();
  const char* const end = name.data() + name.size();
  const int index = name.starts_with(kind) ? whole_number(name.data() + kind.size(), end, 1 << 20) : -1;
  require<DeviceError>(index >= 0, "to_dlpack: the array ", shape, " is on ", name,
                       "; it must be on \"cpu\" or \"cuda\"");
  return {kDLCUDA, index};
}

inline DLManagedTensor* exported(const View<void>& v, const Share& share, DLDataType type) {
  require<OwnershipError>(share.get() || v.size() == 0, "to_dlpack: the array ", v.shape,
                          " borrows its memory, which nobody keeps for the receiver; copy() it first");
  const DLDevice device = dl_device(v.device, v.shape);
  auto* const e = new Exported{.share = share};
  for (int i = 0; i < v.shape.rank(); ++i) e->sizes[i] = v.shape[i], e->strides[i] = v.shape.inner(i);
  e->tensor = {.dl_tensor = {.data = v.size() ? const_cast<void*>(v.data) : nullptr,
                             .device = device,
                             .ndim = v.shape.rank(),
                             .dtype = type,
                             .shape = e->sizes,
                             .strides = e->strides,
                             .byte_offset = 0},  // as others have it: some receivers do not look at it
               .manager_ctx = e,
               .deleter = [](DLManagedTensor* t) { delete static_cast<Exported*>(t->manager_ctx); }};
  return &e->tensor;
}

// ---- in

/// Another library's memory, given back with the last array that shares it.
struct Imported : Block {
  DLManagedTensor* tensor;

  Imported(DLManagedTensor* t, Device on) : Block{&give_back, nullptr}, tensor(t) {
    device = on, borrowed = true;
  }
  static void give_back(Block* b) {
    auto* const mine = static_cast<Imported*>(b);
    if (!mine->device.is_cpu()) wait_for(mine->device.backend());
    if (mine->tensor->deleter) mine->tensor->deleter(mine->tensor);
    delete mine;
  }
  /// Kernels that read the memory may still be in their queue.
  static void wait_for(Backend& gpu) noexcept {
    try {
      if (Repeating* const queue = gpu.repeating()) queue->wait(queue->mark());
    } catch (...) {}  // a GPU that is lost has no queue
  }
};

inline Shape dl_shape(const DLTensor& t) {
  require<ShapeError>(t.ndim >= 0 && t.ndim <= Shape::max_rank, "from_dlpack: the tensor has ", t.ndim,
                      " axes; 0 to ", Shape::max_rank, " are possible");
  Shape s;
  for (int i = 0; i < t.ndim; ++i) s.append(Index(t.shape[i]));
  for (int i = 0; t.strides && s.size() > 0 && i < t.ndim; ++i)  // those of one element may be anything
    require<ShapeError>(s[i] == 1 || t.strides[i] == s.inner(i), "from_dlpack: axis ", i, " of the tensor ",
                        s, " has stride ", t.strides[i], "; row-major it must be ", s.inner(i),
                        " (a contiguous copy has it)");
  return s;
}

inline Device dl_device(const DLDevice& d) {
  std::int32_t type;  // it may be newer than the header, and then is no value of its enumeration
  static_assert(sizeof type == sizeof d.device_type);
  std::memcpy(&type, &d.device_type, sizeof type);
  require<DeviceError>(type == kDLCPU || type == kDLCUDA, "from_dlpack: the tensor is on a device of type ",
                       type, "; it must be on the CPU (", int(kDLCPU), ") or a CUDA GPU (", int(kDLCUDA),
                       ")");
  return type == kDLCPU ? Device() : Device(message("cuda:", d.device_id));
}

/// The tensor as a View; throws what from_dlpack throws.
inline View<void> imported(const DLTensor& t, DLDataType asked) {
  if (t.dtype.code != asked.code || t.dtype.bits != asked.bits || t.dtype.lanes != 1)
    fail<ValueError>("from_dlpack: the tensor holds ", type_words(t.dtype), "; asked for is ",
                     type_words(asked));
  const Shape shape = dl_shape(t);
  const auto* const data = t.data ? static_cast<const char*>(t.data) + t.byte_offset : nullptr;
  const auto bytes = std::uintptr_t(asked.bits / 8), beyond = reinterpret_cast<std::uintptr_t>(data) % bytes;
  require<ValueError>(data || shape.size() == 0, "from_dlpack: the tensor ", shape,
                      " has no data; it must have an address");
  require<ValueError>(beyond == 0 || shape.size() == 0, "from_dlpack: the data of the tensor ", shape, " is ",
                      beyond, " bytes beyond a multiple of ", bytes, ", which it must begin at");
  return {data, shape, dl_device(t.device)};
}

}  // namespace detail

/// The array as a tensor for another library, which shares its memory and calls `deleter` when it is done, on
/// any thread. Until then the memory lives, and is read-only as all shared memory is: the receiver must not
/// write either (NumPy does not let it; DLManagedTensor has no flag that says so). Strides are row-major and
/// spelled out: DLPack 1.2 wants them so, and earlier versions take them. One small allocation. Throws
/// OwnershipError for borrowed memory, DeviceError for a device that is neither "cpu" nor "cuda".
///
/// On a GPU the numbers come from cuda::stream(device), for which no other stream waits by itself: make the
/// receiver's wait for it, or synchronise it. The receiver must have read them when it calls `deleter`.
template <class T> DLManagedTensor* to_dlpack(const Array<T>& a) {
  return detail::exported({a.data(), a.shape(), a.device()}, a.share(), detail::dl_type<T>());
}

/// Another library's tensor as an array over the same memory. Its deleter is called once, when the last array
/// that shares the memory goes, and on that thread. Who lent the memory may still write to it, so here it is
/// borrowed, as by Array::borrow: mutable_data() throws OwnershipError, and copy() gives memory of one's own.
/// One small allocation.
///
/// The tensor must hold numbers of type T on the CPU or on a GPU of this program, row-major and at a multiple
/// of their size; else ValueError (type, address), ShapeError (axes, strides) or DeviceError, after which the
/// tensor still is the caller's.
///
/// On a GPU gradus reads in cuda::stream(device): before, make it wait for the stream that writes the tensor
/// (Python: __dlpack__(stream=…)), or synchronise that one. The deleter is called when ours has read.
template <class T> Array<T> from_dlpack(DLManagedTensor* tensor) {
  detail::require<ValueError>(tensor, "from_dlpack: the tensor is null; it must be what a library exported");
  const View<void> v = detail::imported(tensor->dl_tensor, detail::dl_type<T>());
  return Array<T>::over(View<T>{static_cast<const T*>(v.data), v.shape, v.device},
                        detail::Share(new detail::Imported(tensor, v.device)));
}

}  // namespace gradus
