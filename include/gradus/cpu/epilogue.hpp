// SPDX-License-Identifier: MIT
// What happens to the finished rows of a product while they are hot: y = F(c + bias), or dz = c · F′(y).
#pragma once

#include <gradus/cpu/map.hpp>

namespace gradus::cpu {

template <class T> struct EpilogueRows {
  const T* bias;  // nullptr: none
  Index columns;
};

/// F(c + bias) over `rows` whole rows of c, in place: a block of columns at a time, whose bias stays in a
/// register. A single column, or no bias: all rows are one.
template <class F, class T> void finish_rows(const void* context, T* c, Index, Index rows) {
  const auto& e = *static_cast<const EpilogueRows<T>*>(context);
  constexpr Index W = Wide<T>::size;
  const bool one = !e.bias || e.columns == 1;
  const Index N = one ? rows * e.columns : e.columns, M = one ? 1 : rows;
  const Wide<T> same(e.bias ? *e.bias : T(-0.0));  // x + −0 is x, −0 too
  for (Index i = 0; i < N; i += W) {
    const Index n = std::min(W, N - i);
    const auto bias = one ? same : Wide<T>::load_partial(e.bias + i, n);
    T* at = c + i;
    for (Index r = 0; r < M; ++r, at += N)
      detail::store<T>(at, F::value((n == W ? Wide<T>::load(at) : Wide<T>::load_partial(at, n)) + bias),
                       false, n);
  }
}

template <class T> struct SlopeRows {
  detail::RunFormula slope;  // of y and c
  const T* y;
  Index columns;
};

/// c = c · F′(y) over whole rows, of which the first is c's `row`.
template <class T> void finish_slope(const void* context, T* c, Index row, Index rows) {
  const auto& e = *static_cast<const SlopeRows<T>*>(context);
  const Shape shape{rows, e.columns};
  const detail::Operand operands[] = {
      {reinterpret_cast<const char*>(e.y + row * e.columns), sizeof(T), shape},
      {reinterpret_cast<const char*>(c), sizeof(T), shape}};
  const detail::Pass pass{e.slope, Wide<T>::size, nullptr, sizeof(T), false, operands, 2};
  detail::map_flat(pass, reinterpret_cast<char*>(c), 0, shape.size());
}

}  // namespace gradus::cpu
