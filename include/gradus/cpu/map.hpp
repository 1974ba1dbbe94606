// SPDX-License-Identifier: MIT
// y = F(x₁, x₂, …): one pass over memory, whatever the formula. Operands broadcast as NumPy's.
#pragma once

#include <array>

#include <gradus/core/parallel.hpp>
#include <gradus/core/sink.hpp>
#include <gradus/cpu/elementary.hpp>
#include <gradus/cpu/wide.hpp>

namespace gradus::cpu {
namespace detail {

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
template <class T, class U> Wide<T> load_partial(const U* from, Index n) {
  if constexpr (std::is_same_v<T, U>)
    return Wide<T>::load_partial(from, n);
  else {
    T numbers[Wide<T>::size] = {};
    for (Index k = 0; k < n; ++k) numbers[k] = static_cast<T>(from[k]);
    return Wide<T>::load(numbers);
  }
}
template <class T, class Y> void store(Y* to, const Wide<T>& y, bool add, Index n = Wide<T>::size) {
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

/// An operand along a run: contiguous (by = 1), or one number for the whole run (by = 0).
template <class T, class U> struct Run {
  const U* data;
  Index by;
  Wide<T> constant;
  Run(const U* d, Index step) : data(d), by(step), constant(step ? T(0) : static_cast<T>(*d)) {}
  /// The block at i, of which `left` numbers or all are there.
  Wide<T> at(Index i, Index left) const {
    if (!by) return constant;
    return left >= Wide<T>::size ? load<T>(data + i) : load_partial<T>(data + i, left);
  }
};

/// y (+)= F(x…, scalars…) along a run. Tails are padded and never scalar, so that a value does not depend on
/// its position.
template <class F, class T, class Y, std::size_t... A, class... R>
void run(Y* y, bool add, Index n, [[maybe_unused]] const T* scalars, std::index_sequence<A...>,
         const R&... x) {
  constexpr Index W = Wide<T>::size;
  const Wide<T> s[] = {Wide<T>(scalars[A])..., Wide<T>(T(0))};
  Index i = 0;
  if constexpr ((std::is_same_v<R, Run<T, T>> && ...) && std::is_same_v<Y, T>) {
    if (!add && (x.by && ...))  // the common case: nothing but loads, the formula, and a store
      for (; i + W <= n; i += W) Wide<T>(F::value(Wide<T>::load(x.data + i)..., s[A]...)).store(y + i);
  }
  for (; i < n; i += W)
    store<T>(y + i, Wide<T>(F::value(x.at(i, n - i)..., s[A]...)), add, std::min(W, n - i));
}
/// Without scalars.
template <class F, class T, class... R> void run_plain(T* y, bool add, Index n, const R&... x) {
  run<F, T>(y, add, n, nullptr, std::index_sequence<>(), x...);
}

/// A formula over one run, with its types forgotten: all that a further formula adds to a program. The loops
/// around it are the same code for all of them.
using RunFormula = void (*)(void* y, bool add, Index n, const void* scalars, const void* const* x,
                            const Index* by);

template <class F, class T, class Y, std::size_t A, class... U> struct Formula {
  static void run(void* y, bool add, Index n, const void* scalars, const void* const* x, const Index* by) {
    unpack(y, add, n, scalars, x, by, std::index_sequence_for<U...>());
  }
  template <std::size_t... K> static void unpack(void* y, bool add, Index n, const void* scalars,
                                                 const void* const* x, const Index* by,
                                                 std::index_sequence<K...>) {
    detail::run<F, T>(static_cast<Y*>(y), add, n, static_cast<const T*>(scalars),
                      std::make_index_sequence<A>(), Run<T, U>(static_cast<const U*>(x[K]), by[K])...);
  }
};

/// What the loops need to know of an operand.
struct Operand {
  const char* data;
  Index element;  // bytes
  const Shape& shape;
};

/// The loops of a broadcast: neighbouring axes along which every operand moves alike are one, axes of size 1
/// none.
struct Broadcast {
  static constexpr int most = 4;  // operands
  int rank = 0;
  Index size[Shape::max_rank] = {};
  Index stride[most][Shape::max_rank] = {};

  Broadcast(const Shape& y, const Operand* x, int operands) {
    Index step[most] = {1, 1, 1, 1};
    for (int axis = y.rank() - 1; axis >= 0; --axis) {  // from the innermost, which is loop 0
      if (y[axis] == 1) continue;
      Index now[most] = {};
      bool joins = rank > 0;
      for (int k = 0; k < operands; ++k) {
        const int own = axis - (y.rank() - x[k].shape.rank());
        const Index n = own < 0 ? 1 : x[k].shape[own];
        now[k] = n == 1 ? 0 : step[k];
        step[k] *= n;
        joins = joins && now[k] == stride[k][rank - 1] * size[rank - 1];
      }
      if (!joins) {
        for (int k = 0; k < operands; ++k) stride[k][rank] = now[k];
        size[rank++] = y[axis];
      } else {
        size[rank - 1] *= y[axis];
      }
    }
    if (rank == 0) size[rank++] = 1;
  }
};

inline void map_broadcast(RunFormula f, char* y, Index y_element, bool add, const Shape& shape,
                          const void* scalars, const Operand* x, int operands) {
  const Broadcast loops(shape, x, operands);
  const Index length = loops.size[0];
  parallel_for(shape.size() / length, std::max<Index>(1, map_grain / length), [&](Index first, Index last) {
    for (Index r = first; r < last; ++r) {
      const void* from[Broadcast::most];
      Index by[Broadcast::most];
      for (int k = 0; k < operands; ++k) {
        Index offset = 0, rest = r;
        for (int loop = 1; loop < loops.rank; ++loop) {
          offset += rest % loops.size[loop] * loops.stride[k][loop];
          rest /= loops.size[loop];
        }
        from[k] = x[k].data + offset * x[k].element;
        by[k] = loops.stride[k][0];
      }
      f(y + r * length * y_element, add, length, scalars, from, by);
    }
  });
}

/// Where element `first` of each operand is, and how it goes on: along the result, or one number for all of it.
struct Places {
  const void* from[Broadcast::most];
  Index by[Broadcast::most];

  Places(const Operand* x, int operands, Index first) {
    for (int k = 0; k < operands; ++k) {
      by[k] = x[k].shape.size() == 1 ? 0 : 1;
      from[k] = x[k].data + first * by[k] * x[k].element;
    }
  }
};

inline void map(RunFormula f, char* y, Index y_element, bool add, const Shape& shape, const void* scalars,
                const Operand* x, int operands) {
  const Index n = shape.size();
  // Shapes broadcast to y's, so one of y's size is y's but for axes of 1. The common case: no broadcast, or
  // of single numbers.
  for (int k = 0; k < operands; ++k)
    if (x[k].shape.size() != n && x[k].shape.size() != 1)
      return map_broadcast(f, y, y_element, add, shape, scalars, x, operands);
  parallel_for(n, map_grain, [&](Index first, Index last) {
    const Places at(x, operands, first);
    f(y + first * y_element, add, last - first, scalars, at.from, at.by);
  });
}

}  // namespace detail

/// y = f(x…, scalars…); operands broadcast to y's shape. At most four.
template <class T, class Y, class... U>
void map(detail::RunFormula f, const Sink<Y>& y, const T* scalars, const View<U>&... x) {
  const auto to = y.open();
  if (!to || y.size() == 0) return;
  const detail::Operand operands[] = {{reinterpret_cast<const char*>(x.data), sizeof(U), x.shape}...};
  detail::map(f, reinterpret_cast<char*>(to.data), sizeof(Y), to.add, y.shape, scalars, operands,
              sizeof...(U));
}

}  // namespace gradus::cpu
