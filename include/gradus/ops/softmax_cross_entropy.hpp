// SPDX-License-Identifier: MIT
// Softmax and cross-entropy in one op, from logits z [B, C]:
//   labels t [B]:            l = ln Σ eᶻ − z[t]          dz = dl · (softmax(z) − [c = t])
//   distributions t [B, C]:  l = −Σ t · log_softmax(z)
#pragma once

#include <gradus/ops/gather.hpp>
#include <gradus/ops/loss.hpp>
#include <gradus/ops/softmax.hpp>

namespace gradus {
namespace ops {

template <class T> struct SoftmaxCrossEntropy {
  static constexpr const char* name = "softmax_cross_entropy";
  View<T> z;
  View<std::int32_t> t;
  T smoothing, scale;
  bool each;  // a loss for each row; else scale times their sum
  Sink<T> kept = {}, slope = {};

  Shape shape() const {  // shapes have been checked
    check_indices(t, z.shape[1], name, "label");
    return each ? t.shape : Shape();
  }
  void forward(const Sink<T>& l, Step& step) {
    kept = step.scratch<T>({each ? 2 : 3, t.size()});
    if (each) return kernels::softmax_cross_entropy(l, kept, z, t, smoothing);
    if (step.is_recorded()) slope = step.scratch<T>(z.shape);
    kernels::softmax_cross_entropy_sum(l, slope, kept, z, t, smoothing, scale);
  }
  void backward(const View<T>& dl, Step& step, const Sink<T>& dz, const Sink<std::int32_t>&) const {
    if (each)
      kernels::softmax_cross_entropy_slope(dz, z, kept.view(), t, dl, smoothing);
    else
      send_slope(slope.view(), dl, step, dz);
  }
};

struct Smoothing {  // t (1 − ε) + ε / C
  static constexpr const char* name = "label_smoothing";
  template <class X> static X value(X t, X e, X classes) { return t * (1 - e) + e / classes; }
  template <class X> static X slope_at_x(X, X e, X) { return 1 - e; }
};

}  // namespace ops

/// `t`: class indices (int32, [B]) or distributions ([B, C]). The mean is over the batch. Throws ShapeError,
/// IndexError.
template <Operand Z, Operand T>
auto softmax_cross_entropy(const Z& z, const T& t, const LossOptions<scalar_of<Z>>& o = {}) {
  using S = scalar_of<Z>;
  const char* const who = "softmax_cross_entropy";
  constexpr bool labels = std::is_same_v<scalar_of<T>, std::int32_t>;
  static_assert(labels || std::is_same_v<scalar_of<T>, S>,
                "logits and target distributions of two scalar types");
  const Shape s = z.shape(), expected = labels && s.rank() == 2 ? Shape{s[0]} : s;
  detail::require<ShapeError>(s.rank() == 2 && t.shape() == expected, who, ": logits are ", s,
                              ", targets are ", t.shape(),
                              "; they must be [B, C] and [B] labels or [B, C] distributions");
  detail::require<ShapeError>(s.size() > 0, who, ": logits are ", s, "; there is nothing to average");
  const Array<S>& w = o.class_weights;
  detail::require<ShapeError>(w.size() == 0 || w.shape() == Shape{s[1]}, who, ": class_weights are ",
                              w.shape(), "; they must be [", s[1], "]");
  const double e = o.label_smoothing;
  ops::check_smoothing(e, who);
  if constexpr (labels) {
    const bool each = o.reduction == Reduction::none || w.size() > 0 || o.sample_weights.size() > 0;
    const S scale = each || o.reduction == Reduction::sum ? S(1) : S(1) / static_cast<S>(s[0]);
    const auto losses = apply(
        [&](const View<S>& v, const View<std::int32_t>& l) {
          return ops::SoftmaxCrossEntropy<S>{v, l, static_cast<S>(e), scale, each};
        },
        as_tensor(z), as_tensor(t));
    if (!each) return losses;
    if (w.size() == 0) return ops::reduce_losses<S>(losses, o, s[0]);
    LossOptions<S> weighted = o;
    const Tensor<S> of_class = take(w, t);
    weighted.sample_weights = o.sample_weights.size() > 0 ? of_class * o.sample_weights : of_class;
    return ops::reduce_losses<S>(losses, weighted, s[0]);
  } else {
    const Tensor<S> smooth = e == 0 ? as_tensor(t) : pointwise<ops::Smoothing>(as_tensor(t), e, s[1]);
    const Tensor<S> shares = smooth * log_softmax(z), weighted = w.size() > 0 ? shares * w : shares;
    return ops::reduce_losses<S>(ops::scaled_sum(weighted, S(-1), 1), o, s[0]);
  }
}

}  // namespace gradus
