// SPDX-License-Identifier: MIT
#include <functional>

#include <gradus/ops/activation.hpp>
#include <gradus/ops/compare.hpp>
#include <gradus/ops/loss.hpp>

#include "tests/support/devices.hpp"
#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// The mean, the sum or each of f(y, t), as the reduction says.
template <class F> auto reference(const F& f, Reduction r) {
  return [=](const Array<double>& y, const Array<double>& t) {
    const auto each = elementwise({y, t}, [&](const Real* e) { return f(e[0], e[1]); });
    if (r == Reduction::none) return each;
    Real s = 0;
    for (Index i = 0; i < y.size(); ++i) s += f(Real(y.data()[i]), Real(t.data()[i]));
    return full<double>({}, static_cast<double>(r == Reduction::sum ? s : s / Real(y.size())));
  };
}

/// `loss(y, t, options)` under every reduction, for predictions and targets from two lists of values.
template <class Loss, class F>
void expect_loss(const Loss& loss, const F& f, const std::vector<double>& ys, const std::vector<double>& ts) {
  Samples samples;
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{17, 1}, Shape{3, 11}})
    samples.push_back({cycled(shape, ys, 1), cycled(shape, ts, ys.size())});
  for (const Reduction r : {Reduction::mean, Reduction::sum, Reduction::none})
    expect_op([&](auto y, auto t) { return loss(y, t, LossOptions<scalar_of<decltype(y)>>{.reduction = r}); },
              reference(f, r), samples, {.absolute = 64});  // losses near 0 are differences of numbers near 1
}

const std::vector<double> any = {-3, -0.5, 0.1, 2, 7}, other = {-2, 0.3, 1, 4};
const Array<double> y = {0.5, -1.25, 3, 0}, t = {1, -1, 0.5, 0.25};
constexpr double exact = 4e-15;  // the literals and the sums behind them are rounded a few times

void check_near(const Tensor<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == Index(b.size()));
  for (Index i = 0; i < a.size(); ++i) CHECK(a.array().data()[i] == Approx(b[std::size_t(i)]).epsilon(exact));
}

}  // namespace

TEST_CASE("mse") {
  expect_loss([](auto a, auto b, auto o) { return mse(a, b, o); },
              [](Real a, Real b) { return (a - b) * (a - b); }, any, other);
  check_near(mse(y, t), {1.65625});  // by hand
}

TEST_CASE("mae") {
  expect_loss([](auto a, auto b, auto o) { return mae(a, b, o); },
              [](Real a, Real b) { return std::abs(a - b); }, any, other);
  check_near(mae(y, t), {0.875});  // by hand
}

TEST_CASE("huber") {
  for (const double delta : {1.0, 0.25}) {
    const auto f = [=](Real a, Real b) {
      const Real d = std::abs(a - b);
      return d <= delta ? d * d / 2 : delta * (d - delta / 2);
    };
    const std::vector<double> off_corners = {-3.5, -0.5, 0.1, 2, 7};  // no |y − t| is δ
    expect_loss([=](auto a, auto b, auto o) { return huber(a, b, delta, o); }, f, off_corners,
                {-2.1, 0.3, 1.3, 4});
  }
  // scipy.special.huber, SciPy 1.17.1
  check_near(huber(y, t), {0.546875});
  check_near(huber(y, t, 0.25, {.reduction = Reduction::none}), {0.09375, 0.03125, 0.59375, 0.03125});
  CHECK(words<ValueError>([&] { huber(y, t, 0); }) == "huber: delta is 0; it must be positive");
}

TEST_CASE("hinge") {
  expect_loss([](auto a, auto b, auto o) { return hinge(a, b, o); },
              [](Real a, Real b) { return a * b < 1 ? 1 - a * b : 0; }, any, {-1, 1});
  check_near(hinge(Array<double>{.5, -2, 3, 1}, Array<double>{1, 1, -1, 1}, {.reduction = Reduction::none}),
             {0.5, 3, 4, 0});
}

