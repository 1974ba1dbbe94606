// SPDX-License-Identifier: MIT
// The gradient of every op over at least 25 samples each: no axes, nothing, 1 × 1, odd sizes, broadcast, transposed,
// sliced, one operand given twice, values far out. In double, against
//   central differences, to PyTorch's gradcheck bounds (h 1e-6, 1e-5 + 1e-3 · |d|), and
//   Richardson's extrapolation of differences in long double, to 1e-8.
// A line at the end has the figures. A list of the headers' ops sees to it that none is missing here.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gradus/ops/ops.hpp>

#include "tests/support/expect_op.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

enum class Form { plain, transposed, sliced, twice };

struct Sample {
  Form form;
  std::vector<Shape> shapes;
  std::uint64_t seed;
  bool far = false;
};
using SamplesOf = std::vector<Sample>;

/// Values in [low, high] at least 0.004 from each multiple of 0.02, where functions have their corners: closer than
/// that differences of two sides would meet.
Array<double> values(const Shape& shape, double low, double high, std::uint64_t seed) {
  Array<double> a = numbers(shape, low, high, seed);
  for (double& x : a.mutable_values()) {
    const double cell = std::floor(x / 0.02);
    x = 0.02 * cell + 0.004 + 0.6 * (x - 0.02 * cell);
  }
  return a;
}

struct Op {
  std::string name;
  Function<double> f;
  Function<long double> exact;
  std::size_t operands;
  SamplesOf samples;
  double low, high, low2, high2;
  double far;  // samples far out are so many times as large
};

template <std::size_t N, class F> Op op(const std::string& name, const F& f, const SamplesOf& samples,
                                        double low = -2, double high = 2, double far = 4, double low2 = 0,
                                        double high2 = 0) {
  if (low2 == high2) low2 = low, high2 = high;
  return {name, function_of<double, N>(f), function_of<long double, N>(f), N, samples, low, high, low2, high2,
          far};
}

/// op(x) of the operands in the sample's form.
template <class T> Tensor<T> call(const Function<T>& f, Form form, Operands<T> x) {
  for (auto& v : x) {
    if (form == Form::transposed) v = transpose(v);
    if (form == Form::sliced) v = slice(v, 0, 1, v.shape()[0]);
    if (form == Form::twice) v = x[0];
  }
  const Tensor<T> y = f(x);
  return form == Form::twice ? y * y : y;
}

struct Report {
  int samples = 0, failed = 0;
  double worst = 0;
  std::string of, failures;
};

/// What `Report::worst` is of: the difference beside the largest slope of the sample, or beside 1e-4 of the largest
/// value where slopes are less: the rounding of values alone is felt there.
void check(const Op& op, const Sample& s, Report& report) {
  std::vector<Array<double>> x;
  for (std::size_t k = 0; k < op.operands; ++k) {
    const Shape& shape = s.shapes[std::min(k, s.shapes.size() - 1)];
    const double far = s.far ? op.far : 1;
    x.push_back(values(shape, far * (k ? op.low2 : op.low), far * (k ? op.high2 : op.high), s.seed + 10 * k));
  }
  Tape tape;
  Operands<double> v;
  for (const auto& a : x) v.push_back(tape.variable(a));
  const Tensor<double> y = call(op.f, s.form, v);
  const Array<double> c = weights<double>(y.shape(), {}), value = y.array();
  tape.backward(sum(y * c));
  const auto loss = [&]<class T>(const Function<T>& f, std::size_t k, Index i, T h) {
    Operands<T> moved;
    for (std::size_t j = 0; j < x.size(); ++j) {
      Array<T> a = x[j].template to<T>();
      if (j == k) a.mutable_data()[i] += h;
      moved.emplace_back(a);
    }
    const Array<T> at = call(f, s.form, moved).array();
    T total = 0;
    for (Index j = 0; j < at.size(); ++j) total += T(c.data()[j]) * at.data()[j];
    return total;
  };
  double largest_slope = 1e-4 * largest(value), error = 0;
  bool failed = false;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (s.form == Form::twice && k > 0) continue;
    const Array<double> d = v[k].gradient()->written ? tape.gradient(v[k]) : Array<double>(x[k].shape());
    largest_slope = std::max(largest_slope, largest(d));
    for (Index i = 0; i < x[k].size(); ++i) {
      const auto exact = [&](long double h) {
        return (loss(op.exact, k, i, h) - loss(op.exact, k, i, -h)) / (2 * h);
      };
      constexpr long double h = 0x1p-12L;
      const double fine = static_cast<double>((4 * exact(h / 2) - exact(h)) / 3);
      const double coarse = (loss(op.f, k, i, 1e-6) - loss(op.f, k, i, -1e-6)) / 2e-6;
      error = std::max(error, std::abs(d.data()[i] - fine));
      failed = failed || !(std::abs(d.data()[i] - coarse) <= 1e-5 + 1e-3 * std::abs(coarse));
    }
  }
  error = error == 0 ? 0 : error / largest_slope;
  failed = failed || !(error <= 1e-8);
  ++report.samples, report.failed += failed;
  if (failed)
    report.failures += op.name + " of " + x[0].shape().str() + ", seed " + std::to_string(s.seed) + "\n";
  if (!(error <= report.worst)) report.worst = error, report.of = op.name;
}

