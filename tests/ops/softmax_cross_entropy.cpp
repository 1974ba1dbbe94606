// SPDX-License-Identifier: MIT
#include <gradus/ops/softmax_cross_entropy.hpp>

#include "tests/support/expect_op.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Labels = Array<std::int32_t>;

namespace {

/// −Σ t′ log softmax(z) for each row, t′ = (1 − ε) t + ε / C, in long double.
Array<double> cross_entropy(const Array<double>& z, const Array<double>& t, double e) {
  const Index B = z.shape()[0], C = z.shape()[1];
  Array<double> l(Shape{B});
  for (Index b = 0; b < B; ++b) {
    Real s = 0, sum = 0;
    for (Index c = 0; c < C; ++c) s += std::exp(Real(z(b, c)));
    for (Index c = 0; c < C; ++c) sum -= ((1 - e) * t(b, c) + e / double(C)) * (z(b, c) - std::log(s));
    l.ref(b) = static_cast<double>(sum);
  }
  return l;
}
Labels labels_for(const Array<double>& z) {
  Labels t(Shape{z.shape()[0]});
  for (Index b = 0; b < t.size(); ++b) t.ref(b) = static_cast<std::int32_t>((3 * b + 1) % z.shape()[1]);
  return t;
}
Array<double> one_hot_by_hand(const Array<double>& z) {
  Array<double> t(z.shape());
  const Labels labels = labels_for(z);
  for (Index b = 0; b < z.shape()[0]; ++b) t.ref(b, labels(b)) = 1;
  return t;
}
double mean_of(const Array<double>& l) {
  Real s = 0;
  for (const double x : l.values()) s += x;
  return static_cast<double>(s) / double(l.size());
}

const Array<double> z = {{1, 2, 3}, {0.5, -1.5, 4}, {1000, 1000, 999}, {-2, 0.25, 1}};
const Labels t = {2, 0, 1, 0};
constexpr double exact = 4e-15;  // the literals and the sums behind them are rounded a few times

}  // namespace

TEST_CASE("softmax_cross_entropy with labels") {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 7}, Shape{7, 2}, Shape{5, 17}, Shape{3, 33}})
    for (const double e : {0.0, 0.1, 1.0}) {
      const auto logits = numbers(shape, -3, 3);
      const auto labels = labels_for(logits);
      const auto expected = [&](const Array<double>& x) {
        return cross_entropy(x, one_hot_by_hand(logits), e);
      };
      expect_op(
          [&](auto x) {
            return softmax_cross_entropy(x, labels.to(x.device()),
                                         {.reduction = Reduction::none, .label_smoothing = e});
          },
          expected, {{logits}}, {.absolute = 64});
      expect_op(
          [&](auto x) { return softmax_cross_entropy(x, labels.to(x.device()), {.label_smoothing = e}); },
          [&](const Array<double>& x) { return full<double>({}, mean_of(expected(x))); }, {{logits}},
          {.absolute = 64});
    }
}

TEST_CASE("softmax_cross_entropy with distributions") {
  const auto reference = [](double e) {
    return [e](const Array<double>& x, const Array<double>& q) { return cross_entropy(x, q, e); };
  };
  for (const Shape& shape : {Shape{1, 1}, Shape{7, 3}, Shape{2, 17}})
    for (const double e : {0.0, 0.25})
      expect_op(
          [&](auto x, auto q) {
            return softmax_cross_entropy(x, q, {.reduction = Reduction::none, .label_smoothing = e});
          },
          reference(e), {{numbers(shape, -3, 3), numbers(shape, 0, 1, 2)}}, {.absolute = 64});
}

