// SPDX-License-Identifier: MIT
#include <numeric>

#include <gradus/gradus.hpp>

#include "tests/support/allocations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using data::Dataset;

namespace {

using Model = nn::Sequential<float>;
using Options = FitOptions<float>;

Model classifier(Index in = 2, Index hidden = 16) {
  return Model{nn::Dense{in, hidden}, nn::Relu{}, nn::Dense{hidden, 1}, nn::Sigmoid{}};
}
Options quiet(int epochs = 3) {
  Options o;
  o.loss = "binary_cross_entropy";
  o.epochs = epochs;
  o.metrics = {"accuracy"};
  o.verbose = Verbose::silent;
  return o;
}
std::vector<Array<float>> copies(const nn::Module<float>& model) {
  std::vector<Array<float>> all;
  for (const auto& p : model.named_parameters()) all.push_back(p.value().copy());
  return all;
}
bool same_parameters(const std::vector<Array<float>>& a, const std::vector<Array<float>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) { return same_bits(x, y); });
}
bool same_curves(const History& a, const History& b) {
  return std::equal(a.series.begin(), a.series.end(), b.series.begin(), b.series.end(),
                    [](auto& x, auto& y) { return x.name == y.name && x.values == y.values; });
}

/// Rows 0, 1, 2 …, and who asked for which.
struct Counting : data::Source<float> {
  Index n;
  std::shared_ptr<std::vector<std::vector<std::int32_t>>> asked =
      std::make_shared<std::vector<std::vector<std::int32_t>>>();
  explicit Counting(Index size) : n(size) {}
  Index size() const override { return n; }
  data::Layout layout() const override { return {.inputs = {{1}}, .targets = {1}}; }
  void read(std::span<const std::int32_t> rows, data::Batch<float>& to) const override {
    asked->emplace_back(rows.begin(), rows.end());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      to.inputs[0].mutable_data()[i] = float(rows[i]) / float(n);
      to.targets.mutable_data()[i] = float(rows[i] % 2);
    }
  }
};

}  // namespace

// ---- it learns
// -----------------------------------------------------------------------------------------------------

TEST_CASE("exclusive or is learnt to the last sample") {
  auto model = Model{nn::Dense{2, 8}, nn::Tanh{}, nn::Dense{8, 1}, nn::Sigmoid{}};
  auto o = quiet(300);
  o.optimizer = optim::Adam{.learning_rate = 0.05};
  const auto h = fit(model, data::exclusive_or(4), o);
  CHECK(h["accuracy"].back() == 1);
  CHECK(h["loss"].back() < 0.05);
}

TEST_CASE("separable data is learnt to the last sample, by a single neuron, by every rule") {
  auto points = data::blobs(200, {.features = 3, .centers = 2, .deviation = 0.5, .seed = 3});
  const Dataset<float> d(points.inputs[0], points.labels.to<float>());
  for (const optim::Rule<float>& rule :
       {optim::Rule<float>(optim::Sgd{.learning_rate = 0.1}),
        optim::Rule<float>(optim::Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}),
        optim::Rule<float>(optim::Adam{.learning_rate = 0.05}),
        optim::Rule<float>(optim::AdamW{.learning_rate = 0.05}),
        optim::Rule<float>(optim::Nadam{.learning_rate = 0.02}),
        optim::Rule<float>(optim::RmsProp{.learning_rate = 0.05}),
        optim::Rule<float>(optim::Adagrad{.learning_rate = 0.5})}) {
    Model model{nn::Dense{3, 1}, nn::Sigmoid{}};
    auto o = quiet(60);
    o.optimizer = rule;
    CHECK(fit(model, d, o)["accuracy"].back() == 1);
    CHECK(evaluate(model, d, o)["accuracy"][0] == 1);
  }
}

