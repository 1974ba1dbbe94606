// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/update.hpp>
#include <gradus/kernels/table.hpp>

namespace gradus::kernels {

/// A rule as a value: an optimizer may choose one at run time.
template <class T> struct UpdateRule {
  const char* name;
  cpu::RunRule<T> run;  ///< on the CPU
  Write write;          ///< for other devices
};
template <class Rule, std::size_t A, class T> inline constexpr UpdateRule<T> update_rule = {
    Rule::name, &cpu::run_rule<Rule, A, T>, &symbolic::write_rule<Rule, A>};

/// rule(w, g, state, numbers) for each of n elements, in place. `state` are cpu::most_states buffers, nullptr
/// where the rule keeps less; `numbers` are in the device's memory: learning rate and step count change, the
/// program on the device does not. Buffers end at a multiple of 4 numbers: elsewhere than on the CPU n must be
/// one, or the last ones stay as they were.
template <class T> void update(const UpdateRule<T>& rule, Device device, T* w, const T* g, T* const* state,
                               const T* numbers, Index n, const Watch& watch = {}) {
  if (device.is_cpu()) return cpu::update(rule.run, w, g, state, numbers, n);
  void* kept[cpu::most_states];
  for (int k = 0; k < cpu::most_states; ++k) kept[k] = state[k];
  table(device, "update").update(rule.write, dtype_of<T>(), w, g, kept, numbers, n, watch);
}

}  // namespace gradus::kernels
