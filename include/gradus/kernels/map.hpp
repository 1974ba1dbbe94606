// SPDX-License-Identifier: MIT
// THE CONTRACT: what every device can do. Kernels write into Sinks, read Views, and are called by their
// qualified names. Shapes have been checked by the op that calls; a kernel checks nothing. Every
// other device than the CPU does the same through its table (table.hpp).
#pragma once

#include <gradus/cpu/map.hpp>
#include <gradus/kernels/table.hpp>

namespace gradus::kernels {

/// A formula as a value: F over operands of types U, computed in T, written as Y, with A numbers beside the
/// operands. F is a struct with `template <class X> static X value(X…)`. Loops and broadcasting are the same
/// code for all.
struct Formula {
  cpu::detail::RunFormula run;  ///< on the CPU
  Write write;                  ///< for other devices
};
template <class F, class T, class Y, std::size_t A, class... U> inline constexpr Formula formula{
    &cpu::detail::Formula<F, T, Y, std::make_index_sequence<A>, std::index_sequence_for<U...>, U...>::run,
    &symbolic::Written<F, std::index_sequence_for<U...>, std::make_index_sequence<A>>::write};

struct Identity {
  template <class X> static X value(X x) { return x; }
};

/// y = F(x…, scalars…) for each element; operands broadcast to y's shape, and are read as T: a bool is 0
/// or 1.
template <class T, class Y, class... U>
void map(const Formula& f, const Sink<Y>& y, const T* scalars, const View<U>&... x) {
  if (y.device.is_cpu()) return cpu::map(f.run, y, scalars, x...);
  const Operand operands[] = {x...};
  if (const auto on = elsewhere(y, "map"))
    on->map(f.write, on.to, dtype_of<T>(), scalars, operands, sizeof...(x));
}
template <class F, class T, class Y, std::size_t A, class... U>
void map(const Sink<Y>& y, const std::array<T, A>& scalars, const View<U>&... x) {
  map(formula<F, T, Y, A, U...>, y, scalars.data(), x...);
}

}  // namespace gradus::kernels
