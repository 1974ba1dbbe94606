// SPDX-License-Identifier: MIT
// The training step of hand_written.hpp as fast as the authors can make it: one kernel for the whole net on
// Eigen's internal packets. Tiles of products end in the activation or in Adam before their sums leave the
// registers, and nothing is computed twice or kept: the floor for steps of separate ops.
//
// Weights lie as [in, out], the second layer is a vector, and w2 is multiplied into dW1 and db1 after the sum
// over the batch.
#pragma once

#include <utility>

#include "bench/train/hand.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // packets as template arguments

namespace bench {

class HandFused : public Hand {
  using Packet = Eigen::internal::packet_traits<float>::type;
  static constexpr int P = Eigen::internal::packet_traits<float>::size;
  static constexpr int T = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS / 8;  // packets in a row of a tile

 public:
  explicit HandFused(const Net& net) : Hand(net), d(Matrix::Zero(B + 1, H)) {}

  /// One step on the batch x [B, I], t [B]; returns the loss.
  float step(float eta) {
    const Adam adam{w.data(), m.data(), v.data(), rate(eta)};
    if (I == 1) forward_narrow<1>();
    if (I == 2) forward_narrow<2>();
    if (I == 3) forward_narrow<3>();
    if (I > 3) forward();

    float loss = 0, db2 = 0;
    int b = 0, h = 0;
    for (; b + P <= B; b += P) cross_entropy<Packet>(b, loss, db2);
    for (; b < B; ++b) cross_entropy<float>(b, loss, db2);

    for (; h + T * P <= H; h += T * P) backward<Packet, T>(h, adam);
    for (; h + P <= H; h += P) backward<Packet, 1>(h, adam);
    for (; h < H; ++h) backward<float, 1>(h, adam);
    adam(n - 1, db2);
    return loss / float(B);
  }

 private:
  // V is a packet, or float for the rest of a row; + − · / < ?: are the compiler's own on both
  template <class V> static constexpr int size = sizeof(V) / sizeof(float);
  template <class V> static EIGEN_ALWAYS_INLINE V set(float s) { return Eigen::internal::pset1<V>(s); }
  template <class V> static EIGEN_ALWAYS_INLINE V load(const float* p) {
    return Eigen::internal::ploadu<V>(p);
  }
  template <class V> static EIGEN_ALWAYS_INLINE V gather(const float* p, int stride) {
    if constexpr (size<V> == 1)
      return *p;
    else
      return Eigen::internal::pgather<float, V>(p, stride);
  }
  template <class V> static EIGEN_ALWAYS_INLINE void store(float* p, V s) { Eigen::internal::pstoreu(p, s); }
  template <class V> static EIGEN_ALWAYS_INLINE V relu(V s) { return Eigen::internal::pmax(s, set<V>(0.f)); }
  /// s += a b, fused where the machine can
  template <class V> static EIGEN_ALWAYS_INLINE void add(V& s, V a, V b) {
    s = Eigen::internal::pmadd(a, b, s);
  }
  /// f(0) … f(N − 1), written out, so that arrays indexed by the argument lie in registers
  template <int N, class F> static EIGEN_ALWAYS_INLINE void each(F f) {
    [&]<int... k>(std::integer_sequence<int, k...>) { (f(k), ...); }
    (std::make_integer_sequence<int, N>());
  }

  struct Adam {
    float *w, *m, *v, rate;
    template <class V> EIGEN_ALWAYS_INLINE void operator()(int k, V g) const {
      V mk = 0.1f * g, vk = 0.001f * (g * g);
      add(mk, set<V>(0.9f), load<V>(m + k));
      add(vk, set<V>(0.999f), load<V>(v + k));
      store<V>(m + k, mk);
      store<V>(v + k, vk);
      store<V>(w + k, load<V>(w + k) - rate * mk / (Eigen::internal::psqrt(vk) + 1e-7f));
    }
  };