/// Sizes of one operand. `scalars`: no axes, too; `empty`: nothing, too.
SamplesOf of_one(bool scalars, bool empty) {
  SamplesOf s;
  std::uint64_t seed = 1;
  if (scalars) s.push_back({Form::plain, {Shape{}}, seed++}), s.push_back({Form::twice, {Shape{}}, seed++});
  if (empty)
    s.push_back({Form::plain, {Shape{0}}, seed++}), s.push_back({Form::plain, {Shape{3, 0}}, seed++});
  for (const Shape& shape : {Shape{1}, Shape{1, 1}, Shape{7}, Shape{17}, Shape{33}, Shape{2, 3, 5},
                             Shape{1, 7}, Shape{5, 1}, Shape{4, 4}, Shape{1, 1, 1, 3}, Shape{3, 5}})
    s.push_back({Form::plain, {shape}, seed++});
  for (const Shape& shape : {Shape{3, 5}, Shape{1, 4}, Shape{6, 1}, Shape{2, 3, 4}})
    s.push_back({Form::transposed, {shape}, seed++});
  for (const Shape& shape : {Shape{5, 3}, Shape{9}, Shape{4, 2, 2}, Shape{3, 1}})
    s.push_back({Form::sliced, {shape}, seed++});
  for (const Shape& shape : {Shape{5}, Shape{2, 3}, Shape{1, 1}}) s.push_back({Form::twice, {shape}, seed++});
  for (const Shape& shape : {Shape{8}, Shape{3, 3}, Shape{1}})
    s.push_back({Form::plain, {shape}, seed++, true});
  return s;
}
/// Sizes of two operands that broadcast.
SamplesOf of_two(bool broadcast, bool twice = true) {
  SamplesOf s;
  std::uint64_t seed = 1;
  for (const Sample& one : of_one(broadcast, broadcast))
    if (twice || one.form != Form::twice)
      s.push_back({one.form, {one.shapes[0], one.shapes[0]}, seed++, one.far});
  using Pair = std::pair<Shape, Shape>;
  if (broadcast)
    for (const auto& [a, b] : {Pair{{5}, {}}, Pair{{}, {5}}, Pair{{3, 5}, {5}}, Pair{{3, 1}, {1, 5}},
                               Pair{{4, 1, 3}, {2, 1}}, Pair{{1}, {7}}})
      s.push_back({Form::plain, {a, b}, seed++});
  while (s.size() < 25) s.push_back({Form::plain, {Shape{3, 7}, Shape{3, 7}}, seed++});
  return s;
}
/// M, N and K of products, one sample for each: `shape` has the operands'.
SamplesOf of_products(const std::function<std::vector<Shape>(Index, Index, Index)>& shape) {
  SamplesOf s;
  std::uint64_t seed = 1;
  for (const Index m : {1, 2, 5})
    for (const Index n : {1, 3, 4})
      for (const Index k : {1, 2, 7}) s.push_back({Form::plain, shape(m, n, k), seed++});
  s.push_back({Form::plain, shape(0, 2, 3), seed++}), s.push_back({Form::plain, shape(2, 3, 0), seed++});
  s.push_back({Form::plain, shape(3, 3, 3), seed++, true}),
      s.push_back({Form::plain, shape(17, 19, 33), seed++});
  return s;
}
SamplesOf square_twice(SamplesOf s) {
  for (const Index n : {1, 2, 5}) s.push_back({Form::twice, {Shape{n, n}}, 90 + std::uint64_t(n)});
  for (const Index n : {1, 2, 5})
    s.push_back({Form::transposed, {Shape{n, 3}, Shape{4, n}}, 80 + std::uint64_t(n)});
  return s;
}