TEST_CASE("classes, by labels and by distributions, are learnt alike") {
  const auto points = data::blobs(300, {.features = 2, .centers = 3, .deviation = 0.6, .seed = 5});
  Dataset<float> distributions(points.inputs[0], one_hot<float>(points.labels, 3).array());
  auto o = quiet(40);
  o.loss = "softmax_cross_entropy";
  o.optimizer = optim::Adam{.learning_rate = 0.05};
  Model a{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 3}},
      b = a, c{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 3}, nn::Softmax{}};
  const auto by_labels = fit(a, points, o), by_shares = fit(b, distributions, o),
             with_head = fit(c, points, o);
  CHECK(by_labels["accuracy"].back() > 0.98);
  CHECK(by_shares["loss"].back() == Approx(by_labels["loss"].back()).epsilon(1e-2));
  CHECK(same_curves(by_labels, with_head));  // the loss leaves the softmax out
  for (const float p : predict(c, points.inputs[0]).values()) CHECK((p >= 0 && p <= 1));
}

TEST_CASE("a line is found by least squares") {
  const auto d = data::linear_regression<double>(200, {.weights = {2, -3}, .bias = 0.5, .seed = 1});
  nn::Sequential<double> model{nn::Dense<double>{2, 1}};
  fit(model, d, {.optimizer = optim::Adam{.learning_rate = 0.05}, .epochs = 200, .verbose = Verbose::silent});
  const auto p = model.named_parameters();
  CHECK(p[0].value()(0, 0) == Approx(2).margin(1e-3));
  CHECK(p[0].value()(0, 1) == Approx(-3).margin(1e-3));
  CHECK(p[1].value()(0) == Approx(0.5).margin(1e-3));
}

TEST_CASE("banknotes: a test accuracy of at least 0.99 as the mean over 20 seeds") {
  const auto all =
      data::read_csv(GRADUS_SOURCE_DIR "/examples/data/banknote_authentication.csv").dataset<float>();
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {  // as examples/binary_classifier.cpp does
    auto [train, test] = all.stratified_split(0.8, seed);
    const auto scaler = data::Standardize::fit(train.inputs[0]);
    train.inputs[0] = scaler.transform(train.inputs[0]), test.inputs[0] = scaler.transform(test.inputs[0]);
    auto model = classifier(4);
    model.initialize(seed);
    auto o = quiet(100);
    o.optimizer = optim::Adam{.learning_rate = 0.01};
    o.seed = seed;
    fit(model, train, o);
    sum += evaluate(model, test, o)["accuracy"][0];
  }
  CHECK(sum / 20 >= 0.99);
}

TEST_CASE("digits: a test accuracy of at least 0.97 as the mean over 20 seeds") {
  auto all = data::read_csv(GRADUS_SOURCE_DIR "/examples/data/digits.csv")
                 .dataset<float>({.kind = data::Label::classes});
  all.inputs[0] = (all.inputs[0] / 16.0).array();
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {  // as examples/digits.cpp does
    const auto [train, test] = all.stratified_split(0.8, seed);
    Model model{nn::Dense{64, 64}, nn::Relu{}, nn::Dense{64, 10}};
    model.initialize(seed);
    auto o = quiet(30);
    o.loss = "softmax_cross_entropy";
    o.optimizer = optim::Adam{.learning_rate = 0.01};
    o.seed = seed;
    fit(model, train, o);
    sum += evaluate(model, test, o)["accuracy"][0];
  }
  CHECK(sum / 20 >= 0.97);
}

// ---- it repeats
// ----------------------------------------------------------------------------------------------------

TEST_CASE("two runs are the same to the bit; another seed is another run") {
  const auto d = data::two_moons(200, {.noise = 0.2, .seed = 1});
  const auto run = [&](std::uint64_t seed) {
    Model model{nn::Dense{2, 16}, nn::Relu{}, nn::Dropout{0.2}, nn::Dense{16, 1}, nn::Sigmoid{}};
    auto o = quiet(5);
    o.seed = seed;
    o.validation_split = 0.2;
    const auto h = fit(model, d, o);
    return std::pair(h, copies(model));
  };
  const auto a = run(1), b = run(1), c = run(2);
  CHECK(same_curves(a.first, b.first));
  CHECK(same_parameters(a.second, b.second));
  CHECK_FALSE(same_curves(a.first, c.first));
}