  // z = max(0, x·W1 + b1)·w2 + b2 for I = R: lanes run along the batch, a is not stored
  template <int R> [[gnu::flatten]] void forward_narrow() {
    int b = 0;
    for (; b + P <= B; b += P) forward_narrow<Packet, R>(b);
    for (; b < B; ++b) forward_narrow<float, R>(b);
  }

  template <class V, int R> EIGEN_ALWAYS_INLINE void forward_narrow(int b) {
    const float *W1 = w.data(), *b1 = W1 + R * H, *w2 = b1 + H;
    V xb[R], zb = set<V>(w2[H]);
    each<R>([&](int r) { xb[r] = gather<V>(&x(b, r), R); });
    for (int h = 0; h < H; ++h) {
      V s = set<V>(b1[h]);
      each<R>([&](int r) { add(s, xb[r], set<V>(W1[r * H + h])); });
      add(zb, relu(s), set<V>(w2[h]));
    }
    store<V>(&z(b), zb);
  }

  // a = max(0, x·W1 + b1), z = a·w2 + b2: lanes run along H, in tiles of R rows by C packets. The next row of
  // W1 is loaded one turn ahead; g++ 12 would otherwise read it from memory again in each of R products.
  void forward() {
    int h = 0;
    z = w(n - 1);
    for (; h + T * P <= H; h += T * P) forward<Packet, T, 4>(h);
    for (; h + P <= H; h += P) forward<Packet, 1, 8>(h);
    for (; h < H; ++h) forward<float, 1, 8>(h);
  }

  template <class V, int C, int R> [[gnu::flatten]] void forward(int h) {
    int b = 0;
    for (; b + R <= B; b += R) forward_tile<V, C, R>(b, h);
    for (; b < B; ++b) forward_tile<V, C, 1>(b, h);
  }

  template <class V, int C, int R> EIGEN_ALWAYS_INLINE void forward_tile(int b, int h) {
    constexpr int S = size<V>;
    const int inputs = I, hidden = H;
    const float *W1 = &w(h), *b1 = W1 + inputs * hidden, *w2 = b1 + hidden, *xb = &x(b, 0);
    float *ab = &a(b, h), *zb = &z(b);
    V s[R][C], row[C];
    each<C>([&](int c) { row[c] = load<V>(b1 + c * S); });
    each<R>([&](int r) { each<C>([&](int c) { s[r][c] = row[c]; }); });
    each<C>([&](int c) { row[c] = load<V>(W1 + c * S); });
    for (int i = 0; i < inputs; ++i) {
      W1 += hidden;
      each<R>([&](int r) {
        const V xr = set<V>(xb[r * inputs + i]);
        each<C>([&](int c) { add(s[r][c], xr, row[c]); });
      });
      each<C>([&](int c) { row[c] = load<V>(W1 + c * S); });  // the next one
    }
    each<C>([&](int c) { row[c] = load<V>(w2 + c * S); });
    each<R>([&](int r) {
      V sum = set<V>(0.f);
      each<C>([&](int c) {
        const V y = relu(s[r][c]);
        store<V>(ab + r * hidden + c * S, y);
        add(sum, y, row[c]);
      });
      zb[r] += Eigen::internal::predux(sum);
    });
  }

  // L = mean(max(z, 0) − z t + log(1 + e^−|z|)), dz = (σ(z) − t) / B
  template <class V> EIGEN_ALWAYS_INLINE void cross_entropy(int b, float& loss, float& db2) {
    const V zb = load<V>(&z(b)), tb = load<V>(&t(b)), one = set<V>(1.f);
    const V e = Eigen::internal::pexp<V>(-Eigen::internal::pabs(zb));
    const V db = ((zb > 0.f ? one : e) / (1.f + e) - tb) * (1.f / float(B));
    loss += Eigen::internal::predux<V>(relu(zb) - zb * tb + Eigen::internal::plog<V>(1.f + e));
    db2 += Eigen::internal::predux(db);
    store<V>(&dz(b), db);
  }

