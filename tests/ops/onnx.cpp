// SPDX-License-Identifier: MIT
// ONNX's own operator tests, run with gradus' ops on every device; tests/data_files/onnx_operators.md says of each case
// what runs it or why nothing does, and this test that the table is true.
#include "tests/support/onnx.hpp"

#include <fstream>

#include <gradus/ops/ops.hpp>
#include <gradus/optim/optim.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;
using namespace gradus::test;
using onnx::Call;
using onnx::Operators;

namespace {

/// An operator of so many inputs that has no attributes.
template <class T, class F> auto unary(const char* text, const F& f) {
  return [=](Call<T>& c) { return c.is(text, f(c.x(0))); };
}
template <class T, class F> auto binary(const char* text, const F& f) {
  return [=](Call<T>& c) { return c.is(text, f(c.x(0), c.x(1))); };
}
/// Any number of inputs, two at a time.
template <class T, class F> auto folded(const char* text, const F& f) {
  return [=](Call<T>& c) {
    Tensor<T> y = c.x(0);
    for (int k = 1; k < c.inputs(); ++k) y = f(y, c.x(k));
    return c.is(text, y);
  };
}

template <class T> Operators<T> arithmetic() {
  return {
      {"Abs", unary<T>("abs(x)", [](auto x) { return abs(x); })},
      {"Add", binary<T>("a + b", [](auto a, auto b) { return a + b; })},
      {"Ceil", unary<T>("ceil(x)", [](auto x) { return ceil(x); })},
      {"Cos", unary<T>("cos(x)", [](auto x) { return cos(x); })},
      {"Div", binary<T>("a / b", [](auto a, auto b) { return a / b; })},
      {"Erf", unary<T>("erf(x)", [](auto x) { return erf(x); })},
      {"Exp", unary<T>("exp(x)", [](auto x) { return exp(x); })},
      {"Floor", unary<T>("floor(x)", [](auto x) { return floor(x); })},
      {"Max", folded<T>("maximum(a, b)", [](auto a, auto b) { return maximum(a, b); })},
      {"Mean",
       [](Call<T>& c) {
         const auto x = c.all();
         return c.is("mean(stack(x), 0)", mean(stack(std::span<const Tensor<T>>(x)), 0));
       }},
      {"Min", folded<T>("minimum(a, b)", [](auto a, auto b) { return minimum(a, b); })},
      {"Mul", binary<T>("a * b", [](auto a, auto b) { return a * b; })},
      {"Pow", binary<T>("pow(a, b)", [](auto a, auto b) { return pow(a, b); })},
      {"Reciprocal", unary<T>("reciprocal(x)", [](auto x) { return reciprocal(x); })},
      {"Round", unary<T>("round(x)", [](auto x) { return round(x); })},
      {"Sin", unary<T>("sin(x)", [](auto x) { return sin(x); })},
      {"Sqrt", unary<T>("sqrt(x)", [](auto x) { return sqrt(x); })},
      {"Sub", binary<T>("a - b", [](auto a, auto b) { return a - b; })},
      {"Sum", folded<T>("a + b", [](auto a, auto b) { return a + b; })},
      {"Tanh", unary<T>("tanh(x)", [](auto x) { return tanh(x); })},
  };
}

template <class T> Operators<T> comparisons() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto number = [](Call<T>& c, T value) { return full<T>({}, value, c.device()); };
  return {
      {"Clip",
       [](Call<T>& c) {  // the bounds are tensors of one number
         if (!c.has(2)) return c.is("maximum(x, low)", maximum(c.x(0), c.x(1)));
         if (c.number(1) > c.number(2))  // clamp refuses that
           return c.is("minimum(maximum(x, low), high)", minimum(maximum(c.x(0), c.x(1)), c.x(2)));
         return c.is("clamp(x, low, high)", clamp(c.x(0), double(c.number(1)), double(c.number(2))));
       }},
      {"Greater", binary<T>("greater(a, b)", [](auto a, auto b) { return greater(a, b); })},
      {"GreaterOrEqual",
       binary<T>("greater_equal(a, b)", [](auto a, auto b) { return greater_equal(a, b); })},
      {"IsInf",
       [=](Call<T>& c) {
         if (c.attribute("detect_positive", 1) == 0)
           return c.is("equal(x, −∞)", equal(c.x(0), number(c, -infinity)));
         return c.is("equal(abs(x), ∞)", equal(abs(c.x(0)), number(c, infinity)));
       }},
      {"IsNaN", unary<T>("not_equal(x, x)", [](auto x) { return not_equal(x, x); })},
      {"Less", binary<T>("less(a, b)", [](auto a, auto b) { return less(a, b); })},
      {"LessOrEqual", binary<T>("less_equal(a, b)", [](auto a, auto b) { return less_equal(a, b); })},
      {"ThresholdedRelu",
       [=](Call<T>& c) {
         const auto x = c.x(0);
         const auto above = greater(x, number(c, static_cast<T>(c.attribute("alpha", 1))));
         return c.is("where(greater(x, α), x, 0)", where(above, x, number(c, 0)));
       }},
  };
}