TEST_CASE("the loss curve is the same to the bit on 1, 2 and 3 threads") {
  const Dataset<float> d(numbers({600, 64}).to<float>(), numbers({600, 1}, 0, 1, 2).to<float>());
  const auto run = [&](int n) {
    set_threads(n);
    Model model{nn::Dense{64, 256}, nn::Relu{}, nn::Dense{256, 256}, nn::Sigmoid{}, nn::Dense{256, 1}};
    auto o = quiet(2);
    o.loss = "mse", o.metrics = {"mae"}, o.batch_size = 256;
    const auto h = fit(model, d, o);
    set_threads(0);
    return std::pair(h, copies(model));
  };
  const auto one = run(1);
  for (const int n : {2, 3}) {
    const auto more = run(n);
    CHECK(same_curves(one.first, more.first));
    CHECK(same_parameters(one.second, more.second));
  }
}

TEST_CASE("a seed that a model was initialised with stays") {
  const auto d = data::two_moons(64, {.noise = 0.2, .seed = 1});
  const auto first_loss = [&](std::uint64_t seed) {
    auto model = classifier();
    model.initialize(seed);
    const auto before = copies(model);
    auto o = quiet(1);
    o.optimizer = optim::Sgd{.learning_rate = 0};
    const auto h = fit(model, d, o);
    CHECK(same_parameters(copies(model), before));
    return h["loss"][0];
  };
  CHECK(first_loss(1) != first_loss(2));
}

TEST_CASE("a source of one's own gives the bits of the same data in memory") {
  struct Own : data::Source<float> {
    Dataset<float> d;
    explicit Own(const Dataset<float>& all) : d(all) {}
    Index size() const override { return d.size(); }
    data::Layout layout() const override { return d.layout(); }
    void read(std::span<const std::int32_t> rows, data::Batch<float>& to) const override { d.read(rows, to); }
  };
  const auto moons = data::two_moons(150, {.noise = 0.2, .seed = 1});
  const auto points = data::blobs(150, {.seed = 2});
  for (const bool labels : {false, true}) {
    const Dataset<float>& d = labels ? points : moons;
    const auto [first, last] = d.split_last(0.2);
    Model a = labels ? Model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 3}} : classifier(), b = a;
    auto o = quiet(4);
    if (labels) o.loss = "softmax_cross_entropy";
    o.sample_weights = numbers({first.size()}, 0.5, 2).to<float>();
    o.validation = last;
    const auto in_memory = fit(a, first, o);
    o.validation = Own(last);
    const auto own = fit(b, Own(first), o);
    CHECK(same_curves(in_memory, own));
    CHECK(same_parameters(copies(a), copies(b)));
    o.sample_weights = {};
    CHECK(same_curves(evaluate(a, d, o), evaluate(b, Own(d), o)));
  }
}

// ---- the contract: Keras'
// ------------------------------------------------------------------------------------------

TEST_CASE("the history has Keras' names, in order, and counts steps") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto model = classifier();
  auto o = quiet(3);
  o.metrics = {"accuracy", "precision", "recall"};
  o.validation_split = 0.2;
  const auto h = fit(model, d, o);
  std::vector<std::string> names;
  for (const auto& s : h.series) {
    names.push_back(s.name);
    CHECK(s.values.size() == 3);
  }
  CHECK(names == std::vector<std::string>{"loss", "accuracy", "precision", "recall", "val_loss",
                                          "val_accuracy", "val_precision", "val_recall"});
  CHECK(h.steps == 3 * 3);  // 80 samples in batches of 32
  CHECK(h.seconds > 0);
  CHECK(h.device.starts_with("cpu: "));
}

