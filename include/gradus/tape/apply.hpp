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

/// An op with the gradients of its result and of its operands; nullptr: a constant.
template <class Op, class T, class I, class... Ts> struct Node;
template <class Op, class T, std::size_t... I, class... Ts>
struct Node<Op, T, std::index_sequence<I...>, Ts...> : Record {
  Gradient out;
  Gradient* in[sizeof...(Ts)];
  Op op;

  template <class Make> explicit Node(const Make& make, const Tensor<Ts>&... x)
      : Record{&run, nullptr}, in{x.gradient()...}, op(make(x.view()...)) {}

  static void run(Record& record, StepState& state) {
    auto& n = static_cast<Node&>(record);
    if (!std::exchange(n.out.written, false)) return;  // the loss does not depend on it
    Step step(state.device, &state);
    if constexpr (is_differentiable<T>)
      n.op.backward(n.out.template view<T>(), step, gradient_sink<Ts>(n.in[I], state)...);
  }
};

template <class Op, class T>
T result_of(void (Op::*)(const Sink<T>&, Step&));  // the scalar of an op's result
template <class Op, class T> T result_of(void (Op::*)(const Sink<T>&, Step&) const);

template <class X> void join(StepState*& state, Device device, const X& x, const char* who) {
  if (x.device() != device)
    fail<DeviceError>(who, ": operands on ", device.name(), " and ", x.device().name(), "; use .to(device)");
  x.check(who);
  require<TapeError>(!state || !x.step() || state == x.step(), who, ": operands are on two different tapes");
  if (x.step()) state = x.step();
}
template <class X> void enter(StepState& state, const X& x, const char* who) {
  require<TapeError>(!x.untaped() || x.gradient(), who, ": operand ", x.shape(), " comes from parameters ",
                     "off the tape; their gradient would be lost: start from tape.watch(w), or detach()");
  if (!x.step()) state.keep(x.share());
}

}  // namespace detail

/// Runs the op that `make(views…)` returns; records it where an operand on a tape wants a gradient. An op has
/// `shape()`, `forward(Sink y, Step&)`, `backward(View dy, Step&, Sink dx…)`, a `name`; it keeps Views.
template <class Make, class... Ts> auto apply(const char* who, const Make& make, const Tensor<Ts>&... x) {
  using Op = decltype(make(x.view()...));
  using T = decltype(detail::result_of(&Op::forward));
  using Node = detail::Node<Op, T, std::index_sequence_for<Ts...>, Ts...>;
  static_assert(std::is_trivially_destructible_v<Op>, "an op keeps Views: its record is never visited");
  const Device devices[] = {x.device()...}, device = devices[0];
  detail::StepState* state = nullptr;
  (detail::join(state, device, x, who), ...);
  if (state) (detail::enter(*state, x, who), ...);
  const bool recorded = state && is_differentiable<T> && (x.wants_gradient() || ...);
  alignas(Node) std::byte own[sizeof(Node)];  // off the tape, and where no gradient is wanted
  auto* const node = new (recorded ? state->records.get(sizeof(Node)) : own) Node(make, x...);
  Step step(device, state);
  Sink<T> y{nullptr, node->op.shape(), device};
  const std::size_t bytes = std::size_t(y.size()) * sizeof(T);
  const detail::Share memory(state ? nullptr : detail::allocate(device, bytes));
  y.data = static_cast<T*>(state ? state->numbers.get(bytes) : memory.get()->data);
  node->op.forward(y, step);
  if (!state)
    return Tensor<T>(Array<T>::over(y.view(), memory), is_differentiable<T> && (x.untaped() || ...));
  if (!recorded) return Tensor<T>(y.view(), *state, nullptr);
  node->out.shape = y.shape, node->out.device = device;
  node->previous = std::exchange(state->last, node);  // only now: forward may have thrown
  return Tensor<T>(y.view(), *state, &node->out);
}

template <class Make, class... Ts> auto apply(const Make& make, const Tensor<Ts>&... x) {
  return apply(decltype(make(x.view()...))::name, make, x...);
}

}  // namespace gradus
