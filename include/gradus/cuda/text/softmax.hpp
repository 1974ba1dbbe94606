// SPDX-License-Identifier: MIT
// Softmax and its relatives, after text::lanes; every one subtracts the maximum first.
#pragma once

namespace gradus::cuda::text {

inline constexpr char softmax[] = R"(
// max x, or 0 where that is not finite: then x - m is no inf - inf
GRADUS_INLINE T gradus_shift(const T* x, Index n, Index stride) {
  const T m = gradus_extreme(x, n, stride).value;
  return m - m == (T)0 ? m : (T)0;
}
GRADUS_INLINE T gradus_sum_exp(const T* x, Index n, Index stride, T m) {
  T s = 0;
  for (Index k = threadIdx.x % LANES; k < n; k += LANES) s += exp(x[k * stride] - m);
  return gradus_lanes_sum(s);
}

// y = log sum exp x
GRADUS_KERNEL
gradus_logsumexp(T* y, bool add, const T* x, Index outer, Index n, Index inner) {
  GRADUS_EACH_GROUP {
    const T* row = x + GRADUS_AT;
    const T m = gradus_shift(row, n, inner), s = gradus_sum_exp(row, n, inner, m);
    if (lane == 0) gradus_put(y + r, add, m + log(s));
  }
}

// y = exp(x - m) / sum, or (x - m) - log sum
GRADUS_KERNEL
gradus_softmax(T* y, bool add, const T* x, Index outer, Index n, Index inner, bool logarithm) {
  GRADUS_EACH_GROUP {
    const Index at = GRADUS_AT;
    const T m = gradus_shift(x + at, n, inner), s = gradus_sum_exp(x + at, n, inner, m), log_s = log(s);
    for (Index k = lane; k < n; k += LANES) {
      const T d = x[at + k * inner] - m;
      gradus_put(y + at + k * inner, add, logarithm ? d - log_s : exp(d) / s);
    }
  }
}

// softmax: dx = y (dy - sum dy y); its logarithm: dx = dy - exp(y) sum dy
GRADUS_KERNEL
gradus_softmax_slope(T* dx, bool add, const T* y, const T* dy, Index outer, Index n, Index inner,
                     bool logarithm) {
  GRADUS_EACH_GROUP {
    const Index at = GRADUS_AT;
    T s = 0;
    for (Index k = lane; k < n; k += LANES) {
      const Index i = at + k * inner;
      s += logarithm ? dy[i] : dy[i] * y[i];
    }
    s = gradus_lanes_sum(s);
    for (Index k = lane; k < n; k += LANES) {
      const Index i = at + k * inner;
      gradus_put(dx + i, add, logarithm ? dy[i] - exp(y[i]) * s : y[i] * (dy[i] - s));
    }
  }
}
)";

inline constexpr char softmax_cross_entropy[] = R"(
// y[b] = log sum exp(z - m) - (1 - e) (z[t] - m) - e mean(z - m); kept [2, B]: m, log sum
GRADUS_KERNEL
gradus_softmax_cross_entropy(T* y, bool add, T* kept, const T* z, const int* t, Index outer, Index n,
                             T smoothing, Complaint* complaint) {
  const Index inner = 1;
  GRADUS_EACH_GROUP {
    const T* row = z + GRADUS_AT;
    const T m = gradus_shift(row, n, 1), s = log(gradus_sum_exp(row, n, 1, m));
    T spread = 0;
    if (smoothing != 0) {  // 0 inf is none
      for (Index k = lane; k < n; k += LANES) spread += row[k] - m;
      spread = smoothing / (T)n * gradus_lanes_sum(spread);
    }
    if (lane == 0) {
      const T hit = row[gradus_index(t, r, n, complaint)] - m;
      kept[r] = m;
      kept[outer + r] = s;
      gradus_put(y + r, add, s - ((T)1 - smoothing) * hit - spread);
    }
  }
}

// dz = dy (exp(z - m - log sum) - (1 - e) [c = t] - e / n)
GRADUS_KERNEL
gradus_softmax_cross_entropy_slope(T* dz, bool add, const T* z, const T* kept, const int* t, const T* dy,
                                   Index rows, Index n, T smoothing) {
  const T spread = smoothing / (T)n;
  for (Index i = gradus_thread(); i < rows * n; i += gradus_threads()) {
    const Index b = i / n;
    const T g = dy[b];
    T d = g * (exp(z[i] - kept[b] - kept[rows + b]) - spread);
    if (t[b] == i - b * n) d -= g * ((T)1 - smoothing);
    gradus_put(dz + i, add, d);
  }
}

// l = scale sum y, and dz its slope; a block has `part` rows, of which its lanes take one after the other
GRADUS_KERNEL
gradus_softmax_cross_entropy_sum(T* l, bool add, T* dz, T* partial, unsigned* counter, const T* z, const int* t,
                                 Index outer, Index n, Index part, T smoothing, T scale,
                                 Complaint* complaint) {
  const Index lane = threadIdx.x % LANES, first = blockIdx.x * part;
  const Index last = first + part < outer ? first + part : outer;
  const T share = smoothing / (T)n;
  T sum = 0;
  for (Index b = first + threadIdx.x / LANES; b < last; b += 256 / LANES) {
    const T* row = z + b * n;
    const T m = gradus_shift(row, n, 1), s = log(gradus_sum_exp(row, n, 1, m));
    T spread = 0;
    if (smoothing != 0) {  // 0 inf is none
      for (Index k = lane; k < n; k += LANES) spread += row[k] - m;
      spread = share * gradus_lanes_sum(spread);
    }
    const Index label = gradus_index(t, b, n, complaint);
    if (lane == 0) sum += s - ((T)1 - smoothing) * (row[label] - m) - spread;
    if (dz)
      for (Index k = lane; k < n; k += LANES) {
        T d = scale * (exp(row[k] - m - s) - share);
        if (k == label) d -= scale * ((T)1 - smoothing);
        dz[b * n + k] = d;
      }
  }
  sum = gradus_block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
  gradus_sum_parts(l, add, scale, partial, gridDim.x, counter);
}
)";

}  // namespace gradus::cuda::text