TEST_CASE("every sample is met once an epoch, in a new order, the last batch smaller") {
  const Counting source(70);
  auto model = classifier(1);
  auto o = quiet(2);
  fit(model, source, o);
  REQUIRE(source.asked->size() == 6);
  std::vector<std::int32_t> epochs[2], all(70);
  std::iota(all.begin(), all.end(), 0);
  for (std::size_t k = 0; k < 6; ++k) {
    CHECK((*source.asked)[k].size() == (k % 3 == 2 ? 6 : 32));
    epochs[k / 3].insert(epochs[k / 3].end(), (*source.asked)[k].begin(), (*source.asked)[k].end());
  }
  CHECK(epochs[0] != epochs[1]);
  for (auto& e : epochs) {
    CHECK(e != all);
    std::sort(e.begin(), e.end());
    CHECK(e == all);
  }
  source.asked->clear();
  o.shuffle = false, o.epochs = 1, o.batch_size = 100;
  fit(model, source, o);
  CHECK(*source.asked == std::vector<std::vector<std::int32_t>>{all});
}

TEST_CASE("validation_split takes the last samples, before shuffling") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto a = classifier(), b = classifier();
  auto o = quiet(4);
  o.validation_split = 0.25;
  const auto split = fit(a, d, o);
  o.validation_split = 0;
  o.validation = d.slice(75, 100);
  const auto given = fit(b, d.slice(0, 75), o);
  CHECK(same_curves(split, given));
  CHECK(same_parameters(copies(a), copies(b)));
}

TEST_CASE("losses and metrics are means over samples, not over batches") {
  const auto d = data::two_moons(50, {.noise = 0.2, .seed = 1});  // batches of 32 and 18
  auto model = classifier();
  auto o = quiet(1);
  o.optimizer = optim::Sgd{.learning_rate = 0};
  o.validation = d;
  const auto h = fit(model, d, o);
  const double loss =
      double(binary_cross_entropy(model.logits(std::vector<Tensor<float>>{d.inputs[0]}), d.targets).item());
  CHECK(h["loss"][0] == Approx(loss).epsilon(1e-6));
  CHECK(h["val_loss"][0] == Approx(loss).epsilon(1e-6));
  CHECK(evaluate(model, d, o)["loss"][0] == h["val_loss"][0]);
  CHECK(h["val_accuracy"][0] == h["accuracy"][0]);
}

TEST_CASE("dropout is on in training alone") {
  const auto d = data::two_moons(64, {.noise = 0.2, .seed = 1});
  Model with{nn::Dense{2, 16}, nn::Relu{}, nn::Dropout{0.5}, nn::Dense{16, 1}, nn::Sigmoid{}};
  auto o = quiet(1);
  o.optimizer = optim::Sgd{.learning_rate = 0};
  o.validation = d;
  const auto h = fit(with, d, o);
  CHECK(h["loss"][0] != h["val_loss"][0]);
  CHECK(h["val_loss"][0] == evaluate(with, d, o)["loss"][0]);
  CHECK(same_bits(predict(with, d.inputs[0]), predict(with, d.inputs[0])));
}

TEST_CASE("class weights count in training, label smoothing in validation too, as Keras has it") {
  const auto d = data::two_moons(64, {.noise = 0.2, .seed = 1});
  const auto run = [&](const std::function<void(Options&)>& change) {
    auto model = classifier();
    auto o = quiet(1);
    o.optimizer = optim::Sgd{.learning_rate = 0};
    o.validation = d;
    change(o);
    const auto h = fit(model, d, o);
    return std::pair(h["loss"][0], h["val_loss"][0]);
  };
  const auto plain = run([](Options&) {});
  const auto weighted = run([](Options& o) { o.class_weights = {2, 2}; });
  CHECK(weighted.first == Approx(2 * plain.first).epsilon(1e-6));
  CHECK(weighted.second == plain.second);
  const auto smooth = run([](Options& o) { o.label_smoothing = 0.2; });
  CHECK(smooth.second != plain.second);
  CHECK(smooth.first == Approx(smooth.second).epsilon(1e-6));
  const auto samples = run([](Options& o) { o.sample_weights = full<float>({64}, 3); });
  CHECK(samples.first == Approx(3 * plain.first).epsilon(1e-6));
  CHECK(samples.second == plain.second);
}

