// SPDX-License-Identifier: MIT
// y = F(x₁, x₂, …): one pass over memory, whatever the formula. Operands broadcast as NumPy's.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <gradus/core/broadcast.hpp>
#include <gradus/core/parallel.hpp>
#include <gradus/core/sink.hpp>
#include <gradus/cpu/elementary.hpp>
#include <gradus/cpu/wide.hpp>

namespace gradus::cpu {
namespace detail {

using gradus::detail::Broadcast;

constexpr Index map_grain = 1 << 15;  // elements a thread: below, waking it costs more than it saves

/// Numbers of type U as a block of T: bool masks and integers become 0, 1, … of the formula's type.
template <class T, class U> Wide<T> load(const U* from) {
  if constexpr (std::is_same_v<T, U>)
    return Wide<T>::load(from);
  else {
    T numbers[Wide<T>::size];
    for (Index k = 0; k < Wide<T>::size; ++k) numbers[k] = static_cast<T>(from[k]);
    return Wide<T>::load(numbers);
  }
}
template <class T, class Y> inline void store(Y* to, const Wide<T>& y, bool add, Index n = Wide<T>::size) {
  if constexpr (std::is_same_v<T, Y>) {
    if (n == Wide<T>::size)
      (add ? Wide<T>::load(to) + y : y).store(to);
    else
      (add ? Wide<T>::load_partial(to, n) + y : y).store_partial(to, n);
  } else {
    T numbers[Wide<T>::size];
    y.store(numbers);
    for (Index k = 0; k < n; ++k) {
      const T value = add ? static_cast<T>(to[k]) + numbers[k] : numbers[k];
      if constexpr (std::is_same_v<Y, bool>)
        to[k] = value != T(0);  // a scalar of the user's own need not turn into a bool
      else
        to[k] = static_cast<Y>(value);
    }
  }
}

/// A formula over whole blocks, its types forgotten: all that a further formula adds to a program. The loops
/// around it are the same code for all of them. n is a multiple of Wide<T>::size. Operand k begins at x[k]
/// and moves along with y (by[k] = 1), or is one block throughout (by[k] = 0).
using RunFormula = void (*)(void* y, bool add, Index n, const void* scalars, const void* const* x,
                            const Index* by);

/// y (+)= F(x…, scalars…)
template <class F, class T, class Y, class A, class K, class... U> struct Formula;
template <class F, class T, class Y, std::size_t... A, std::size_t... K, class... U>
struct Formula<F, T, Y, std::index_sequence<A...>, std::index_sequence<K...>, U...> {
  static_assert(Wide<T>::size == 1 || (sizeof(Y) <= 8 && ((sizeof(U) <= 8) && ...)),
                "Pass has no room for more");
  static void run(void* y, bool add, Index n, [[maybe_unused]] const void* scalars, const void* const* x,
                  const Index* by) {
    // copies: the compiler would read the caller's anew after every store
    const Wide<T> s[] = {Wide<T>(static_cast<const T*>(scalars)[A])..., Wide<T>(T(0))};
    const void* const from[] = {x[K]...};
    const Index step[] = {by[K]...};
    for (Index i = 0; i < n; i += Wide<T>::size)
      store<T>(static_cast<Y*>(y) + i,
               Wide<T>(F::value(load<T>(static_cast<const U*>(from[K]) + i * step[K])..., s[A]...)), add);
  }
};

/// What the loops need to know of an operand.
struct Operand {
  const char* data;
  Index element;  // bytes
  const Shape& shape;
};

template <class Bits> void repeat(char* to, const void* number, Index n) {
  Bits bits;
  std::memcpy(&bits, number, sizeof bits);
  for (Index i = 0; i < n; ++i) std::memcpy(to + i * Index(sizeof bits), &bits, sizeof bits);
}
/// n times the same number of `element` bytes.
inline const char* repeat(char* to, const void* number, Index element, Index n) {
  if (element == 4)
    repeat<std::uint32_t>(to, number, n);
  else if (element == 8)
    repeat<std::uint64_t>(to, number, n);
  else
    for (Index i = 0; i < n; ++i) std::memcpy(to + i * element, number, std::size_t(element));
  return to;
}

/// A formula and all that its loops need to know.
struct Pass {
  RunFormula run;
  Index block;  // elements
  const void* scalars;
  Index y_element;  // bytes
  bool add;
  const Operand* x;
  int operands;

