// SPDX-License-Identifier: MIT
// An optimizer's step over flat buffers: one launch, its text generated from the rule.
#pragma once

#include <gradus/cuda/gpu.hpp>

namespace gradus::cuda {
namespace text {

inline constexpr char watch[] = R"(  if (loss) {
    const T now = *loss;
    const bool stop = *halted_before != 0 || !(now - now == 0);
    if (gradus_thread() == 0) {
      *note = now;
      *halted_after = stop;
    }
    if (stop) return;
  }
)";

}  // namespace text

/// w and the state are read and written, g is read; the numbers are the device's, so that what changes from
/// step to step is no argument.
inline std::string update_text(Write rule, Dtype type) {
  using detail::message;
  const int scalars = scalars_of(rule), states = results_of(rule) - 1;
  std::string text = number_text(type) + function_text("rule", rule, type, states + 2, scalars);
  text +=
      "GRADUS_KERNEL gradus_update(T* w, const T* g, const T* numbers, "
      "Index n, const T* loss, const int* halted_before, int* halted_after, T* note";
  for (int k = 0; k < states; ++k) text += message(", T* m", k);
  text += ") {\n";
  text += text::watch;
  for (int k = 0; k < scalars; ++k) text += message("  const T s", k, " = numbers[", k, "];\n");
  text +=
      "  for (Index i = gradus_thread(); i < n / 4; i += gradus_threads()) {\n"
      "    Four<T> fw = ((Four<T>*)w)[i];\n    const Four<T> fg = ((const Four<T>*)g)[i];\n";
  for (int k = 0; k < states; ++k) text += message("    Four<T> f", k, " = ((Four<T>*)m", k, ")[i];\n");
  text += "#pragma unroll\n    for (int e = 0; e < 4; ++e) {\n      rule(fw.e[e]";
  for (int k = 0; k < states; ++k) text += message(", f", k, ".e[e]");
  text += ", fw.e[e], fg.e[e]";
  for (int k = 0; k < states; ++k) text += message(", f", k, ".e[e]");
  for (int k = 0; k < scalars; ++k) text += message(", s", k);
  text += ");\n    }\n    ((Four<T>*)w)[i] = fw;\n";
  for (int k = 0; k < states; ++k) text += message("    ((Four<T>*)m", k, ")[i] = f", k, ";\n");
  return text + "  }\n}\n";
}

/// Buffers are padded to whole lines, so that n is a multiple of 4.
inline void update(Gpu& gpu, Write rule, Dtype type, void* w, const void* g, void* const* state,
                   const void* numbers, Index n, const kernels::Watch& watch) {
  Kernel& kernel = gpu.modules.get({reinterpret_cast<const void*>(rule), unsigned(type)}, "gradus_update",
                                   [&] { return update_text(rule, type); });
  if (kernel.extra < 0) kernel.extra = results_of(rule) - 1;
  Arguments a;
  a << w << g << numbers << n << watch.loss << watch.halted_before << watch.halted_after << watch.note;
  for (int k = 0; k < kernel.extra; ++k) a << state[k];
  a.launch(gpu, kernel, gpu.grid(n / 4));
}

}  // namespace gradus::cuda