template <class T> Operators<T> activations() {
  return {
      {"Celu", [](Call<T>& c) { return c.is("celu(x, α)", celu(c.x(0), c.attribute("alpha", 1))); }},
      {"Elu", [](Call<T>& c) { return c.is("elu(x, α)", elu(c.x(0), c.attribute("alpha", 1))); }},
      {"Gelu",
       [](Call<T>& c) {
         if (c.word("approximate", "none") == "tanh") return c.is("gelu_tanh(x)", gelu_tanh(c.x(0)));
         return c.is("gelu(x)", gelu(c.x(0)));
       }},
      {"HardSigmoid",
       [](Call<T>& c) {
         return c.is("hard_sigmoid(x, α, β)",
                     hard_sigmoid(c.x(0), c.attribute("alpha", 0.2), c.attribute("beta", 0.5)));
       }},
      {"LeakyRelu",
       [](Call<T>& c) { return c.is("leaky_relu(x, α)", leaky_relu(c.x(0), c.attribute("alpha", 0.01))); }},
      {"LogSoftmax",
       [](Call<T>& c) {
         return c.is("log_softmax(x, axis)", log_softmax(c.x(0), int(c.attribute("axis", -1))));
       }},
      {"PRelu", binary<T>("prelu(x, slope)", [](auto x, auto a) { return prelu(x, a); })},
      {"Relu", unary<T>("relu(x)", [](auto x) { return relu(x); })},
      {"Selu",
       [](Call<T>& c) {
         const double alpha = c.attribute("alpha", ops::Selu::alpha),
                      gamma = c.attribute("gamma", ops::Selu::gamma);
         c.allow(alpha * gamma * 0x1p-24);  // ONNX's is eˣ − 1 of a rounded eˣ
         if (alpha == ops::Selu::alpha) return c.is("selu(x)", selu(c.x(0)));
         return c.is("elu(x, α) * γ", elu(c.x(0), alpha) * gamma);
       }},
      {"Sigmoid", unary<T>("sigmoid(x)", [](auto x) { return sigmoid(x); })},
      {"Softmax",
       [](Call<T>& c) { return c.is("softmax(x, axis)", softmax(c.x(0), int(c.attribute("axis", -1)))); }},
      {"Softplus", unary<T>("softplus(x)", [](auto x) { return softplus(x); })},
      {"Softsign", unary<T>("softsign(x)", [](auto x) { return softsign(x); })},
  };
}