TEST_CASE("binary_cross_entropy from logits") {
  const std::vector<double> logits = {-20, -3, -0.5, 0.25, 1.5, 20};
  expect_loss([](auto z, auto b, auto o) { return binary_cross_entropy(z, b, o); },
              [](Real z, Real b) { return std::log1p(std::exp(-std::abs(z))) + (z > 0 ? z : 0) - z * b; },
              logits, {0, 1, 0.25});
  const Array<double> z = {-3, -0.5, 0, 1.5, 20}, b = {0, 1, 1, 0.25, 1};
  // from scipy.special.log_expit, SciPy 1.17.1
  check_near(binary_cross_entropy(z, b, {.reduction = Reduction::none}),
             {0.04858735157374206, 0.9740769841801067, 0.6931471805599453, 1.3264132779827524,
              2.061153620314381e-09});
  check_near(binary_cross_entropy(z, b), {0.60844495927154});
  check_near(
      binary_cross_entropy(z, b, {.reduction = Reduction::none, .label_smoothing = 0.2}),
      {0.3485873515737421, 0.9240769841801066, 0.6931471805599453, 1.2514132779827523, 2.000000002061153});
}

TEST_CASE("binary_cross_entropy from logits: the gradient is σ(z) − t") {
  Tape tape;
  const auto z = tape.variable(numbers({17}, -4, 4));
  const auto b = greater(numbers({17}, -1, 1, 2), full<double>({}, 0)).array().to<double>();
  tape.backward(binary_cross_entropy(z, b, {.reduction = Reduction::sum}));
  const auto d = tape.gradient(z), expected = (sigmoid(z.detach()) - b).array();
  for (Index i = 0; i < 17; ++i) CHECK(d(i) == Approx(expected(i)).epsilon(exact));
}

TEST_CASE("binary_cross_entropy from logits is finite for every finite logit") {
  Tape tape;
  const auto z = tape.variable(Array<float>{1e30f, 1e30f, -1e30f, -1e30f});
  const auto l = binary_cross_entropy(z, Array<float>{1, 0, 1, 0}, {.reduction = Reduction::none});
  CHECK(l.array() == Array<float>{0, 1e30f, 1e30f, 0});
  tape.backward(sum(l));
  CHECK(tape.gradient(z) == Array<float>{0, 1, -1, 0});
}

TEST_CASE("binary_cross_entropy of probabilities") {
  expect_loss([](auto p, auto b, auto o) { return binary_cross_entropy_of_probabilities(p, b, o); },
              [](Real p, Real b) { return -(b * std::log(p) + (1 - b) * std::log(1 - p)); },
              {0.03125, 0.25, 0.5, 0.875}, {0, 1, 0.25});
  // clipped to [1e-7, 1 − 1e-7] as Keras does; numpy.log and log1p, NumPy 2.4.6. 1 − (1 − 1e-7) keeps 9
  // digits.
  const auto l =
      binary_cross_entropy_of_probabilities(Array<double>{.1, .9, .5, 1, 0}, Array<double>{0, 1, 1, 0, 1},
                                            {.reduction = Reduction::none})
          .array();
  const double expected[] = {0.10536051565782631, 0.10536051565782628, 0.6931471805599453, 16.118095651484676,
                             16.11809565095832};
  for (Index i = 0; i < 5; ++i) CHECK(l(i) == Approx(expected[i]).epsilon(1e-9));
  Tape tape;
  const auto p = tape.variable(Array<float>{0, 1});
  tape.backward(binary_cross_entropy_of_probabilities(p, Array<float>{1, 0}));
  CHECK(tape.gradient(p) == Array<float>{0, 0});  // clipped: as Keras, no slope
}