  // C packets of columns of all gradients, and Adam on them. With d = (a > 0) dz:
  // dW1 = w2 (xᵀ·d), db1 = w2 Σ d, dw2 = Σ a dz
  template <class V, int C> EIGEN_ALWAYS_INLINE void backward(int h, Adam adam) {
    if (I == 1) return backward<V, C, 1, true>(h, adam);
    if (I == 2) return backward<V, C, 2, true>(h, adam);
    if (I == 3) return backward<V, C, 3, true>(h, adam);
    if (I % 4 == 0) return backward<V, C, 0, false>(h, adam);
    if (I % 4 == 1) return backward<V, C, 1, false>(h, adam);
    if (I % 4 == 2) return backward<V, C, 2, false>(h, adam);
    return backward<V, C, 3, false>(h, adam);
  }

  // the first R rows of dW1 with db1 and dw2, then four rows at a time
  template <class V, int C, int R, bool narrow> [[gnu::flatten]] void backward(int h, Adam adam) {
    constexpr int S = size<V>;
    const int inputs = narrow ? R : I, hidden = H, batch = B;
    const float *xb = x.data(), *ab = &a(0, h), *w2 = &w((inputs + 1) * hidden + h);
    float* db = &d(0, h);
    V s[R + 1][C], q[C], W[R + 1][C];
    each<C>([&](int c) {
      q[c] = set<V>(0.f);
      each<R + 1>([&](int r) {
        s[r][c] = set<V>(0.f);
        if constexpr (narrow) W[r][c] = load<V>(&w(r * hidden + h + c * S));
      });
    });
    for (int b = 0; b < batch; ++b, xb += inputs, ab += hidden, db += hidden) {
      const V dzb = set<V>(dz(b));
      each<C>([&](int c) {
        V y;
        if constexpr (narrow) {
          y = W[R][c];
          each<R>([&](int r) { add(y, set<V>(xb[r]), W[r][c]); });
          y = relu(y);
        } else {
          y = load<V>(ab + c * S);
        }
        const V dc = y > 0.f ? dzb : set<V>(0.f);
        if constexpr (!narrow) store<V>(db + c * S, dc);
        each<R>([&](int r) { add(s[r][c], set<V>(xb[r]), dc); });
        s[R][c] += dc;
        add(q[c], y, dzb);
      });
    }
    each<C>([&](int c) {
      const V wc = load<V>(w2 + c * S);
      each<R>([&](int r) { adam(r * hidden + h + c * S, V(wc * s[r][c])); });
      adam(inputs * hidden + h + c * S, V(wc * s[R][c]));
    });
    if constexpr (!narrow)
      for (int i = R; i < inputs; i += 4) backward_tile<V, C, 4>(i, h, adam);
    each<C>([&](int c) { adam((inputs + 1) * hidden + h + c * S, q[c]); });
  }

  template <class V, int C, int R> EIGEN_ALWAYS_INLINE void backward_tile(int i, int h, Adam adam) {
    constexpr int S = size<V>;
    const int inputs = I, hidden = H, batch = B;
    const float *xb = &x(0, i), *db = &d(0, h), *w2 = &w((inputs + 1) * hidden + h);
    V s[R][C], row[C];
    each<R>([&](int r) { each<C>([&](int c) { s[r][c] = set<V>(0.f); }); });
    each<C>([&](int c) { row[c] = load<V>(db + c * S); });
    for (int b = 0; b < batch; ++b, xb += inputs) {
      db += hidden;
      each<R>([&](int r) {
        const V xr = set<V>(xb[r]);
        each<C>([&](int c) { add(s[r][c], xr, row[c]); });
      });
      each<C>([&](int c) { row[c] = load<V>(db + c * S); });  // the next one
    }
    each<C>([&](int c) {
      const V wc = load<V>(w2 + c * S);
      each<R>([&](int r) { adam((i + r) * hidden + h + c * S, V(wc * s[r][c])); });
    });
  }

  Matrix d;  // [B + 1, H]: a row is loaded ahead
};

}  // namespace bench

#pragma GCC diagnostic pop