std::vector<Op> all_ops() {
  const auto any = of_one(true, true), axes = of_one(false, false), full = of_one(true, false);
  const auto pairs = of_two(true), equal = of_two(false), apart = of_two(false, false);
  std::vector<Op> all;
  const auto add = [&](Op o) { all.push_back(std::move(o)); };
  // element by element
  add(op<1>(
      "sigmoid", [](auto x) { return sigmoid(x); }, any, -4, 4));
  add(op<1>(
      "relu", [](auto x) { return relu(x); }, any));
  add(op<1>(
      "leaky_relu", [](auto x) { return leaky_relu(x, 0.1); }, any));
  add(op<1>(
      "elu", [](auto x) { return elu(x, 1.5); }, any));
  add(op<1>(
      "gelu", [](auto x) { return gelu(x); }, any));
  add(op<1>(
      "gelu_tanh", [](auto x) { return gelu_tanh(x); }, any));
  add(op<1>(
      "silu", [](auto x) { return silu(x); }, any));
  add(op<1>(
      "softplus", [](auto x) { return softplus(x); }, any, -4, 4));
  add(op<1>(
      "log_sigmoid", [](auto x) { return log_sigmoid(x); }, any, -4, 4));
  add(op<1>(
      "celu", [](auto x) { return celu(x, 0.7); }, any));
  add(op<1>(
      "selu", [](auto x) { return selu(x); }, any));
  add(op<1>(
      "softsign", [](auto x) { return softsign(x); }, any));
  add(op<1>(
      "hard_sigmoid", [](auto x) { return hard_sigmoid(x, 0.25, 0.5); }, any, -3, 3));
  add(op<1>(
      "floor", [](auto x) { return floor(x); }, any));
  add(op<1>(
      "ceil", [](auto x) { return ceil(x); }, any));
  add(op<1>(
      "round", [](auto x) { return round(x); }, any));
  add(op<1>(
      "exp", [](auto x) { return exp(x); }, any));
  add(op<1>(
      "expm1", [](auto x) { return expm1(x); }, any));
  add(op<1>(
      "log", [](auto x) { return log(x); }, any, 0.1, 3, 100));
  add(op<1>(
      "log1p", [](auto x) { return log1p(x); }, any, -0.8, 3, 1.2));
  add(op<1>(
      "sin", [](auto x) { return sin(x); }, any));
  add(op<1>(
      "cos", [](auto x) { return cos(x); }, any));
  add(op<1>(
      "tanh", [](auto x) { return tanh(x); }, any));
  add(op<1>(
      "erf", [](auto x) { return erf(x); }, any, -2, 2, 1.5));
  add(op<1>(
      "square", [](auto x) { return square(x); }, any, -2, 2, 1000));
  add(op<1>(
      "sqrt", [](auto x) { return sqrt(x); }, any, 0.1, 3, 1000));
  add(op<1>(
      "rsqrt", [](auto x) { return rsqrt(x); }, any, 0.1, 3, 100));
  add(op<1>(
      "reciprocal", [](auto x) { return reciprocal(x); }, any, 0.2, 3, 100));
  add(op<1>(
      "abs", [](auto x) { return abs(x); }, any, -2, 2, 1000));
  add(op<1>(
      "sign", [](auto x) { return sign(x); }, any));
  add(op<1>(
      "pow", [](auto x) { return pow(x, 3); }, any));
  add(op<1>(
      "pow", [](auto x) { return pow(x, -1.5); }, any, 0.2, 3));
  add(op<1>(
      "clamp", [](auto x) { return clamp(x, -0.5, 1); }, any));
  add(op<1>(
      "operator+", [](auto x) { return x + 2 + (1 + x); }, any));
  add(op<1>(
      "operator-", [](auto x) { return (x - 2) * 3 - (1 - x) - (-x); }, any));
  add(op<1>(
      "operator/", [](auto x) { return x / 3 + 2 / x; }, any, 0.2, 3));
  // two operands
  add(op<2>(
      "operator+", [](auto a, auto b) { return a + b; }, pairs));
  add(op<2>(
      "operator-", [](auto a, auto b) { return a - b; }, pairs));
  add(op<2>(
      "operator*", [](auto a, auto b) { return a * b; }, pairs, -2, 2, 100));
  add(op<2>(
      "operator/", [](auto a, auto b) { return a / b; }, pairs, -2, 2, 100, 0.3, 3));
  add(op<2>(
      "pow", [](auto a, auto b) { return pow(a, b); }, pairs, 0.2, 2, 3));
  add(op<2>(
      "maximum", [](auto a, auto b) { return maximum(a, b); }, pairs));
  add(op<2>(
      "minimum", [](auto a, auto b) { return minimum(a, b); }, pairs));
  add(op<2>(
      "where", [](auto a, auto b) { return where(less(a, 0.5 * b), a * b, b); }, pairs));
  add(op<2>(
      "prelu", [](auto a, auto b) { return prelu(a, b); }, pairs));
  // along axes
  add(op<1>(
      "sum", [](auto x) { return sum(x); }, any));
  add(op<1>(
      "sum", [](auto x) { return sum(x, 0, true); }, axes));
  add(op<1>(
      "mean", [](auto x) { return mean(x); }, full));
  add(op<1>(
      "mean", [](auto x) { return mean(x, -1); }, axes));
  add(op<1>(
      "variance", [](auto x) { return variance(x); }, full));
  add(op<1>(
      "variance",
      [](auto x) {
        return variance(concat({x, 2 * x}, 0), 0, true, true);
      },
      axes));
  add(op<1>(
      "max", [](auto x) { return max(x); }, full));
  add(op<1>(
      "max", [](auto x) { return max(x, 0); }, axes));
  add(op<1>(
      "min", [](auto x) { return min(x); }, full));
  add(op<1>(
      "min", [](auto x) { return min(x, -1, true); }, axes));
  add(op<1>(
      "prod", [](auto x) { return prod(x, -1); }, axes, 0.5, 1.5, 1.2));
  add(op<1>(
      "cumsum", [](auto x) { return cumsum(x); }, axes));
  add(op<1>(
      "cumsum", [](auto x) { return cumsum(x, 0); }, axes));
  add(op<1>(
      "softmax", [](auto x) { return softmax(x); }, axes));
  add(op<1>(
      "softmax", [](auto x) { return softmax(x, 0); }, axes));
  add(op<1>(
      "log_softmax", [](auto x) { return log_softmax(x); }, axes));
  add(op<1>(
      "log_softmax", [](auto x) { return log_softmax(x, 0); }, axes));
  add(op<1>(
      "logsumexp", [](auto x) { return logsumexp(x); }, axes));
  add(op<1>(
      "layer_norm",
      [](auto x) {
        return layer_norm(concat({x, 1 - x}, -1));
      },
      axes));
  add(op<1>(
      "rms_norm", [](auto x) { return rms_norm(x); }, axes, 0.5, 2));
  // shapes
  add(op<1>(
      "reshape", [](auto x) { return square(reshape(x, {-1})); }, full));
  add(op<1>(
      "flatten", [](auto x) { return square(flatten(x)); }, axes));
  add(op<1>(
      "transpose",
      [](auto x) {
        return square(transpose(stack({x, 2 * x})));
      },
      axes));
  add(op<1>(
      "permute",
      [](auto x) {
        return square(permute(reshape(x, {1, -1, 1}), {2, 1, 0}));
      },
      full));
  add(op<1>(
      "slice",
      [](auto x) {
        return square(slice(concat({x, x * x}, 0), 0, 1, 2, 1));
      },
      axes));
  add(op<2>(
      "concat",
      [](auto a, auto b) {
        return square(concat({a, b, a}, -1));
      },
      equal));
  add(op<2>(
      "stack",
      [](auto a, auto b) {
        return square(stack({a, b, a}, 1));
      },
      equal));
  add(op<1>(
      "take",
      [](auto x) {
        return square(take(x, Array<std::int32_t>{0, 0, 0}));
      },
      axes));
  // products
  add(op<2>(
      "matmul", [](auto a, auto b) { return matmul(a, b); },
      square_twice(of_products([](Index m, Index n, Index k) {
        return std::vector<Shape>{{m, k}, {k, n}};
      }))));
  add(op<2>(
      "matmul", [](auto a, auto b) { return matmul(a, b); }, of_products([](Index m, Index n, Index k) {
        return std::vector<Shape>{{2, m, k}, {k, n}};
      })));
  add(op<2>(
      "linear", [](auto x, auto w) { return linear(x, w); }, of_products([](Index m, Index n, Index k) {
        return std::vector<Shape>{{m, k}, {n, k}};
      })));
  add(op<3>(
      "linear",
      [](auto x, auto w, auto b) {
        return linear(x, w, reshape(b, {-1}), &ops::joined<ops::Sigmoid, scalar_of<decltype(x)>>);
      },
      of_products([](Index m, Index n, Index k) {
        return std::vector<Shape>{{m, k}, {n, k}, {n, 1}};
      })));
  // losses
  add(op<2>(
      "mse", [](auto y, auto t) { return mse(y, t); }, equal));
  add(op<2>(
      "mae", [](auto y, auto t) { return mae(y, t); }, apart));
  add(op<2>(
      "huber", [](auto y, auto t) { return huber(y, t, 0.75); }, apart));
  add(op<2>(
      "hinge", [](auto y, auto t) { return hinge(y, t); }, apart, -2, 2, 4, 1.01, 1.012));
  add(op<2>(
      "kl_divergence", [](auto y, auto t) { return kl_divergence(y, t); }, apart, 0.1, 0.9, 1));
  add(op<2>(
      "binary_cross_entropy", [](auto z, auto t) { return binary_cross_entropy(z, t); }, equal, -4, 4, 1, 0,
      1));
  add(op<2>(
      "binary_cross_entropy",
      [](auto z, auto t) {
        return binary_cross_entropy(z, t, {.reduction = Reduction::none, .label_smoothing = 0.1});
      },
      apart, -4, 4, 1, 0, 1));
  add(op<2>(
      "binary_cross_entropy_of_probabilities",
      [](auto p, auto t) { return binary_cross_entropy_of_probabilities(p, t); }, equal, 0.1, 0.9, 1));
  add(op<1>(
      "softmax_cross_entropy",
      [](auto z) {
        const Index rows = z.shape().rows();
        return softmax_cross_entropy(reshape(z, {rows, -1}), Array<std::int32_t>(Shape{rows}),
                                     {.label_smoothing = 0.1});
      },
      axes));
  add(op<2>(
      "softmax_cross_entropy", [](auto z, auto t) { return softmax_cross_entropy(z, t); },
      of_products([](Index m, Index n, Index) {
        return std::vector<Shape>{{m + 1, n}, {m + 1, n}};
      }),
      -2, 2, 4, 0.1, 0.9));
  return all;
}

