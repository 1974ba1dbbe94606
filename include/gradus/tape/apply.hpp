// SPDX-License-Identifier: MIT
// The only road from an op to the tape: check, allocate, forward, record.
#pragma once

#include <gradus/tape/parameter.hpp>

namespace gradus {
namespace detail {

template <class U> Sink<U> gradient_sink(Gradient* g, StepState& state) {
  if (!is_differentiable<U> || !g || !g->wanted) return {};
  if (!g->data) g->data = g->allocate ? g->allocate(*g) : state.allocate<U>(g->shape.size());
  return {static_cast<U*>(g->data), g->shape, g->device, g};
}

/// An op with the gradients of its operands; nullptr: a constant.
template <class Op, class T, class I, class... Ts> struct Node;
template <class Op, class T, std::size_t... I, class... Ts>
struct Node<Op, T, std::index_sequence<I...>, Ts...> : Record {
  Gradient* in[sizeof...(Ts)];
  Op op;

  template <class Make> explicit Node(const Make& make, const Tensor<Ts>&... x)
      : Record{&run, nullptr, {}}, in{x.gradient()...}, op(make(x.view()...)) {}

  static void run(Record& record, StepState& state) {
    auto& n = static_cast<Node&>(record);
    Step step(state.device, &state);
    if constexpr (is_differentiable<T>)
      n.op.backward(n.out.template view<T>(), step, gradient_sink<Ts>(n.in[I], state)...);
  }
};

template <class Op, class T>
T result_of(void (Op::*)(const Sink<T>&, Step&));  // the scalar of an op's result
template <class Op, class T> T result_of(void (Op::*)(const Sink<T>&, Step&) const);

template <class T> inline Share allocate(Sink<T>& y, StepState* state) {
  const Share memory(state ? nullptr : allocate(y.device, std::size_t(y.size()) * sizeof(T)));
  y.data = state ? state->allocate<T>(y.size()) : static_cast<T*>(memory.get()->data);
  return memory;
}
/// What forward has written: it may have thrown, so only now the record joins its tape.
template <class T>
inline Tensor<T> finish(const Call& call, const Sink<T>& y, const Share& memory, Record* record) {
  if (!call.state) return Tensor<T>(Array<T>::over(y, memory), is_differentiable<T> && call.untaped);
  if (!record) return Tensor<T>(y, *call.state, nullptr);
  record->out.shape = y.shape, record->out.device = y.device;
  record->previous = std::exchange(call.state->last, record);
  return Tensor<T>(y, *call.state, &record->out);
}

}  // namespace detail

/// Runs the op that `make(views…)` returns; records it where an operand on a tape wants a gradient. An op has
/// `shape()`, `forward(Sink y, Step&)`, `backward(View dy, Step&, Sink dx…)`, a `name`; it keeps Views.
template <class Make, class... Ts> auto apply(const char* who, const Make& make, const Tensor<Ts>&... x) {
  using Op = decltype(make(x.view()...));
  using T = decltype(detail::result_of(&Op::forward));
  using Node = detail::Node<Op, T, std::index_sequence_for<Ts...>, Ts...>;
  static_assert(std::is_trivially_destructible_v<Op>, "an op keeps Views: its record is never visited");
  const detail::AnyOperand operands[] = {{x.shape(), x.device(), x.share(), x.ticket()}...};
  const detail::Call call(who, operands);
  const bool recorded = call.state && call.wanted && is_differentiable<T>;
  alignas(Node) std::byte own[sizeof(Node)];  // off the tape, and where no gradient is wanted
  auto* const node = new (recorded ? call.state->records.get(sizeof(Node)) : own) Node(make, x...);
  Sink<T> y{nullptr, node->op.shape(), call.device};
  const detail::Share memory = detail::allocate(y, call.state);
  Step step(call.device, call.state);
  node->op.forward(y, step);
  return detail::finish(call, y, memory, recorded ? node : nullptr);
}

template <class Make, class... Ts> auto apply(const Make& make, const Tensor<Ts>&... x) {
  return apply(decltype(make(x.view()...))::name, make, x...);
}

}  // namespace gradus
