// SPDX-License-Identifier: MIT
// What happens to the finished rows of a product while they are hot: y = F(c + bias).
#pragma once

#include <gradus/cpu/map.hpp>

namespace gradus::cpu {

struct PlusBias {
  template <class X> static X value(X c, X b) { return c + b; }
};
template <class F> struct Activated {
  template <class X> static X value(X c) { return F::value(c); }
  template <class X> static X value(X c, X b) { return F::value(c + b); }
};

template <class T> struct EpilogueRows {
  const T* bias;  // nullptr: none
  Index columns;
};

/// F over `rows` whole rows of c, in place: a block of columns at a time, whose bias stays in a register. A
/// single column is one run with a constant bias.
template <class F, class T> void finish_rows(const void* context, T* c, Index, Index rows) {
  const auto& e = *static_cast<const EpilogueRows<T>*>(context);
  using detail::Run;
  constexpr Index W = Wide<T>::size;
  const Index N = e.columns;
  if (!e.bias) {
    if constexpr (requires(Wide<T> x) { F::value(x); })
      detail::run_plain<F, T>(c, false, rows * N, Run<T, T>(c, 1));
  } else if (N == 1) {
    detail::run_plain<F, T>(c, false, rows, Run<T, T>(c, 1), Run<T, T>(e.bias, 0));
  } else {
    for (Index i = 0; i < N; i += W) {
      const Index n = std::min(W, N - i);
      const auto bias = Wide<T>::load_partial(e.bias + i, n);
      T* at = c + i;
      if (n == W)
        for (Index r = 0; r < rows; ++r, at += N) F::value(Wide<T>::load(at), bias).store(at);
      else
        for (Index r = 0; r < rows; ++r, at += N)
          F::value(Wide<T>::load_partial(at, n), bias).store_partial(at, n);
    }
  }
}

}  // namespace gradus::cpu