/// The axes of a reduction; none named: all.
template <class T> Axes axes(const Call<T>& c) {
  const auto named = c.indices(1);
  REQUIRE(named.size() <= 1);
  return named.empty() ? Axes() : Axes(int(named[0]));
}
/// text(x, axes), f(x, axes, keepdims) of it.
template <class T, class F> auto reduction(const char* text, const F& f) {
  return [=](Call<T>& c) { return c.is(text, f(c.x(0), axes(c), c.keepdims())); };
}
template <class T, class F> auto extreme_place(const char* text, const F& f) {
  return [=](Call<T>& c) {
    const auto x = c.x(0);
    const auto place = f(x, Index(c.attribute("axis", 0)));
    return c.keepdims()
               ? c.is(std::string("reshape(") + text + ", …)", reshape(place, c.shape_of_output(0).sizes()))
               : c.is(text, place);
  };
}
template <class T> Operators<T> reductions() {
  return {
      {"ArgMax", extreme_place<T>("argmax(x, axis)", [](auto x, Index axis) { return argmax(x, axis); })},
      {"ArgMin", extreme_place<T>("argmin(x, axis)", [](auto x, Index axis) { return argmin(x, axis); })},
      {"CumSum", [](Call<T>& c) { return c.is("cumsum(x, axis)", cumsum(c.x(0), int(c.indices(1).at(0)))); }},
      {"ReduceL1",
       reduction<T>("sum(abs(x), axes)", [](auto x, auto... how) { return sum(abs(x), how...); })},
      {"ReduceL2", reduction<T>("sqrt(sum(square(x), axes))",
                                [](auto x, auto... how) { return sqrt(sum(square(x), how...)); })},
      {"ReduceLogSum",
       reduction<T>("log(sum(x, axes))", [](auto x, auto... how) { return log(sum(x, how...)); })},
      {"ReduceLogSumExp",
       [](Call<T>& c) {
         const auto x = c.x(0);
         const auto axis = c.indices(1);
         if (c.keepdims() && axis.empty())
           return c.is("reshape(logsumexp(reshape(x, {−1})), …)",
                       reshape(logsumexp(reshape(x, {-1})), c.shape_of_output(0).sizes()));
         const bool keepdims = c.shape_of_output(0).rank() == x.shape().rank();
         return c.is("logsumexp(x, axis)", logsumexp(x, int(axis.at(0)), keepdims));
       }},
      {"ReduceMax", reduction<T>("max(x, axes)", [](auto x, auto... how) { return max(x, how...); })},
      {"ReduceMean", reduction<T>("mean(x, axes)", [](auto x, auto... how) { return mean(x, how...); })},
      {"ReduceMin", reduction<T>("min(x, axes)", [](auto x, auto... how) { return min(x, how...); })},
      {"ReduceProd", reduction<T>("prod(x, axes)", [](auto x, auto... how) { return prod(x, how...); })},
      {"ReduceSum", reduction<T>("sum(x, axes)", [](auto x, auto... how) { return sum(x, how...); })},
      {"ReduceSumSquare",
       reduction<T>("sum(square(x), axes)", [](auto x, auto... how) { return sum(square(x), how...); })},
  };
}

/// Parts of x along an axis, one for each output.
template <class T> std::string split(Call<T>& c) {
  const int axis = int(c.attribute("axis", 0));
  c.ignore("num_outputs");
  std::vector<Tensor<T>> parts;
  Index at = 0;
  for (Index k = 0; k < c.outputs(); ++k) {
    const Index n = c.shape_of_output(k)[axis];
    parts.push_back(slice(c.x(0), axis, at, at + n));
    at += n;
  }
  return c.is("slice(x, axis, first, last)", parts);
}
template <class T> std::string slice_each(Call<T>& c) {
  const auto first = c.indices(1), last = c.indices(2), axes = c.indices(3), steps = c.indices(4);
  Tensor<T> y = c.x(0);
  for (std::size_t k = 0; k < first.size(); ++k)
    y = slice(y, axes.empty() ? int(k) : int(axes[k]), first[k], last[k], steps.empty() ? 1 : steps[k]);
  return c.is("slice(x, axis, first, last, step)", y);
}
/// `values`, of type U, are off and on.
template <class U, class T> std::string hot(Call<T>& c) {
  const auto values = c.template array<U>(2).to("cpu");
  const auto y = one_hot<U>(c.labels(0), Index(c.number(1))) * (values(1) - values(0)) + values(0);
  if (c.attribute("axis", -1) != 1 || y.shape().rank() == 2)
    return c.is("one_hot(i, n) * (on − off) + off", y);
  return c.is("permute(one_hot(i, n) * (on − off) + off, {0, 2, 1})", permute(y, {0, 2, 1}));
}
template <class T> Operators<T> shapes() {
  const auto reshaped = [](Call<T>& c) {  // to axes that the case names, which has its result's shape
    return c.is("reshape(x, …)", reshape(c.x(0), c.shape_of_output(0).sizes()));
  };
  return {
      {"Concat",
       [](Call<T>& c) {
         const auto x = c.all();
         return c.is("concat(x, axis)", concat(std::span<const Tensor<T>>(x), int(c.attribute("axis", 0))));
       }},
      {"Expand",
       [](Call<T>& c) {
         const auto sizes = c.indices(1);
         return c.is("x + zeros(shape)", c.x(0) + zeros<T>(Shape(std::span<const Index>(sizes)), c.device()));
       }},
      {"Flatten",
       [](Call<T>& c) {
         const auto x = c.x(0);
         const int axis = x.shape().axis(Index(c.attribute("axis", 1)), "flatten");
         if (axis == 1) return c.is("flatten(x)", flatten(x));
         return c.is("reshape(x, {n, −1})", reshape(x, {x.shape().outer(axis), -1}));
       }},
      {"Gather",
       [](Call<T>& c) {
         return c.is("take(x, indices, axis)", take(c.x(0), c.labels(1), int(c.attribute("axis", 0))));
       }},
      {"OneHot", [](Call<T>& c) { return c.is_whole(2) ? hot<std::int32_t>(c) : hot<T>(c); }},
      {"Reshape",
       [](Call<T>& c) {
         const auto sizes = c.indices(1);
         return c.is("reshape(x, sizes)", reshape(c.x(0), std::span<const Index>(sizes)));
       }},
      {"Slice", slice_each<T>},
      {"Split", split<T>},
      {"Squeeze", reshaped},
      {"Transpose",
       [](Call<T>& c) {
         const auto p = c.attributes("perm");
         return c.is("permute(x, order)", permute(c.x(0), {int(p.at(0)), int(p.at(1)), int(p.at(2))}));
       }},
      {"Unsqueeze", reshaped},
  };
}

