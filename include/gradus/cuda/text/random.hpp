// SPDX-License-Identifier: MIT
#pragma once

namespace gradus::cuda::text {

// y = x scale where word i mod 4 of block i / 4 of Philox4x32-10 is at least the threshold, else 0
inline constexpr char dropout[] = R"(
struct Words { unsigned w[4]; };
GRADUS_INLINE Words gradus_philox(unsigned long long block, unsigned long long seed, unsigned long long id) {
  unsigned c0 = (unsigned)block, c1 = (unsigned)(block >> 32), c2 = (unsigned)id, c3 = (unsigned)(id >> 32);
  unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned long long a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
    c0 = (unsigned)(b >> 32) ^ c1 ^ k0;
    c1 = (unsigned)b;
    c2 = (unsigned)(a >> 32) ^ c3 ^ k1;
    c3 = (unsigned)a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}
GRADUS_KERNEL
gradus_dropout(T* y, bool add, const T* x, Index n, unsigned threshold, T scale, unsigned long long seed,
               unsigned long long id, unsigned long long number, const unsigned long long* added) {
  // Stream::child(draw), by SplitMix64's finaliser
  if (added) number += *added;
  id += (number + 1) * 0x9e3779b97f4a7c15ull;
  id = (id ^ id >> 30) * 0xbf58476d1ce4e5b9ull;
  id = (id ^ id >> 27) * 0x94d049bb133111ebull;
  id ^= id >> 31;
  for (Index b = gradus_thread(); 4 * b < n; b += gradus_threads()) {
    const Words words = gradus_philox((unsigned long long)b, seed, id);
#pragma unroll
    for (int k = 0; k < 4; ++k)
      if (4 * b + k < n)
        gradus_put(y + 4 * b + k, add, words.w[k] >= threshold ? x[4 * b + k] * scale : (T)0);
  }
}
)";

}  // namespace gradus::cuda::text