TEST_CASE("sample weights follow their samples through shuffling and validation_split") {
  auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  Array<float> weights(Shape{100});
  for (Index i = 0; i < 100; ++i) weights.mutable_data()[i] = i < 40 ? 1.f : 0.f;
  auto a = classifier(), b = classifier();
  auto o = quiet(30);
  o.batch_size = 100;
  o.optimizer = optim::Sgd{.learning_rate = 0.5};
  o.sample_weights = weights;
  o.validation_split = 0.25;
  fit(a, d, o);
  Options alone = quiet(30);
  alone.batch_size = 100;
  alone.optimizer = optim::Sgd{.learning_rate = 0.5 * 40 / 75};  // the mean divides by 75, of which 40 count
  fit(b, d.slice(0, 40), alone);
  const auto pa = predict(a, d.inputs[0]), pb = predict(b, d.inputs[0]);
  for (Index i = 0; i < 100; ++i) CHECK(pa(i, 0) == Approx(pb(i, 0)).margin(1e-4));
}

TEST_CASE("the accuracy of logits asks whether they are above 0") {
  auto d = data::two_moons(100, {.noise = 0.1, .seed = 1});
  auto a = classifier();
  auto o = quiet(20);
  fit(a, d, o);
  Model b{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}};
  for (std::size_t i = 0; i < 4; ++i) b.named_parameters()[i].set_value(a.named_parameters()[i].value());
  const double accuracy = evaluate(a, d, o)["accuracy"][0];
  o.loss = "binary_cross_entropy_from_logits";
  CHECK(evaluate(b, d, o)["accuracy"][0] == accuracy);
}

TEST_CASE("a callback sees each epoch, can change the learning rate, and stops the training") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto model = classifier();
  auto o = quiet(10);
  std::vector<int> seen;
  std::vector<double> rates;
  o.after_epoch = [&](Epoch<float>& e) {
    seen.push_back(e.number);
    rates.push_back(e.optimizer.learning_rate());
    CHECK(e.history.epochs() == std::size_t(e.number) + 1);
    CHECK(&e.model == &model);
    e.optimizer.set_learning_rate(e.optimizer.learning_rate() / 2);
    e.stop = e.number == 3;
  };
  const auto h = fit(model, d, o);
  CHECK(seen == std::vector{0, 1, 2, 3});
  CHECK(rates == std::vector{1e-3, 5e-4, 2.5e-4, 1.25e-4});
  CHECK(h.epochs() == 4);
  CHECK(h.steps == 16);
}

TEST_CASE("frozen layers stay as they are") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto model = classifier();
  model[0].freeze();
  const auto before = copies(model);
  fit(model, d, quiet());
  const auto after = copies(model);
  CHECK(same_bits(before[0], after[0]));
  CHECK(same_bits(before[1], after[1]));
  CHECK_FALSE(same_bits(before[2], after[2]));
}

TEST_CASE("training can be taken up again") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto model = classifier();
  const double first = fit(model, d, quiet(5))["loss"].back();
  CHECK(fit(model, d, quiet(5))["loss"].back() < first);
}

TEST_CASE("two inputs go to a module of two inputs") {
  struct Difference : nn::Module<float> {
    nn::Dense<float> a{2, 4}, b{2, 4}, out{4, 1};
    Tensor<float> forward(std::span<const Tensor<float>> x) const override {
      return out(tanh(a(x[0]) + b(x[1])));
    }
    void members(nn::Members<float>& m) override { m("a", a), m("b", b), m("out", out); }
  } model;
  const auto x = numbers({200, 2}).to<float>(), y = numbers({200, 2}, -1, 1, 2).to<float>();
  Array<float> t(Shape{200, 1});
  for (Index i = 0; i < 200; ++i) t.ref(i, 0) = x(i, 0) - y(i, 1);
  const Dataset<float> d({x, y}, t);
  const auto h = fit(
      model, d, {.optimizer = optim::Adam{.learning_rate = 0.01}, .epochs = 100, .verbose = Verbose::silent});
  CHECK(h["loss"].back() < 0.01);
  CHECK_FALSE(model.a.weight.value() == model.b.weight.value());
  CHECK(predict<float>(model, d.inputs).shape() == Shape{200, 1});
}