TEST_CASE("softmax_cross_entropy: numbers from elsewhere") {
  // from scipy.special.log_softmax (SciPy 1.17.1) and NumPy 2.4.6
  const auto each = [](const LossOptions<double>& o) { return softmax_cross_entropy(z, t, o).array(); };
  const auto check = [](const Array<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == Index(b.size()));
    for (Index i = 0; i < a.size(); ++i) CHECK(a.data()[i] == Approx(b[std::size_t(i)]).epsilon(exact));
  };
  check(each({.reduction = Reduction::none}),
        {0.4076059644443804, 3.5337095496098874, 0.8619948040582511, 3.420126188057514});
  check(each({}), {2.0558591265425084});
  check(each({.reduction = Reduction::sum}), {4 * 2.0558591265425084});
  check(each({.reduction = Reduction::none, .label_smoothing = 0.1}),
        {0.5076059644443804, 3.4837095496098875, 0.8953281373915845, 3.245126188057514});
  check(each({.label_smoothing = 0.1}), {2.0329424598758417});
  const Array<double> w = {1, 2, 0.5}, sw = {1, 0.5, 2, 4};
  check(each({.reduction = Reduction::none, .class_weights = w}),
        {0.2038029822221902, 3.5337095496098874, 1.7239896081165023, 3.420126188057514});
  check(each({.class_weights = w}), {2.2204070820015236});
  check(each({.sample_weights = sw, .class_weights = w}), {4.774785431372548});
  const Array<double> q = {{.2, .3, .5}, {0, 1, 0}, {.25, .25, .5}, {1, 0, 0}};
  check(softmax_cross_entropy(z, q, {.reduction = Reduction::none}).array(),
        {1.1076059644443805, 5.533709549609887, 1.3619948040582512, 3.420126188057514});
  check(softmax_cross_entropy(z, q, {.reduction = Reduction::none, .class_weights = w}).array(),
        {1.4279862626665996, 11.067419099219775, 1.1119948040582512, 3.420126188057514});
}

TEST_CASE("softmax_cross_entropy: weights are constants or have a gradient") {
  const auto logits = numbers({3, 4}, -2, 2);
  const Labels labels = {3, 0, 1};
  const auto rows = cross_entropy(logits, one_hot(labels, 4).array().to<double>(), 0);
  Tape tape;
  const auto w = tape.variable(Array<double>{1, 2, 3});
  tape.backward(
      softmax_cross_entropy(tape.input(logits), labels, {.reduction = Reduction::sum, .sample_weights = w}));
  const auto d = tape.gradient(w);
  for (Index i = 0; i < 3; ++i) CHECK(d(i) == Approx(rows(i)).epsilon(exact));
}

TEST_CASE("softmax_cross_entropy is finite where exp is not") {
  const Array<float> far = {{1e30f, -1e30f, 0}, {-1e30f, 1e30f, 0}};
  Tape tape;
  const auto x = tape.variable(far);
  const auto l = softmax_cross_entropy(x, Labels{0, 0}, {.reduction = Reduction::none});
  CHECK(l.array() == Array<float>{0, 2e30f});
  tape.backward(sum(l));
  CHECK(tape.gradient(x) == Array<float>{{0, 0, 0}, {-1, 1, 0}});
}

TEST_CASE("softmax_cross_entropy: what does not fit is named") {
  const Array<float> x(Shape{2, 3});
  const Labels y = {0, 1};
  CHECK(words<IndexError>([&] {
          softmax_cross_entropy(x, Labels{0, 3});
        }) == "softmax_cross_entropy: label 3 at place 1 is outside 0 to 2");
  CHECK(words<IndexError>([&] {
          softmax_cross_entropy(x, Labels{-1, 0});
        }) == "softmax_cross_entropy: label -1 at place 0 is outside 0 to 2");
  CHECK(words<ShapeError>([&] { softmax_cross_entropy(x, Labels{0}); }) ==
        "softmax_cross_entropy: logits are [2, 3], targets are [1]; they must be [B, C] and [B] labels or "
        "[B, C] distributions");
  CHECK(words<ShapeError>([&] {
          softmax_cross_entropy(x, Array<float>(Shape{3, 2}));
        }) ==
        "softmax_cross_entropy: logits are [2, 3], targets are [3, 2]; they must be [B, C] and [B] labels or "
        "[B, C] distributions");
  CHECK(words<ShapeError>([&] { softmax_cross_entropy(Array<float>(Shape{3}), y); }).substr(0, 36) ==
        "softmax_cross_entropy: logits are [3");
  CHECK(words<ShapeError>([&] {
          softmax_cross_entropy(Array<float>(Shape{0, 3}), Labels(Shape{0}));
        }) == "softmax_cross_entropy: logits are [0, 3]; there is nothing to average");
  CHECK(words<ShapeError>([&] {
          softmax_cross_entropy(x, y, {.class_weights = Array<float>{1, 2}});
        }) == "softmax_cross_entropy: class_weights are [2]; they must be [3]");
  CHECK(words<ShapeError>([&] {
          softmax_cross_entropy(x, y, {.sample_weights = Array<float>{1, 2, 3}});
        }) == "loss: sample_weights [3] do not fit losses [2]");
  CHECK(words<ValueError>([&] { softmax_cross_entropy(x, y, {.label_smoothing = 1.5}); }) ==
        "softmax_cross_entropy: label_smoothing is 1.5; it must be 0 to 1");
}