/// x → x without a tape, and with one that trains where the case says so.
template <class T> std::string dropped(Call<T>& c) {
  const double p = c.has(1) ? double(c.number(1)) : c.attribute("ratio", 0.5);
  c.ignore("seed");
  if (!c.has(2)) return c.is("dropout(x, p), not in training", dropout(c.x(0), p));
  Tape tape;
  return c.is("dropout(x, p), in training", dropout(tape.input(c.x(0).array()), p));
}
/// The mean is over the weights, not over the number of labels as Keras' is.
template <class T> std::string cross_entropy(Call<T>& c) {
  const std::string how = c.word("reduction", "mean");
  const auto z = c.x(0);
  const auto t = c.labels(1);
  const bool weighted = c.has(2);
  LossOptions<T> o{.reduction = how == "none"              ? Reduction::none
                                : how == "sum" || weighted ? Reduction::sum
                                                           : Reduction::mean};
  if (weighted) o.class_weights = c.x(2).array();
  std::string text = "softmax_cross_entropy(z, t, {" + std::string(how == "mean" && weighted ? "sum" : how) +
                     (weighted ? ", weights})" : "})");
  Tensor<T> l = softmax_cross_entropy(z, t, o);
  if (weighted && how == "mean") {
    l = l / sum(take(c.x(2), t));
    text += " / sum(take(weights, t))";
  }
  if (c.outputs() == 1) return c.is(text, l);
  return c.is(text + "; log_softmax(z)", l, log_softmax(z));
}
/// The axes from one to the last: what ONNX normalizes over.
template <class T> Axes last_axes(Call<T>& c) {
  const int rank = c.x(0).shape().rank(), first = c.x(0).shape().axis(Index(c.attribute("axis", -1)), "axis");
  REQUIRE(rank - first <= 4);
  return rank - first == 1   ? Axes(-1)
         : rank - first == 2 ? Axes{-2, -1}
         : rank - first == 3 ? Axes{-3, -2, -1}
                             : Axes{-4, -3, -2, -1};
}
template <class T> std::string layer_normalized(Call<T>& c) {
  const Axes over = last_axes(c);
  const double epsilon = c.attribute("epsilon", 1e-5);
  const auto x = c.x(0);
  return c.is("layer_norm(x, axes, ε) * w + b; mean(x, axes, true); rsqrt(variance(x, axes, true) + ε)",
              layer_norm(x, over, epsilon) * c.x(1) + c.x(2), mean(x, over, true),
              rsqrt(variance(x, over, true) + epsilon));
}
template <class T> Operators<T> layers() {
  return {
      {"Dropout", dropped<T>},
      {"Gemm",
       [](Call<T>& c) {
         const auto ab = matmul(c.x(0), c.x(1));
         const double alpha = c.attribute("alpha", 1);
         if (alpha == 1) return c.is("matmul(a, b) + c", ab + c.x(2));
         return c.is("matmul(a, b) * α + c", ab * alpha + c.x(2));
       }},
      {"LayerNormalization", layer_normalized<T>},
      {"MatMul", binary<T>("matmul(a, b)", [](auto a, auto b) { return matmul(a, b); })},
      {"RMSNormalization",
       [](Call<T>& c) {
         const Axes over = last_axes(c);
         return c.is("rms_norm(x, axes, ε) * w",
                     rms_norm(c.x(0), over, c.attribute("epsilon", 1e-5)) * c.x(1));
       }},
      {"SoftmaxCrossEntropyLoss", cross_entropy<T>},
  };
}