TEST_CASE("predict: any number of rows in any batches, the same bits") {
  const auto model = classifier();
  const auto x = numbers({37, 2}).to<float>();
  const auto all = predict(model, x);
  CHECK(all.shape() == Shape{37, 1});
  for (const Index batch : {1, 5, 36, 37, 1000}) CHECK(same_bits(predict(model, x, batch), all));
  CHECK(predict(model, Array<float>(Shape{0, 2})).shape() == Shape{0, 1});
  CHECK(words<ValueError>([&] { predict(model, x, 0); }) ==
        "predict: batch_size is 0; it must be at least 1");
  CHECK(words<ValueError>([&] { predict(model, std::span<const Array<float>>()); }) ==
        "predict: there is no input with rows");
  CHECK(words<ValueError>([&] { predict(model, Array<float>(Shape{})); }) ==
        "predict: there is no input with rows");
}

// ---- memory
// --------------------------------------------------------------------------------------------------------

TEST_CASE("the second epoch of fit allocates nothing, on any number of threads") {
  if (!counts_allocations) return;
  const auto moons = data::two_moons(1000, {.noise = 0.2, .seed = 1});
  const auto points = data::blobs(1000, {.centers = 10, .seed = 1});
  const Dataset<float> wide(numbers({500, 64}).to<float>(), numbers({500, 1}, 0, 1).to<float>());
  const auto second_epoch = [](Model model, const Dataset<float>& d, Options o) {
    long before = 0, during = -1;
    o.epochs = 4;
    o.after_epoch = [&](Epoch<float>& e) {
      const long now = allocation_count.load();
      if (e.number == 1) during = now - before;
      before = now;
    };
    fit(model, d, o);
    return during;
  };
  for (const int n : {1, 2}) {
    set_threads(n);
    auto o = quiet();
    CHECK(second_epoch(classifier(), moons, o) == 0);
    o.validation_split = 0.2;
    o.metrics = {"accuracy", "precision", "recall", "mse", "mae"};
    o.clip = {.global_norm = 1};
    o.schedule = optim::schedule::cosine(1000);
    CHECK(second_epoch(classifier(), moons, o) == 0);
    o.label_smoothing = 0.1, o.class_weights = {1, 2}, o.sample_weights = ones<float>({1000});
    CHECK(second_epoch(Model{nn::Dense{2, 16}, nn::Gelu{}, nn::Dropout{0.1}, nn::Dense{16, 1}, nn::Sigmoid{}},
                       moons, o) == 0);
    o = quiet();
    o.loss = "softmax_cross_entropy";
    CHECK(second_epoch(Model{nn::Dense{2, 16}, nn::Tanh{}, nn::Dense{16, 10}}, points, o) == 0);
    o.loss = "mse", o.metrics = {}, o.batch_size = 128;
    // A worker takes its two pieces of work memory with its first part of a product (and more for a longer
    // K), and on a busy machine the caller may have done all parts of the first epoch itself.
    const Model products{nn::Dense{64, 256}, nn::Relu{}, nn::Dense{256, 256}, nn::Relu{}, nn::Dense{256, 1}};
    CHECK(second_epoch(products, wide, o) <= 6 * (n - 1));
  }
  set_threads(0);
}

TEST_CASE("inference allocates nothing after warm-up") {
  if (!counts_allocations) return;
  const auto model = classifier();
  const Model wide{nn::Dense{64, 256}, nn::Relu{},         nn::Dense{256, 256},
                   nn::Tanh{},         nn::Dense{256, 10}, nn::Softmax{}};
  const auto x = numbers({32, 2}).to<float>(), w = numbers({100, 64}).to<float>();
  std::vector<int> kept;  // clang leaves out what nobody looks at
  REQUIRE(allocations([&] { kept.resize(100); }) > 0);
  for (int i = 0; i < 3; ++i) model(x), wide(w), predict(model, x), predict(wide, w, 32);
  CHECK(allocations([&] { model(x); }) == 0);
  CHECK(allocations([&] { wide(w); }) == 0);
  CHECK(allocations([&] { predict(model, x); }) == 0);
  CHECK(allocations([&] { predict(wide, w, 32); }) == 0);
}

// ---- bad input
// -----------------------------------------------------------------------------------------------------

