// SPDX-License-Identifier: MIT
// The only road from an op to the tape: check, allocate, forward, record.
#pragma once

#include <gradus/tape/parameter.hpp>

namespace gradus {
namespace detail {

/// An op with the gradients of its N operands; nullptr: a constant.
template <class Op, class T, std::size_t N, class I, class... Ts> struct Node;
template <class Op, class T, std::size_t N, std::size_t... I, class... Ts>
struct Node<Op, T, N, std::index_sequence<I...>, Ts...> : Record {
  Gradient* in[N];
  Op op;

  template <class Make> explicit Node(const Make& make, const Tensor<Ts>&... x)
      : Record{&run, nullptr, {}}, in{x.gradient()...}, op(make(x.view()...)) {}

  static void run(Record& record, StepState& state) {
    auto& n = static_cast<Node&>(record);
    Step step(state.device, &state);
    const View<T> dy = n.out.template view<T>();
    if constexpr (requires { Op::most_operands; })
      n.op.backward(dy, step, Sinks<T>{state, n.in});
    else if constexpr (is_differentiable<T>)
      n.op.backward(dy, step, state.sink<Ts>(n.in[I])...);
  }
};

template <class Op, class T> T result_of(void (Op::*)(const Sink<T>&, Step&));  // an op's scalar
template <class Op, class T> T result_of(void (Op::*)(const Sink<T>&, Step&) const);

/// What forward has written: it may have thrown, so only now the record joins its tape.
template <class T>
inline Tensor<T> finish(const Call& call, const Sink<T>& y, const Share& memory, Record* record) {
  if (!call.state) return Tensor<T>(Array<T>::over(y, memory), is_differentiable<T> && call.untaped);
  if (!record) return Tensor<T>(y, *call.state, nullptr);
  call.state->join(*record, y.shape, y.device);
  return Tensor<T>(y, *call.state, &record->out);
}

/// apply() of operands x and `more` parameters, up to N operands in all.
template <class T, std::size_t N, class Make, class... Ts>
Tensor<T> run(const char* who, const Parameter<T>* const* more, std::size_t n, const Make& make,
              const Tensor<Ts>&... x) {
  using Op = decltype(make(x.view()...));
  using Node = detail::Node<Op, T, N, std::index_sequence_for<Ts...>, Ts...>;
  static_assert(std::is_trivially_destructible_v<Op>, "an op keeps Views: its record is never visited");
  const AnyOperand operands[] = {{x.shape(), x.device(), x.share(), x.ticket()}...};
  Call call(who, operands);
  for (std::size_t k = 0; k < n; ++k)
    if (const auto* p = more[k]) call.add({p->shape(), p->device(), p->value().share(), p->ticket()});
  const bool recorded = call.state && call.wanted && is_differentiable<T>;
  alignas(Node) std::byte own[sizeof(Node)];  // off the tape, and where no gradient is wanted
  auto* const node = new (recorded ? call.state->records.get(sizeof(Node)) : own) Node(make, x...);
  for (std::size_t k = 0; k < n && sizeof...(x) + k < N; ++k)
    node->in[sizeof...(x) + k] = more[k] ? &more[k]->leaf().gradient : nullptr;
  Sink<T> y{nullptr, node->op.shape(), call.device};
  const Share memory = call.allocate(y);
  Step step(call.device, call.state, recorded);
  node->op.forward(y, step);
  return finish(call, y, memory, recorded ? node : nullptr);
}

}  // namespace detail

/// Runs the op that `make(views…)` returns; records it where an operand on a tape wants a gradient. An op has
/// `shape()`, `forward(Sink y, Step&)`, `backward(View dy, Step&, Sink dx…)`, a `name`; it keeps Views.
template <class Make, class... Ts> auto apply(const char* who, const Make& make, const Tensor<Ts>&... x) {
  using T = decltype(detail::result_of(&decltype(make(x.view()...))::forward));
  return detail::run<T, sizeof...(x)>(who, nullptr, 0, make, x...);
}
template <class Make, class... Ts> auto apply(const Make& make, const Tensor<Ts>&... x) {
  return apply(decltype(make(x.view()...))::name, make, x...);
}
/// The same for x and n parameters (nullptr: left out), up to Op::most_operands; backward gets detail::Sinks.
template <class Make, class T>
Tensor<T> apply(const Make& make, const Tensor<T>& x, const Parameter<T>* const* parameters, std::size_t n) {
  using Op = decltype(make(x.view()));
  return detail::run<T, Op::most_operands>(Op::name, parameters, n, make, x);
}

}  // namespace gradus