/// The numbers of x, with zeros up to a multiple of 4: what an optimizer's flat buffers have.
template <class T> Array<T> padded(const Tensor<T>& x) {
  const Array<T> here = x.array().to("cpu");
  Array<T> a(Shape{(here.size() + 3) / 4 * 4});
  std::copy(here.begin(), here.end(), a.mutable_data());
  return a.to(x.device());
}
/// One step of a rule from any state, for each of a case's parameters: the inputs are the learning rate, the number of
/// the step, then all parameters, all gradients, all first states …; `decay` · w is added to the gradient.
template <class T, std::size_t S, class R>
std::string step(Call<T>& c, const char* text, const R& rule, double decay, std::int64_t t) {
  const int n = (c.inputs() - 2) / int(2 + S);
  const optim::Rule<T> any(rule);
  T numbers[cpu::most_numbers] = {};
  optim::Powers powers;
  any.numbers(1, 1, t, powers, numbers);
  const auto there = Array<T>::from(numbers).to(c.device());
  std::vector<Tensor<T>> results(std::size_t(n) * (1 + S));
  for (int k = 0; k < n; ++k) {
    const Array<T> g = padded(c.x(2 + n + k) + c.x(2 + k) * decay);
    std::vector<Array<T>> kept = {padded(c.x(2 + k))};  // w, then its states
    for (int s = 0; s < cpu::most_states; ++s)
      kept.push_back(padded(c.x(2 + (s < int(S) ? s + 2 : 0) * n + k)));
    T* at[1 + cpu::most_states];
    for (std::size_t s = 0; s < kept.size(); ++s) at[s] = kept[s].mutable_data();
    kernels::update<T>(any.update(), c.device(), at[0], g.data(), at + 1, there.data(), g.size());
    for (std::size_t s = 0; s <= S; ++s)
      results[s * std::size_t(n) + std::size_t(k)] = kept[s].slice(0, c.x(2 + k).size());
  }
  return c.is(text, results);
}
/// All cases are of step 0, in which ONNX corrects no bias and lets no rate decay.
template <class T> Operators<T> optimizers() {
  const auto begin = [](Call<T>& c) {
    REQUIRE(c.indices(1).at(0) == 0);
    return double(c.number(0));
  };
  return {
      {"Adagrad",
       [=](Call<T>& c) {
         c.ignore("decay_factor");
         const optim::Adagrad rule{begin(c), 0, c.attribute("epsilon", 0), true};
         return step<T, 1>(c, "optim::Adagrad", rule, c.attribute("norm_coefficient", 0), 1);
       }},
      {"Adam",
       [=](Call<T>& c) {
         const optim::Adam rule{begin(c), c.attribute("alpha", 0.9), c.attribute("beta", 0.999),
                                c.attribute("epsilon", 0)};
         constexpr int late = 10000;  // βᵗ is 0: the bias correction is none
         return step<T, 2>(c, "optim::Adam", rule, c.attribute("norm_coefficient", 0), late);
       }},
      {"Momentum",
       [=](Call<T>& c) {
         REQUIRE(c.word("mode", "") == "standard");
         c.ignore("beta");
         const optim::Sgd rule{begin(c), c.attribute("alpha", 0), c.attribute("norm_coefficient", 0)};
         return step<T, 1>(c, "optim::Sgd", rule, 0, 1);
       }},
  };
}

template <class T> const Operators<T>& operators() {
  static const auto all = [] {
    Operators<T> together;
    for (auto part : {arithmetic<T>(), comparisons<T>(), activations<T>(), reductions<T>(), shapes<T>(),
                      layers<T>(), optimizers<T>()})
      together.merge(part);
    return together;
  }();
  return all;
}

const char* const folder = GRADUS_SOURCE_DIR "/tests/data_files/";
io::File vectors() { return io::read_safetensors(std::string(folder) + "onnx_operators.safetensors"); }
std::vector<onnx::Row> table() {
  std::ostringstream text;
  text << std::ifstream(std::string(folder) + "onnx_operators.md").rdbuf();
  return onnx::read_table(text.str());
}

std::string lines(const onnx::Complaints& complaints) {
  std::string all;
  for (const auto& c : complaints) all += c + "\n";
  return all;
}

}  // namespace