TEST_CASE("NaN in the data stops fit with the place, and the parameters as before that batch") {
  auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto x = d.inputs[0].copy();
  x.ref(70, 1) = NAN;
  d.inputs[0] = x;
  auto o = quiet();
  o.shuffle = false;
  auto model = classifier(), clean = classifier();
  CHECK(words<DivergenceError>([&] { fit(model, d, o); }) ==
        "fit: the loss is nan in epoch 1, batch 3: input 0 is nan at row 6, column 1 of the batch");
  o.epochs = 1;
  fit(clean, d.slice(0, 64), o);  // the two batches before it
  CHECK(same_parameters(copies(model), copies(clean)));

  auto y = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto t = y.targets.copy();
  t.ref(5, 0) = NAN;
  y.targets = t;
  auto untouched = classifier();
  const auto before = copies(untouched);
  CHECK(words<DivergenceError>([&] { fit(untouched, y, o); }) ==
        "fit: the loss is nan in epoch 1, batch 1: the target is nan at row 5, column 0 of the batch");
  CHECK(same_parameters(copies(untouched), before));
}

TEST_CASE("a learning rate that is far too high is named as the culprit") {
  const auto d = data::linear_regression(100, {.weights = {1000, 1000}, .seed = 1});
  Model model{nn::Dense{2, 1}};
  const auto sentence = words<DivergenceError>([&] {
    fit(model, d, {.optimizer = optim::Sgd{.learning_rate = 1e20}, .epochs = 50, .verbose = Verbose::silent});
  });
  CHECK_THAT(sentence, ContainsSubstring("fit: the loss is "));
  CHECK_THAT(sentence, ContainsSubstring(" in epoch 1, batch "));
  CHECK(sentence.find("-nan") == sentence.npos);

  Model broken{nn::Dense{2, 1}};
  broken.named_parameters()[0].set_value(Array<float>{{NAN, 1}});
  CHECK(words<DivergenceError>([&] { fit(broken, d, {.verbose = Verbose::silent}); }) ==
        "fit: the loss is nan in epoch 1, batch 1: parameter \"0.weight\" is not finite (is the learning "
        "rate too high?)");
}

TEST_CASE("options that make no sense are refused in words, and nothing has changed") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  auto model = classifier();
  const auto before = copies(model);
  const auto refused = [&]<class E = ValueError>(const std::function<void(Options&)>& change,
                                                 std::type_identity<E> = {}) {
    auto o = quiet(1);
    change(o);
    return words<E>([&] { fit(model, d, o); });
  };
  CHECK(refused([](Options& o) { o.epochs = 0; }) == "fit: epochs is 0; it must be at least 1");
  CHECK(refused([](Options& o) { o.batch_size = 0; }) == "fit: batch_size is 0; it must be at least 1");
  CHECK(refused([](Options& o) { o.validation_split = 1; }) ==
        "fit: validation_split is 1; it must be at least 0 and less than 1");
  CHECK(refused([](Options& o) { o.validation_split = NAN; }) ==
        "fit: validation_split is nan; it must be at least 0 and less than 1");
  CHECK(refused([](Options& o) { o.label_smoothing = -0.5; }) ==
        "fit: label_smoothing is -0.5; it must be at least 0 and less than 1");
  CHECK(refused([](Options& o) { o.sample_weights = ones<float>({3}); }, std::type_identity<ShapeError>()) ==
        "fit: sample_weights are [3]; they must be [100]");
  CHECK(refused(
            [](Options& o) {
              o.class_weights = {1, 2, 3};
            },
            std::type_identity<ShapeError>()) ==
        "binary_cross_entropy: class_weights are [3]; they must be [2]");
  CHECK(refused([](Options& o) { o.optimizer = optim::Adam{.beta1 = 2}; }) ==
        "adam: beta1 is 2; it must be within 0 and 1");
  CHECK_THAT(refused([](Options& o) { o.loss = "bce"; }), ContainsSubstring("loss \"bce\" is unknown"));
  CHECK(refused([](Options& o) {
          o.metrics = {"accuracy", "accuracy"};
        }) == "metric \"accuracy\" is named twice");
  CHECK_THAT(refused([](Options& o) { o.metrics = {"f2"}; }), ContainsSubstring("metric \"f2\" is unknown"));
  CHECK_THAT(refused([](Options& o) { o.device = "tpu"; }, std::type_identity<DeviceError>()),
             ContainsSubstring("device \"tpu\" is unknown"));
  CHECK(refused([](Options& o) { o.device = "cuda"; }, std::type_identity<DeviceError>()) ==
        "device \"cuda\" is not part of this program (#include <gradus/cuda.hpp>)");
  CHECK(refused([](Options& o) {
          o.validation = Dataset<float>(Array<float>(Shape{0, 2}), Array<float>(Shape{0, 1}));
        }) == "fit: the validation data has no samples");
  CHECK(refused(
            [](Options& o) {
              o.validation = Dataset<float>(Array<float>(Shape{5, 3}), Array<float>(Shape{5, 1}));
            },
            std::type_identity<ShapeError>()) ==
        "fit: input 0 of a validation sample is [3], of a training sample [2]");
  CHECK(same_parameters(copies(model), before));
  CHECK(words<ValueError>([&] {
          fit(model, Dataset<float>(Array<float>(Shape{0, 2}), Array<float>(Shape{0, 1})), quiet());
        }) == "fit: the data has no samples");
  CHECK(words<ValueError>([&] { evaluate(model, Counting(0), quiet()); }) == "fit: the data has no samples");
}

