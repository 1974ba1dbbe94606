// SPDX-License-Identifier: MIT
// The parts around a formula that are the same for all.
#pragma once

namespace gradus::cuda::text {

// y (+)= formula(…), four elements a thread and then the rest
inline constexpr char map_flat_begin[] = R"() {
  Index done = 0;
  if (by_four) done = n / 4 * 4;
  for (Index i = gradus_thread(); i < done / 4; i += gradus_threads()) {
)";
inline constexpr char map_flat_four[] = R"(    Four<Y> r;
    if (add) r = ((const Four<Y>*)y)[i];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      T v;
      )";
inline constexpr char map_flat_rest[] = R"(;
      r.e[k] = add ? (Y)(r.e[k] + v) : (Y)v;
    }
    ((Four<Y>*)y)[i] = r;
  }
  for (Index i = done + gradus_thread(); i < n; i += gradus_threads()) {
    T v;
    )";
inline constexpr char map_flat_end[] = R"(;
    y[i] = add ? (Y)(y[i] + v) : (Y)v;
  }
}
)";

// stride 0: the operand is repeated along that loop; loop 0 is the innermost
inline constexpr char map_loops[] = R"(
struct Loops { Index size[6], stride[4][6]; };
)";
inline constexpr char map_broadcast_begin[] = R"() {
  for (Index i = gradus_thread(); i < n; i += gradus_threads()) {
    I rest = (I)i;
)";
inline constexpr char map_broadcast_loops[] = R"(#pragma unroll
    for (int d = 0; d < RANK; ++d) {
      const I above = rest / (I)loops.size[d], place = rest - above * (I)loops.size[d];
      rest = above;
)";
inline constexpr char map_broadcast_rest[] = R"(    }
    T v;
    )";
inline constexpr char map_broadcast_end[] = R"(;
    y[i] = add ? (Y)(y[i] + v) : (Y)v;
  }
}
)";

}  // namespace gradus::cuda::text