TEST_CASE("ONNX's operator tests") {
  const auto file = vectors();
  const auto outcome = onnx::run(operators<float>(), operators<double>(), file);
  INFO(lines(outcome.complaints));
  CHECK(outcome.complaints.empty());
  const auto wrong = onnx::disagreements(table(), file.metadata, outcome);
  INFO(lines(wrong));
  CHECK(wrong.empty());
}

namespace {

/// A file of one case, y = 2 x, that an operator for it passes.
struct Planted {
  std::string attributes = "{}";
  Array<float> x = {1, 2, -3}, y = {2, 4, -6};
  Operators<float> operators = {{"Twice", [](Call<float>& c) { return c.is("x + x", c.x(0) + c.x(0)); }}};

  onnx::Outcome run() const {
    const io::File file{"planted",
                        {io::entry("twice/input_0", x), io::entry("twice/output_0", y)},
                        {{"twice", R"({"op":"Twice","attributes":)" + attributes + "}"}}};
    return onnx::run(operators, {}, file);
  }
  /// The only complaint, on the CPU and again on each other device.
  std::string complaint() const {
    const auto all = run().complaints;
    CHECK(all.size() == devices().size());
    return all.empty() ? "" : all[0];
  }
};

}  // namespace

TEST_CASE("ONNX's operator tests: a wrong result is found") {
  CHECK(Planted().run().complaints.empty());
  CHECK(Planted().run().ran == std::map<std::string, std::string>{{"twice", "x + x"}});
  const auto with_y = [](const Array<float>& y) { return Planted{.y = y}.complaint(); };
  CHECK(with_y({2, 4, -6.00002f}) == "twice on cpu: output 0 is -6 at 2, not -6.00002003");
  CHECK(Planted{.y = {2, 4, -6.000003f}}.run().complaints.empty());
  CHECK(with_y({2, NAN, -6}) == "twice on cpu: output 0 is 4 at 1, not nan");
  CHECK(with_y({2, INFINITY, -6}) == "twice on cpu: output 0 is 4 at 1, not inf");
  CHECK(with_y({{2, 4, -6}}) == "twice on cpu: output 0 has shape [3], not [1, 3]");
  CHECK(Planted{.attributes = R"({"alpha":2.5})"}.complaint() ==
        "twice on cpu: attribute alpha was not looked at");

  const auto with_result = [](const std::function<std::string(Call<float>&)>& f) {
    return Planted{.operators = {{"Twice", f}}}.complaint();
  };
  CHECK(with_result([](Call<float>& c) { return c.is("nothing"); }) ==
        "twice on cpu: has 1 outputs; compared were 0");
  CHECK(with_result([](Call<float>& c) {
          return c.is("whole numbers", Tensor<std::int32_t>(Array<std::int32_t>{2, 4, -6}));
        }) == "twice on cpu: output 0 is F32, the result is int32");
  CHECK(with_result([](Call<float>& c) { return c.is("x", c.x(1)); }) ==
        "twice on cpu threw: safetensors: planted: there is no \"twice/input_1\"");
  CHECK(Planted{.operators = {}}.run().complaints == onnx::Complaints{"twice: nothing runs Twice"});
}

TEST_CASE("ONNX's operator tests: a table that is not true is found") {
  const onnx::Outcome ran{{{"abs", "abs(x)"}}, {}};
  const io::Metadata all = {{"abs", "{}"}, {"celu", "{}"}};
  const auto wrong = [&](const std::string& rows) {
    return onnx::disagreements(onnx::read_table("| case | runs as | not yet: why |\n|---|---|---|\n" + rows),
                               all, ran);
  };
  const std::string abs = "| abs | abs(x) | |\n", celu = "| celu | | no Celu |\n";
  using Found = onnx::Complaints;
  CHECK(wrong(abs + celu).empty());
  CHECK(wrong(abs) == Found{"celu: no row"});
  CHECK(wrong(abs + celu + celu) == Found{"celu: two rows"});
  CHECK(wrong(abs + celu + "| relu | | no Relu |\n") == Found{"relu: a row, but no case of that name"});
  CHECK(wrong(abs + "| celu | celu(x) | |\n") == Found{"celu: its row says celu(x), but it did not run"});
  CHECK(wrong("| abs | | no Abs |\n" + celu) == Found{"abs: its row says no Abs, but it runs as abs(x)"});
  CHECK(wrong("| abs | x | |\n" + celu) == Found{"abs: its row says x, but it runs as abs(x)"});
  CHECK(wrong(abs + "| celu | | |\n") ==
        Found{"celu: its row must say what runs it or why nothing does, one of the two"});
}
