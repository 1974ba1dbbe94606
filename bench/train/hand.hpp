// SPDX-License-Identifier: MIT
// What the steps by hand have in common: a net I-H-1, its batch, and Adam's moments.
#pragma once

#include <cmath>

#include "bench/train/nets.hpp"

namespace bench {

struct Hand {
  using Matrix = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Row = Eigen::Array<float, 1, Eigen::Dynamic>;

  /// With the net's first weights, which lie as [out, in] there.
  explicit Hand(const Net& net)
      : I(int(net.setup.widths[0])),
        H(int(net.setup.widths[1])),
        B(int(net.setup.batch)),
        n(I * H + 2 * H + 1),
        x(B, I),
        t(B),
        w(n),
        m(Row::Zero(n)),
        v(Row::Zero(n)),
        a(B, H),
        z(B),
        dz(B) {
    const auto p = net.model.named_parameters();
    const Eigen::Map<const Matrix> W1(p[0].value().data(), H, I);
    Eigen::Map<Matrix>(w.data(), I, H) = W1.transpose();
    std::copy_n(p[1].value().data(), H, &w(I * H));
    std::copy_n(p[2].value().data(), H, &w(I * H + H));
    w(n - 1) = p[3].value()(0);
  }

  /// Batch k is the next step's.
  void take(const data::Dataset<float>& data, Index k) {
    std::copy_n(data.inputs[0].data() + k * x.size(), x.size(), x.data());
    std::copy_n(data.targets.data() + k * B, B, t.data());
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