TEST_CASE("data, model and loss that do not fit are refused in words, and nothing has changed") {
  const auto d = data::two_moons(100, {.noise = 0.2, .seed = 1});
  const auto points = data::blobs(100, {.centers = 4, .seed = 1});
  const auto refused = [&](Model model, const Dataset<float>& data, Options o) {
    const auto before = copies(model);
    const auto sentence = words<Error>([&] { fit(model, data, o); });
    CHECK(same_parameters(copies(model), before));
    return sentence;
  };
  auto o = quiet();
  CHECK(refused(classifier(3), d, o) == "Dense(3, 16): x is [32, 2]; its last axis must be 3");
  CHECK(refused(Model{nn::Dense{2, 3}, nn::Sigmoid{}}, d, o) ==
        "binary_cross_entropy: predictions are [32, 3], targets are [32, 1]; shapes must be equal");
  CHECK(refused(classifier(), points, o) ==
        "loss \"binary_cross_entropy\": the data has class labels; it needs targets (or take "
        "softmax_cross_entropy)");
  CHECK(refused(Model{nn::Relu{}}, d, o) == "optimizer: there is no parameter to learn");
  Model logits{nn::Dense{2, 1, {.weight_init = nn::init::zeros, .bias_init = nn::init::constant(3)}}};
  CHECK(refused(logits, d, o) ==
        "loss \"binary_cross_entropy\": the model's output is 3; it must be a probability: end the model in "
        "Sigmoid, "
        "or take \"binary_cross_entropy_from_logits\"");
  const Dataset<float> signs(d.inputs[0], (d.targets * 2.0 - 1.0).array());
  CHECK_THAT(refused(classifier(), signs, o), ContainsSubstring(" is -1; it must be within 0 and 1"));

  o.loss = "softmax_cross_entropy";
  auto late = points;  // a label beyond the model's classes, met by the last batch
  auto k = late.labels.copy();
  for (auto& label : k.mutable_values()) label = std::min(label, 2);
  k.ref(99) = 3;
  late.labels = k;
  o.shuffle = false;
  const Model three{nn::Dense{2, 3}};
  CHECK(refused(three, late, o) == "fit: label 3 of row 99 is outside the model's 3 classes");
  auto valid = late.slice(0, 64);
  o.validation = late;
  CHECK(refused(three, valid, o) == "fit: label 3 of row 99 is outside the model's 3 classes");
  CHECK(words<ValueError>([&] {
          auto model = classifier(1);
          auto split = quiet();
          split.validation_split = 0.2;
          fit(model, Counting(10), split);
        }) == "fit: validation_split needs data in memory; give `validation` instead");
}
