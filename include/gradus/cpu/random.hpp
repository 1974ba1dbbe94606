// SPDX-License-Identifier: MIT
// Random numbers as kernels: each element's draw depends on its place and on the stream, not on the order of
// work.
#pragma once

#include <gradus/core/random.hpp>
#include <gradus/cpu/map.hpp>

namespace gradus::cpu {

/// y = x / (1 − p) with probability 1 − p, else 0 (inverted dropout: Srivastava et al., JMLR 15, 2014). The
/// backward pass is the same kernel on dy with the same stream: no mask is kept.
template <class T> void dropout(const Sink<T>& y, const View<T>& x, double p, const random::Stream& stream) {
  const auto to = y.open();
  if (!to) return;
  const auto threshold = static_cast<std::uint32_t>(p * 4294967295.0);
  const T scale = T(1 / (1 - p));
  constexpr Index W = 4;  // words in a Philox block
  parallel_for((x.size() + W - 1) / W, 1024, [&](Index first, Index last) {
    for (Index b = first; b < last; ++b) {
      const random::Block words = stream.block(b);
      for (Index i = b * W, k = 0; k < W && i < x.size(); ++i, ++k) {
        const T v = words[std::size_t(k)] >= threshold ? x.data[i] * scale : T(0);
        to.data[i] = to.add ? to.data[i] + v : v;
      }
    }
  });
}

}  // namespace gradus::cpu