TEST_CASE("kl_divergence") {
  const auto f = [](const Array<double>& q, const Array<double>& p) {
    Array<double> rows(Shape{q.shape()[0]});
    for (Index b = 0; b < q.shape()[0]; ++b)
      for (Index c = 0; c < q.shape()[1]; ++c) rows.ref(b) += p(b, c) * std::log(p(b, c) / q(b, c));
    return rows;
  };
  Samples samples;
  for (const Shape& s : {Shape{1, 1}, Shape{7, 3}, Shape{3, 17}})
    samples.push_back({numbers(s, 0.1, 0.9), numbers(s, 0.1, 0.9, 2)});
  const auto by_rows = [](Reduction r) {
    return [r](auto q, auto p) {
      return kl_divergence(q, p, LossOptions<scalar_of<decltype(q)>>{.reduction = r});
    };
  };
  const auto total = [&](const Array<double>& q, const Array<double>& p) {
    double s = 0;
    const auto rows = f(q, p);
    for (const double v : rows.values()) s += v;
    return s;
  };
  constexpr Bounds near_zero = {.absolute = 256};  // positive and negative terms of size 1 cancel
  expect_op(by_rows(Reduction::none), f, samples, near_zero);
  expect_op(
      by_rows(Reduction::sum),
      [&](const Array<double>& q, const Array<double>& p) { return full<double>({}, total(q, p)); }, samples,
      near_zero);
  expect_op(
      by_rows(Reduction::mean),
      [&](const Array<double>& q, const Array<double>& p) {
        return full<double>({}, total(q, p) / double(q.shape()[0]));
      },
      samples, near_zero);
  const Array<double> q = {{.2, .3, .5}, {.1, .8, .1}}, p = {{.25, .25, .5}, {0, 1, 0}};
  // Σ scipy.special.rel_entr of what is clipped to [1e-7, 1], SciPy 1.17.1; ln of a quotient near 1 loses
  // digits
  const auto rows = kl_divergence(q, p, {.reduction = Reduction::none}).array();
  CHECK(std::abs(rows(0) - 0.01020549863006378) <= 1e-16);
  CHECK(std::abs(rows(1) - 0.2231407882120981) <= 1e-16);
  // a weight for each row, not for each element
  CHECK(kl_divergence(q, p, {.sample_weights = Array<double>{0, 2}}).item() ==
        Approx(rows(1)).epsilon(exact));
}

TEST_CASE("losses: weights and reductions") {
  const Array<double> w = {1, 0, 2, 4};
  check_near(mse(y, t, {.reduction = Reduction::none, .sample_weights = w}), {0.25, 0, 12.5, 0.25});
  check_near(mse(y, t, {.reduction = Reduction::sum, .sample_weights = w}), {13});
  check_near(mse(y, t, {.sample_weights = w}), {13.0 / 4});  // divided by their number, not by Σ w
  check_near(mse(y, t, {.sample_weights = full<double>({1}, 2)}), {2 * 1.65625});
  const Array<double> z = {0.5, -1, 2}, b = {1, 0, 1}, none = {3, 3, 3};
  const auto plain = binary_cross_entropy(z, b, {.reduction = Reduction::none}).array();
  check_near(binary_cross_entropy(z, b, {.reduction = Reduction::none, .class_weights = {0.5, 4}}),
             {4 * plain(0), 0.5 * plain(1), 4 * plain(2)});
  check_near(binary_cross_entropy(
                 z, b, {.reduction = Reduction::none, .sample_weights = none, .class_weights = {0.5, 4}}),
             {12 * plain(0), 1.5 * plain(1), 12 * plain(2)});
}

TEST_CASE("losses: the gradient of a weighted loss") {
  const Array<double> w = {1, 0.5, 2, 4, 0.25, 3, 1};
  expect_op(
      [&](auto a, auto b) {
        return mse(a, b, {.sample_weights = w.to<scalar_of<decltype(a)>>().to(a.device())});
      },
      [&](const Array<double>& a, const Array<double>& b) {
        double s = 0;
        for (Index i = 0; i < 7; ++i) s += w(i) * (a(i) - b(i)) * (a(i) - b(i));
        return full<double>({}, s / 7);
      },
      {{numbers({7}), numbers({7}, -1, 1, 2)}});
}

