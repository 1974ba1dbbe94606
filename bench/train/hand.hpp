// SPDX-License-Identifier: MIT
// What the steps by hand have in common: a net I-H-1, its batch, and Adam's moments.
#pragma once

#include <cmath>

#include <Eigen/Core>

namespace bench {

struct Hand {
  using Matrix = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Row = Eigen::Array<float, 1, Eigen::Dynamic>;

  Hand(int inputs, int hidden, int batch)
      : I(inputs),
        H(hidden),
        B(batch),
        n(I * H + 2 * H + 1),
        x(B, I),
        t(B),
        w(n),
        m(Row::Zero(n)),
        v(Row::Zero(n)),
        a(B, H),
        z(B),
        dz(B) {}

  /// From a library's two layers, whose weights lie as [out, in].
  void set_weights(const float* W1, const float* b1, const float* w2, const float* b2) {
    using Given = Eigen::Map<const Matrix>;
    Eigen::Map<Matrix>(w.data(), I, H) = Given(W1, H, I).transpose();
    w.segment(I * H, H) = Given(b1, 1, H);
    w.segment(I * H + H, H) = Given(w2, 1, H);
    w(n - 1) = *b2;
  }

  const int I, H, B, n;
  Matrix x;
  Row t, w;  // w: W1 [I, H], b1 [H], w2 [H], b2

 protected:
  /// Of the next step, by Adam's bias correction.
  float rate(float eta) {
    p1 *= 0.9, p2 *= 0.999;
    return float(eta * std::sqrt(1 - p2) / (1 - p1));
  }

  Row m, v;
  Matrix a;
  Row z, dz;

 private:
  double p1 = 1, p2 = 1;
};

}  // namespace bench
