// SPDX-License-Identifier: MIT
// An optimizer's step over flat buffers: one pass, whatever the rule.
#pragma once

#include <array>

#include <gradus/core/parallel.hpp>
#include <gradus/cpu/elementary.hpp>

namespace gradus::cpu {

/// Numbers kept for each parameter, and numbers that a rule takes: at most.
constexpr int most_states = 3, most_numbers = 8;

/// A rule over one run of n elements, with its type forgotten.
template <class T> using RunRule = void (*)(T* w, const T* g, T* const* state, const T* numbers, Index n);

/// Rule::update(w, g, state, numbers) for every element, in whole blocks.
template <class Rule, std::size_t A, class T>
void run_rule(T* w, const T* g, T* const* state, const T* numbers, Index n) {
  constexpr Index W = Wide<T>::size;
  constexpr std::size_t S = Rule::states;
  std::array<Wide<T>, A> h;
  for (std::size_t k = 0; k < A; ++k) h[k] = Wide<T>(numbers[k]);
  for (Index i = 0; i < n; i += W) {
    auto value = Wide<T>::load(w + i);
    std::array<Wide<T>, S> s;
    for (std::size_t k = 0; k < S; ++k) s[k] = Wide<T>::load(state[k] + i);
    Rule::update(value, Wide<T>::load(g + i), s, h);
    value.store(w + i);
    for (std::size_t k = 0; k < S; ++k) s[k].store(state[k] + i);
  }
}

/// Buffers are padded to whole blocks of 64 bytes, so that there is no tail; n counts the padding, whose
/// values stay 0.
template <class T>
void update(RunRule<T> rule, T* w, const T* g, T* const* state, const T* numbers, Index n) {
  parallel_for(n, 32768, [&](Index first, Index last) {
    T* part[most_states];
    for (int k = 0; k < most_states; ++k) part[k] = state[k] ? state[k] + first : nullptr;
    rule(w + first, g + first, part, numbers, last - first);
  });
}

}  // namespace gradus::cpu
