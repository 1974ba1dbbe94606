// SPDX-License-Identifier: MIT
// mse mae huber binary_cross_entropy hinge kl_divergence: formulas of a prediction y and a target t, all
// through one reducing kernel. Reductions are Keras': the mean over all elements, unless asked otherwise.
#pragma once

#include <gradus/kernels/fill.hpp>
#include <gradus/ops/reduce.hpp>

namespace gradus {

enum class Reduction { mean, sum, none };

/// What every loss takes.
template <class T> struct LossOptions {
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;     ///< cross-entropies: t becomes (1 − ε) t + ε / classes
  Tensor<T> sample_weights = {};  ///< broadcast against the losses; the mean still divides by their number
  Array<T> class_weights =
      {};  ///< cross-entropies: [classes], of the label or of each share of a distribution
};

namespace ops {

/// A loss as a value: the op, the checks and the reductions are the same code for all of them. Every formula
/// of it takes one number beside y and t (a smoothing, a δ; some need none).
template <class T> struct LossFormula {
  const char* name;
  const kernels::Loss<T>& values;
  const kernels::Formula* dt;  ///< nullptr: the targets are data, not to be learned
};

/// Arrays are data: a loss compiles no gradient for them.
template <class X> inline constexpr bool is_constant = false;
template <class T> inline constexpr bool is_constant<Array<T>> = true;

template <class F> struct LossSlopeT {
  template <class X> static X value(X y, X t, X dl, X number, X scale) {
    return dl * scale * F::slope_t(y, t, number);
  }
};

template <class F, class T, class Target> constexpr LossFormula<T> describe_loss() {
  LossFormula<T> l{F::name, kernels::loss_of<F, T>, nullptr};
  if constexpr (!is_constant<Target>) l.dt = &kernels::formula<LossSlopeT<F>, T, T, 2, T, T, T>;
  return l;
}
template <class F, class T, class Target>
inline constexpr LossFormula<T> loss_formula = describe_loss<F, T, Target>();

/// dy = dl · slope. Where the loss is what backward has begun with, dl is 1, and the slope is the gradient.
template <class T> void send_slope(const View<T>& slope, const View<T>& dl, Step& step, const Sink<T>& dy) {
  if (step.is_last_backward() && dl.data == kernels::one<T>(dl.device) && dy.adopt(slope.data)) return;
  kernels::map(pairwise_formula<Mul, T>.value, dy, static_cast<const T*>(nullptr), slope, dl);
}

/// l = scale · Σ F(y, t), or F(y, t) for each element      dy = dl · scale · F′(y, t), all but dl forward
template <class T> struct Loss {
  View<T> y, t;
  const LossFormula<T>& f;
  std::array<T, 2> numbers;  // the formula's own, and the scale
  bool each;
  Sink<T> slope = {};

  Shape shape() const { return each ? y.shape : Shape(); }
  void forward(const Sink<T>& l, Step& step) {
    if (step.is_recorded()) slope = step.scratch<T>(y.shape);
    kernels::loss(f.values, each, l, slope, numbers.data(), y, t);
  }
  void backward(const View<T>& dl, Step& step, const Sink<T>& dy, const Sink<T>& dt) const {
    send_slope(slope.view(), dl, step, dy);
    if (f.dt) kernels::map(*f.dt, dt, numbers.data(), y, t, dl);
  }
};

struct SquaredError {  // (y − t)²
  static constexpr const char* name = "mse";
  template <class X> static X value(X y, X t, X) { return (y - t) * (y - t); }
  template <class X> static X slope(X y, X t, X) { return 2 * (y - t); }
  template <class X> static X slope_t(X y, X t, X) { return 2 * (t - y); }
};
struct AbsoluteError {  // |y − t|
  static constexpr const char* name = "mae";
  template <class X> static X value(X y, X t, X) { return math::abs(y - t); }
  template <class X> static X slope(X y, X t, X) { return math::sign(y - t); }
  template <class X> static X slope_t(X y, X t, X) { return math::sign(t - y); }
};
struct Huber {  // d²/2 where |d| ≤ δ, else δ (|d| − δ/2), d = y − t   (Huber, 1964)
  static constexpr const char* name = "huber";
  template <class X> static X value(X y, X t, X delta) {
    const X d = math::abs(y - t);
    return math::select(d <= delta, X(0.5) * d * d, delta * (d - X(0.5) * delta));
  }
  template <class X> static X slope(X y, X t, X delta) { return math::min(math::max(y - t, -delta), delta); }
  template <class X> static X slope_t(X y, X t, X delta) { return -slope(y, t, delta); }
};
/// From logits z: −t ln σ(z) − (1 − t) ln(1 − σ(z)) = max(z, 0) − z·t + ln(1 + e^−|z|), slope σ(z) − t with
/// σ(z) = 1 / (1 + e^−z), or e^z / (1 + e^z) for z < 0: both need e^−|z| alone.
struct BinaryCrossEntropy {
  static constexpr const char* name = "binary_cross_entropy";
  template <class X> static X smooth(X t, X e) { return t * (1 - e) + X(0.5) * e; }
  template <class X> static X value(X z, X t, X e) {
    return math::max(z, X(0)) - z * smooth(t, e) + math::log1p(math::exp(-math::abs(z)));
  }
  template <class X> static X slope(X z, X t, X e) {
    const X p = math::exp(-math::abs(z));
    return math::select(z <= X(0), p, X(1)) / (1 + p) - smooth(t, e);
  }
  template <class X> static X slope_t(X z, X, X e) { return -z * (1 - e); }
};
/// From probabilities p, clipped to [ε, 1 − ε] as Keras does (ε = 1e-7); beyond it the slope is 0.
struct ProbabilityCrossEntropy {
  static constexpr const char* name = "binary_cross_entropy_of_probabilities";
  template <class X> static X clip(X p) { return math::min(math::max(p, X(1e-7)), 1 - X(1e-7)); }
  template <class X> static X value(X p, X t, X e) {
    const X q = clip(p), s = BinaryCrossEntropy::smooth(t, e);
    return -(s * math::log(q) + (1 - s) * math::log(1 - q));
  }
  template <class X> static X slope(X p, X t, X e) {
    const X q = clip(p);
    return math::select(q == p, (q - BinaryCrossEntropy::smooth(t, e)) / (q * (1 - q)), X(0));
  }
  template <class X> static X slope_t(X p, X, X e) {
    const X q = clip(p);
    return (math::log(1 - q) - math::log(q)) * (1 - e);
  }
};
struct Hinge {  // max(0, 1 − y·t), t = −1 or 1
  static constexpr const char* name = "hinge";
  template <class X> static X value(X y, X t, X) { return math::max(1 - y * t, X(0)); }
  template <class X> static X slope(X y, X t, X) { return math::select(y * t < X(1), -t, X(0)); }
  template <class X> static X slope_t(X y, X t, X) { return math::select(y * t < X(1), -y, X(0)); }
};
struct KlDivergence {  // t ln(t / y), both clipped to [1e-7, 1] as Keras does
  static constexpr const char* name = "kl_divergence";
  template <class X> static X clip(X p) { return math::min(math::max(p, X(1e-7)), X(1)); }
  template <class X> static X value(X y, X t, X) { return clip(t) * math::log(clip(t) / clip(y)); }
  template <class X> static X slope(X y, X t, X) { return math::select(clip(y) == y, -clip(t) / y, X(0)); }
  template <class X> static X slope_t(X y, X t, X) {
    return math::select(clip(t) == t, math::log(clip(t) / clip(y)) + 1, X(0));
  }
};

inline bool broadcasts_to(const Shape& y, const Shape& x) {
  bool fits = x.rank() <= y.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = x[i] == 1 || x[i] == y[i + y.rank() - x.rank()];
  return fits;
}
inline void check_smoothing(double e, const char* who) {
  detail::require<ValueError>(e >= 0 && e <= 1, who, ": label_smoothing is ", e, "; it must be 0 to 1");
}
/// Losses already computed, weighted and reduced; `n` is what the mean divides by.
template <class T> Tensor<T> reduce_losses(const Tensor<T>& losses, const LossOptions<T>& o, Index n) {
  const bool weighted = o.sample_weights.size() > 0;
  detail::require<ShapeError>(!weighted || broadcasts_to(losses.shape(), o.sample_weights.shape()),
                              "loss: sample_weights ", o.sample_weights.shape(), " do not fit losses ",
                              losses.shape());
  const Tensor<T> l = weighted ? losses * o.sample_weights : losses;
  if (o.reduction == Reduction::none) return l;
  return scaled_sum(l, o.reduction == Reduction::sum ? T(1) : T(1) / static_cast<T>(n));
}

/// Checks, and reduces as asked. `by_rows`: one loss for each distribution along the last axis, not for each
/// element.
template <class T> Tensor<T> loss(const LossFormula<T>& f, const Tensor<T>& y, const Tensor<T>& t,
                                  const LossOptions<T>& o, double number = 0, bool by_rows = false) {
  const Index n = by_rows ? y.shape().rows() : y.size();
  detail::require<ShapeError>(y.shape() == t.shape(), f.name, ": predictions are ", y.shape(),
                              ", targets are ", t.shape(), "; shapes must be equal");
  detail::require<ShapeError>(y.size() > 0, f.name, ": predictions are ", y.shape(),
                              "; there is nothing to average");
  const bool each = o.reduction == Reduction::none || o.sample_weights.size() > 0;
  const T scale = each || o.reduction == Reduction::sum ? T(1) : T(1) / static_cast<T>(n);
  const auto make = [&](const View<T>& vy, const View<T>& vt) {
    return Loss<T>{vy, vt, f, {static_cast<T>(number), scale}, each};
  };
  const Tensor<T> l = apply(f.name, make, y, t);
  if (!each) return l;
  return reduce_losses<T>(by_rows ? sum(l, -1) : l, o, n);
}

template <class F, class Y, class Z> Tensor<scalar_of<Y>> loss_of(const Y& y, const Z& t,
                                                                  const LossOptions<scalar_of<Y>>& o,
                                                                  double number = 0, bool by_rows = false) {
  using T = scalar_of<Y>;
  static_assert(std::is_same_v<T, scalar_of<Z>>,
                "prediction and target of two scalar types: convert one, .to<T>()");
  return loss<T>(loss_formula<F, T, Z>, as_tensor(y), as_tensor(t), o, number, by_rows);
}

}  // namespace ops

template <Operand Y, Operand T> auto mse(const Y& y, const T& t, const LossOptions<scalar_of<Y>>& o = {}) {
  return ops::loss_of<ops::SquaredError>(y, t, o);
}
template <Operand Y, Operand T> auto mae(const Y& y, const T& t, const LossOptions<scalar_of<Y>>& o = {}) {
  return ops::loss_of<ops::AbsoluteError>(y, t, o);
}
template <Operand Y, Operand T>
auto huber(const Y& y, const T& t, double delta = 1, const LossOptions<scalar_of<Y>>& o = {}) {
  detail::require<ValueError>(delta > 0, "huber: delta is ", delta, "; it must be positive");
  return ops::loss_of<ops::Huber>(y, t, o, delta);
}
/// t = −1 or 1.
template <Operand Y, Operand T> auto hinge(const Y& y, const T& t, const LossOptions<scalar_of<Y>>& o = {}) {
  return ops::loss_of<ops::Hinge>(y, t, o);
}
/// Distributions along the last axis; the mean is over the others.
template <Operand Y, Operand T>
auto kl_divergence(const Y& y, const T& t, const LossOptions<scalar_of<Y>>& o = {}) {
  return ops::loss_of<ops::KlDivergence>(y, t, o, 0, true);
}

namespace ops {

struct WeightOfClass {  // w₀ for t = 0, w₁ for t = 1, between them in proportion
  template <class X> static X value(X t, X w0, X w1) { return t * (w1 - w0) + w0; }
};
/// Weights are data: no gradient flows through them.
template <class T> struct ClassWeights {
  static constexpr const char* name = "class_weights";
  View<T> t, w;  // w [2]

  Shape shape() const { return t.shape; }
  void forward(const Sink<T>& y, Step&) const {
    const View<T> w0{w.data, Shape{}, w.device}, w1{w.data + 1, Shape{}, w.device};
    kernels::map<WeightOfClass, T>(y, std::array<T, 0>(), t, w0, w1);
  }
  void backward(const View<T>&, Step&, const Sink<T>&, const Sink<T>&) const {}
};

template <class T>
Tensor<T> binary(const LossFormula<T>& f, const Tensor<T>& y, const Tensor<T>& t, const LossOptions<T>& o) {
  check_smoothing(o.label_smoothing, f.name);
  const Array<T>& w = o.class_weights;
  if (w.size() == 0) return loss<T>(f, y, t, o, o.label_smoothing);
  detail::require<ShapeError>(w.shape() == Shape{2}, f.name, ": class_weights are ", w.shape(),
                              "; they must be [2]");
  LossOptions<T> weighted = o;
  const auto make = [](const View<T>& vt, const View<T>& vw) { return ClassWeights<T>{vt, vw}; };
  const Tensor<T> of_class = apply(make, t, Tensor<T>(w));
  weighted.sample_weights = o.sample_weights.size() > 0 ? of_class * o.sample_weights : of_class;
  return loss<T>(f, y, t, weighted, o.label_smoothing);
}

}  // namespace ops

/// From logits z, any shape, targets 0 … 1: exact and finite for every finite z.
template <Operand Z, Operand T>
auto binary_cross_entropy(const Z& z, const T& t, const LossOptions<scalar_of<Z>>& o = {}) {
  using S = scalar_of<Z>;
  return ops::binary<S>(ops::loss_formula<ops::BinaryCrossEntropy, S, T>, as_tensor(z), as_tensor(t), o);
}
/// From probabilities, clipped; prefer logits, which lose no digits.
template <Operand P, Operand T>
auto binary_cross_entropy_of_probabilities(const P& p, const T& t, const LossOptions<scalar_of<P>>& o = {}) {
  using S = scalar_of<P>;
  return ops::binary<S>(ops::loss_formula<ops::ProbabilityCrossEntropy, S, T>, as_tensor(p), as_tensor(t), o);
}

}  // namespace gradus
