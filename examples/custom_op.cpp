// An op of one's own, in ten lines: a pointwise one, which is a formula and its slope, and a structured one,
// which is shape, forward and backward. Both gradients are checked against differences, and then the ops are
// used like any other. Exits with 1 where a gradient is wrong.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gradus/gradus.hpp>

using namespace gradus;

namespace {

// Softsign: y = x / (1 + |x|)   dy/dx = (1 − |y|)²   (Bergstra et al., 2009)
// One formula for numbers, for blocks of numbers in SIMD registers, and for devices to come: math::, and no
// if.
struct Softsign {
  static constexpr const char* name = "softsign";
  template <class X> static X value(X x) { return x / (1 + math::abs(x)); }
  template <class X> static X slope_at_y(X y) {  // "at y": the op keeps y for backward, not x
    const X rest = 1 - math::abs(y);
    return rest * rest;
  }
};
template <class T> Tensor<T> softsign(const Tensor<T>& x) { return pointwise<Softsign>(x); }

// Running sums along each row: yₖ = x₀ + … + xₖ   dxₖ = dyₖ + dyₖ₊₁ + … + dyₙ₋₁
template <class T> struct RunningSum {
  static constexpr const char* name = "running_sum";
  View<T> x;

  Shape shape() const { return x.shape; }
  void forward(const Sink<T>& y, Step&) const { add_up(y, x, 1); }
  void backward(const View<T>& dy, Step&, const Sink<T>& dx) const { add_up(dx, dy, -1); }

  /// From the first column to the last (way = 1), or back.
  static void add_up(const Sink<T>& out, const View<T>& in, Index way) {
    const auto to = out.open();  // where to write, and whether to add to what is there
    if (!to) return;             // nobody wants it
    const Index columns = in.shape.columns();
    for (Index row = 0; row < in.shape.rows(); ++row) {
      T sum = 0;
      for (Index k = 0; k < columns; ++k) {
        const Index i = row * columns + (way > 0 ? k : columns - 1 - k);
        sum += in.data[i];
        to.data[i] = to.add ? to.data[i] + sum : sum;
      }
    }
  }
};
template <class T> Tensor<T> running_sum(const Tensor<T>& x) {
  return apply([](const View<T>& v) { return RunningSum<T>{v}; }, x);
}

/// The largest difference between the tape's gradient of f and (f(x + h) − f(x − h)) / 2h.
template <class F> double worst_slope(const F& f, const Array<double>& x) {
  const Array<double> gradient = grad(f, x);
  double worst = 0;
  for (Index i = 0; i < x.size(); ++i) {
    constexpr double h = 1e-5;
    const auto at = [&](double step) {
      Array<double> moved = x.copy();
      moved.mutable_data()[i] += step;
      return f(Tensor<double>(moved)).item();
    };
    worst = std::max(worst, std::abs(gradient.data()[i] - (at(h) - at(-h)) / (2 * h)));
  }
  return worst;
}

/// An op becomes a layer in one line more.
struct SoftsignLayer final : nn::Layer<float> {
  Tensor<float> operator()(const Tensor<float>& x) const override { return softsign(x); }
  std::string describe() const override { return "Softsign"; }
};

}  // namespace

int main() {
  const Array<double> x{{-2, -0.5, 0.25, 1}, {3, 1, -1, -3}};
  std::printf("x\n%s\n\nsoftsign(x)\n%s\n\nrunning_sum(x)\n%s\n\n", str(x).c_str(),
              str(softsign<double>(x)).c_str(), str(running_sum<double>(x)).c_str());

  const Array<double> weights{{1, -2, 3, 0.5}, {-1, 2, 0.25, 4}};  // not all equal, or mistakes cancel
  const double pointwise_off = worst_slope([&](const auto& v) { return sum(softsign(v) * weights); }, x);
  const double structured_off =
      worst_slope([&](const auto& v) { return sum(square(running_sum(v) * weights)); }, x);
  std::printf("gradients against differences: softsign off by %.1e, running_sum by %.1e\n\n", pointwise_off,
              structured_off);

  nn::Sequential model{nn::Dense{2, 8}, SoftsignLayer{}, nn::Dense{8, 1}, nn::Sigmoid{}};
  const auto moons = data::two_moons(1000, {.noise = 0.15, .seed = 7});
  const auto history = fit(model, moons,
                           {.loss = "binary_cross_entropy",
                            .optimizer = optim::Adam{.learning_rate = 1e-2},
                            .epochs = 60,
                            .metrics = {"accuracy"},
                            .verbose = Verbose::silent});
  const double accuracy = history["accuracy"].back();
  std::printf("a net with softsign tells two moons apart: accuracy %.3f\n", accuracy);
  return pointwise_off < 1e-8 && structured_off < 1e-8 && accuracy > 0.95 ? 0 : 1;
}