Report check_all(const std::vector<Op>& ops) {
  Report report;
  for (const Op& op : ops)
    for (const Sample& s : op.samples) check(op, s, report);
  return report;
}

/// Functions of operands that the headers in ops/ declare.
std::set<std::string> declared() {
  std::set<std::string> names;
  const std::regex function(R"(template <[^;{}]*\bOperand\b[^;{}]*>\s*auto\s+(operator[^(]+|\w+)\()");
  for (const auto& file : std::filesystem::directory_iterator(GRADUS_SOURCE_DIR "/include/gradus/ops")) {
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    const std::string all = text.str();
    for (std::sregex_iterator i(all.begin(), all.end(), function), end; i != end; ++i) names.insert((*i)[1]);
  }
  return names;
}

}  // namespace

TEST_CASE("the gradient of every op") {
  const auto ops = all_ops();
  std::map<std::string, int> samples;
  for (const Op& op : ops) samples[op.name] += int(op.samples.size());
  for (const auto& [name, n] : samples) {
    INFO(name);
    CHECK(n >= 25);
  }
  const Report report = check_all(ops);
  std::printf("%d ops, %d samples, %d failed, worst %.0e (%s)\n", int(samples.size()), report.samples,
              report.failed, report.worst, report.of.c_str());
  INFO(report.failures);
  CHECK(report.failed == 0);
}

