// SPDX-License-Identifier: MIT
// The same training step written by hand on Eigen 3.4 with its arrays and products, as one writes it who takes
// care: a baseline. Net I-H-1, ReLU, sigmoid cross-entropy from logits, Adam (Keras' form), sizes known at run
// time. hand_fused.hpp is as fast as the authors can make it.
//
// Freedom that a library does not have is used: weights lie as [in, out], the second layer is a vector,
// nothing is checked or recorded, every temporary has its place, and e^−|z| is computed once for the loss and
// the gradient.
#pragma once

#include "bench/train/hand.hpp"

namespace bench {

class HandWritten : public Hand {
  using MatrixMap = Eigen::Map<Matrix>;
  using RowMap = Eigen::Map<Row>;

 public:
  explicit HandWritten(const Net& net) : Hand(net), g(n), da(B, H), e(B) {}

  /// One step on the batch x [B, I], t [B]; returns the loss.
  float step(float eta) {
    const MatrixMap W1(w.data(), I, H);
    const RowMap b1(w.data() + I * H, H), w2(w.data() + I * H + H, H);
    const float b2 = w(n - 1);

    // forward: a = max(0, x·W1 + b1), z = a·w2 + b2
    if (I > 8) {
      a.matrix().noalias() = x.matrix() * W1.matrix();
      a = (a.rowwise() + b1).max(0.f);
    } else {  // Eigen's packed product does not pay off here
      for (int b = 0; b < B; ++b) {
        a.row(b) = b1;
        for (int i = 0; i < I; ++i) a.row(b) += x(b, i) * W1.row(i);
        a.row(b) = a.row(b).max(0.f);
      }
    }
    for (int b = 0; b < B; ++b) z(b) = (a.row(b) * w2).sum() + b2;

    // L = mean(max(z, 0) − z t + log(1 + e^−|z|)), dz = (σ(z) − t) / B
    e = (-z.abs()).exp();
    const float loss = (z.max(0.f) - z * t + (1.f + e).log()).mean();
    dz = ((z > 0.f).select(Row::Ones(B), e) / (1.f + e) - t) * (1.f / float(B));

    // backward
    MatrixMap dW1(g.data(), I, H);
    RowMap db1(g.data() + I * H, H), dw2(g.data() + I * H + H, H);
    dw2.setZero(), db1.setZero();
    for (int b = 0; b < B; ++b) {
      dw2 += dz(b) * a.row(b);
      da.row(b) = (a.row(b) > 0.f).select(dz(b) * w2, 0.f);
      db1 += da.row(b);
    }
    g(n - 1) = dz.sum();
    if (I > 8) {
      dW1.matrix().noalias() = x.matrix().transpose() * da.matrix();
    } else {
      dW1.setZero();
      for (int b = 0; b < B; ++b)
        for (int i = 0; i < I; ++i) dW1.row(i) += x(b, i) * da.row(b);
    }

    // Adam
    const float step_size = rate(eta);
    m = 0.9f * m + 0.1f * g;
    v = 0.999f * v + 0.001f * g.square();
    w -= step_size * m / (v.sqrt() + 1e-7f);
    return loss;
  }

 private:
  Row g;
  Matrix da;
  Row e;
};

}  // namespace bench
