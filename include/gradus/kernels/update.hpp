// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/cpu/update.hpp>
#include <gradus/kernels/map.hpp>

namespace gradus::kernels {

/// A rule as a value: an optimizer may choose one at run time.
template <class T> struct UpdateRule {
  const char* name;
  cpu::RunRule<T> run;
};
template <class Rule, std::size_t A, class T>
inline constexpr UpdateRule<T> update_rule = {Rule::name, &cpu::run_rule<Rule, A, T>};

/// rule(w, g, state, numbers) for each of n elements, in place. `state` are cpu::most_states buffers, whether
/// used or not; `numbers` are in the device's memory: learning rate and step count change, the program on the
/// device does not.
template <class T> void update(const UpdateRule<T>& rule, Device device, T* w, const T* g, T* const* state,
                               const T* numbers, Index n) {
  on_cpu(device, "update");
  cpu::update(rule.run, w, g, state, numbers, n);
}

}  // namespace gradus::kernels