  /// n elements at `to` from operands that are at `from`. One number for all is repeated over a block. A rest
  /// is padded and never scalar, so that a value does not depend on its position.
  void operator()(char* to, Index n, const void** from, const Index* by) const {
    alignas(64) char pad[Broadcast::most + 1][2 * 64];
    for (int k = 0; k < operands; ++k)
      if (!by[k] && block > 1) from[k] = repeat(pad[k], from[k], x[k].element, block);
    const Index rest = n % block, whole = n - rest;
    if (whole > 0) run(to, add, whole, scalars, from, by);
    if (rest == 0) return;
    for (int k = 0; k < operands; ++k)
      if (by[k])
        from[k] =
            padded(pad[k], static_cast<const char*>(from[k]) + whole * x[k].element, rest, x[k].element);
    char* const last = pad[Broadcast::most];
    padded(last, to + whole * y_element, add ? rest : 0, y_element);
    run(last, add, block, scalars, from, by);
    std::memcpy(to + whole * y_element, last, std::size_t(rest * y_element));
  }

 private:
  const char* padded(char* pad, const char* numbers, Index n, Index element) const {
    std::memset(pad, 0, std::size_t(block * element));
    std::memcpy(pad, numbers, std::size_t(n * element));
    return pad;
  }
};

/// Rows [r, r + n) of operand k as y has them.
inline const char* laid_out(char* to, const Broadcast& loops, const Operand& x, int k, Index r, Index n) {
  const Index length = loops.size[0], bytes = length * x.element;
  for (Index i = 0; i < n; ++i) {
    const char* const row = x.data + loops.offset(k, r + i) * x.element;
    if (loops.stride[k][0])
      std::memcpy(to + i * bytes, row, std::size_t(bytes));
    else
      repeat(to + i * bytes, row, x.element, length);
  }
  return to;
}

/// Long rows one by one; of short ones as many at a time as a small buffer of each operand holds.
inline void map_broadcast(const Pass& pass, char* y, const Shape& shape) {
  constexpr Index room = 4096;  // bytes
  const Shape* of[Broadcast::most];
  for (int k = 0; k < pass.operands; ++k) of[k] = &pass.x[k].shape;
  const Broadcast loops(shape, of, pass.operands);
  const Index length = loops.size[0];
  Index together = room;
  for (int k = 0; k < pass.operands; ++k)
    together = std::min(together, std::max<Index>(1, room / (length * pass.x[k].element)));
  if (together > pass.block) together -= together % pass.block;  // whole blocks, whatever the length
  parallel_for(shape.size() / length, std::max<Index>(1, map_grain / length), [&](Index first, Index last) {
    alignas(64) char buffer[Broadcast::most][room];
    Index there[Broadcast::most] = {};  // rows that are in the buffer, where all rows are the same
    for (Index r = first; r < last; r += together) {
      const Index n = std::min(together, last - r);
      const void* from[Broadcast::most];
      Index by[Broadcast::most];
      for (int k = 0; k < pass.operands; ++k) {
        const Operand& x = pass.x[k];
        by[k] = x.shape.size() > 1 && (n > 1 || loops.stride[k][0]) ? 1 : 0;
        if (n > 1 && x.shape.size() > 1 && x.shape.size() < shape.size()) {
          from[k] = buffer[k];
          if (there[k] < n) laid_out(buffer[k], loops, x, k, r, n);
          if (x.shape.size() == length) there[k] = n;
        } else
          from[k] = x.data + loops.offset(k, r) * x.element;
      }
      pass(y + r * length * pass.y_element, n * length, from, by);
    }
  });
}

/// Elements [first, first + n) of operands that have y's size, or are a single number.
inline void map_flat(const Pass& pass, char* to, Index first, Index n) {
  const void* from[Broadcast::most];
  Index by[Broadcast::most];
  for (int k = 0; k < pass.operands; ++k) {
    by[k] = pass.x[k].shape.size() == 1 ? 0 : 1;
    from[k] = pass.x[k].data + first * by[k] * pass.x[k].element;
  }
  pass(to, n, from, by);
}

inline void map(const Pass& pass, char* y, const Shape& shape) {
  const Index n = shape.size();
  // Shapes broadcast to y's, so one of y's size is y's but for axes of 1. The common case: no broadcast, or
  // of single numbers.
  for (int k = 0; k < pass.operands; ++k)
    if (pass.x[k].shape.size() != n && pass.x[k].shape.size() != 1) return map_broadcast(pass, y, shape);
  parallel_for(n, map_grain, [&](Index first, Index last) {
    map_flat(pass, y + first * pass.y_element, first, last - first);
  });
}

}  // namespace detail

/// y = f(x…, scalars…); operands broadcast to y's shape. At most four.
template <class T, class Y, class... U>
void map(detail::RunFormula f, const Sink<Y>& y, const T* scalars, const View<U>&... x) {
  const auto to = y.open();
  if (!to || y.size() == 0) return;
  const detail::Operand operands[] = {{reinterpret_cast<const char*>(x.data), sizeof(U), x.shape}...};
  const detail::Pass pass{f, Wide<T>::size, scalars, sizeof(Y), to.add, operands, int(sizeof...(U))};
  detail::map(pass, reinterpret_cast<char*>(to.data), y.shape);
}

}  // namespace gradus::cpu