TEST_CASE("no op of the headers is missing above") {
  std::set<std::string> tested;
  for (const Op& op : all_ops()) tested.insert(op.name);
  // whole numbers and truths have no gradient, dropout draws anew at each use (dropout.cpp has its own), and the last
  // two are what other ops are made of
  const std::set<std::string> without = {"argmax",  "argmin",     "equal",   "not_equal",
                                         "less",    "less_equal", "greater", "greater_equal",
                                         "dropout", "pointwise",  "pairwise"};
  const auto names = declared();
  CHECK(names.size() > 60);
  for (const auto& name : names) {
    INFO(name);
    CHECK((tested.count(name) || without.count(name)));
  }
  for (const auto& name : without) CHECK(names.count(name));
}

namespace {

struct Wrong {  // y = x², whose slope is off by 2 in 10⁸
  static constexpr const char* name = "wrong";
  template <class X> static X value(X x) { return x * x; }
  template <class X> static X slope_at_x(X x) { return 2 * x * X(1 + 2e-8); }
};

}  // namespace

TEST_CASE("a slope that is off by 2 in 10⁸ is found") {
  const auto wrong = check_all({op<1>(
      "wrong", [](auto x) { return pointwise<Wrong>(x); }, of_one(true, true))});
  CHECK(wrong.failed > 20);
  CHECK(wrong.of == "wrong");
  CHECK(wrong.worst == Approx(2e-8).epsilon(0.1));
}