TEST_CASE(
    "losses: the slope of a forward pass is the gradient, whatever else is computed from its operands") {
  using D = Tensor<double>;
  const std::vector<D (*)(const D&, const D&)> losses = {
      [](const D& a, const D& b) { return mse(a, b); },
      [](const D& a, const D& b) { return huber(a, b); },
      [](const D& a, const D& b) { return hinge(a, b); },
      [](const D& a, const D& b) { return binary_cross_entropy(a, b); },
  };
  const std::vector<std::function<D(const D&, const D&, std::size_t)>> graphs = {
      [&](const D& a, const D& b, std::size_t k) { return losses[k](a, b); },
      [&](const D& a, const D&, std::size_t k) { return losses[k](a, a); },
      [&](const D& a, const D&, std::size_t k) { return losses[k](2 * a, 2 * a); },
      [&](const D& a, const D& b, std::size_t k) {
        return losses[k](a, b) + 3 * losses[k](a, a) + sum(square(a));
      },
      [&](const D& a, const D& b, std::size_t k) {
        const D z = 2 * a, l = losses[k](z, b);
        return sum(z) * l;
      },
      [&](const D& a, const D& b, std::size_t k) {
        const D z = 2 * a, early = sum(square(z)), l = losses[k](z, b);
        return static_cast<void>(early), l;  // begun with, and not the last use of z
      },
  };
  for (const Device device : devices())
    for (std::size_t k = 0; k < losses.size(); ++k)
      for (std::size_t g = 0; g < graphs.size(); ++g) {
        INFO(device.name() << ": loss " << k << " in graph " << g);
        std::vector<Array<double>> found[2];
        for (const bool keep : {false, true}) {  // only the first may use the slope as it is
          Tape tape;
          const auto a = tape.variable(Array<double>{0.5, -1.25, 3}.to(device));
          const auto b = tape.variable(Array<double>{1, -1, 0.25}.to(device));
          tape.backward(graphs[g](a, b, k), keep);
          found[keep].push_back(tape.gradient(a).to("cpu"));
          if (g == 0) found[keep].push_back(tape.gradient(b).to("cpu"));
        }
        CHECK(found[0] == found[1]);
      }
  for (const auto& finding : device_findings()) FAIL_CHECK(finding);
}

TEST_CASE("losses: what does not fit is named") {
  const Array<float> a(Shape{4, 1}), b(Shape{4}), none(Shape{0});
  CHECK(words<ShapeError>([&] { mse(a, b); }) ==
        "mse: predictions are [4, 1], targets are [4]; shapes must be equal");
  CHECK(words<ShapeError>([&] { hinge(a, b); }) ==
        "hinge: predictions are [4, 1], targets are [4]; shapes must be equal");
  CHECK(words<ShapeError>([&] { mae(none, none); }) ==
        "mae: predictions are [0]; there is nothing to average");
  CHECK(words<ShapeError>([&] {
          mse(b, b, {.sample_weights = Array<float>{1, 2}});
        }) == "loss: sample_weights [2] do not fit losses [4]");
  CHECK(words<ShapeError>([&] { mse(b, b, {.sample_weights = a}); }) ==
        "loss: sample_weights [4, 1] do not fit losses [4]");
  CHECK(words<ShapeError>([&] {
          binary_cross_entropy(b, b, {.class_weights = {1, 2, 3}});
        }) == "binary_cross_entropy: class_weights are [3]; they must be [2]");
  CHECK(words<ValueError>([&] { binary_cross_entropy(b, b, {.label_smoothing = -0.1}); }) ==
        "binary_cross_entropy: label_smoothing is -0.1; it must be 0 to 1");
}
