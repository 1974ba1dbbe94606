// SPDX-License-Identifier: MIT
// Training on a GPU, or on the emulator: the CPU's curves, the same bits each time, steps that the device
// repeats.
#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// A net, its data, and how it is trained: what a test runs on both devices.
struct Recipe {
  const char* name;
  nn::Sequential<float> model;
  data::Dataset<float> data;
  FitOptions<float> options;
};

FitOptions<float> quiet(const std::string& loss, int epochs = 2) {
  return {.loss = loss, .epochs = epochs, .validation_split = 0.2, .verbose = Verbose::silent};
}
data::Dataset<float> points(Index n) { return data::two_moons(n, {.noise = 0.2, .seed = 3}); }

std::vector<Recipe> recipes() {
  using nn::Dense, nn::Dropout, nn::Gelu, nn::Relu, nn::Sequential, nn::Sigmoid, nn::Softmax, nn::Tanh;
  std::vector<Recipe> all;
  const auto add = [&](const char* name, Sequential<float> model, data::Dataset<float> data, auto options) {
    all.push_back({name, std::move(model), std::move(data), options});
  };
  auto o = quiet("binary_cross_entropy");
  o.metrics = {"accuracy", "precision"};
  add("sigmoid", Sequential{Dense{2, 16}, Sigmoid{}, Dense{16, 1}, Sigmoid{}}, points(203), o);
  o.class_weights = {0.5f, 2};
  o.sample_weights = ones<float>({203});
  o.label_smoothing = 0.1;
  o.optimizer = optim::AdamW{.learning_rate = 0.01};
  add("weights", Sequential{Dense{2, 20}, Relu{}, Dense{20, 17}, Tanh{}, Dense{17, 1}, Sigmoid{}},
      points(203), o);

  auto c = quiet("softmax_cross_entropy");
  c.metrics = {"accuracy"};
  c.optimizer = optim::Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true};
  c.clip = {.global_norm = 0.5};
  c.schedule = optim::schedule::step(3, 0.8);
  c.batch_size = 50;
  const auto blobs = data::blobs(210, {.features = 24, .centers = 5, .deviation = 2, .seed = 4});
  add("labels", Sequential{Dense{24, 64}, Relu{}, Dense{64, 64}, Gelu{}, Dense{64, 5}, Softmax{}}, blobs, c);

  auto r = quiet("huber");
  r.optimizer = optim::RmsProp{.learning_rate = 0.01};
  r.metrics = {"mae"};
  r.batch_size = 16;
  add("dropout", Sequential{Dense{2, 32}, Relu{}, Dropout{0.25}, Dense{32, 32}, Dropout{0.5}, Dense{32, 1}},
      points(100), r);
  r.loss = "mse", r.optimizer = optim::Adagrad{.learning_rate = 0.05}, r.clip = {.value = 0.1, .norm = 0.2};
  r.shuffle = false, r.metrics = {};
  add("regression", Sequential{Dense{2, 16}, Tanh{}, Dense{16, 1}}, points(64), r);
  return all;
}

struct Trained {
  History history;
  std::vector<Array<float>> parameters;
};
Trained trained(Recipe r, const std::string& device, bool eagerly = false) {
  r.options.device = device, r.options.run_eagerly = eagerly;
  Trained t{fit(r.model, r.data, r.options), {}};
  for (const auto& p : r.model.named_parameters()) t.parameters.push_back(p.value().copy());
  return t;
}
void check_same(const Trained& a, const Trained& b) {
  for (std::size_t i = 0; i < a.history.series.size(); ++i)
    CHECK(a.history.series[i].values == b.history.series[i].values);
  for (std::size_t i = 0; i < a.parameters.size(); ++i) CHECK(same_bits(a.parameters[i], b.parameters[i]));
}
Array<float> normal(const Shape& shape) {
  auto x = Array<float>::uninitialized(shape);
  random::fill_normal(x.mutable_data(), x.size(), random::Stream(5));
  return x;
}
void check_no_findings() {
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

}  // namespace

TEST_CASE("the GPU's curves are the CPU's, its bits the same each time, recorded or not") {
  devices();
  for (const Recipe& r : recipes()) {
    INFO(r.name);
    const Trained cpu = trained(r, "cpu"), gpu = trained(r, "cuda");
    CHECK_THAT(gpu.history.device, ContainsSubstring("asked for; products in strict float32"));
    CHECK_THAT(gpu.history.device, !ContainsSubstring("cannot be recorded"));
    for (std::size_t i = 0; i < cpu.history.series.size(); ++i)
      for (std::size_t e = 0; e < cpu.history.series[i].values.size(); ++e) {
        const double a = cpu.history.series[i].values[e], b = gpu.history.series[i].values[e];
        INFO(cpu.history.series[i].name << " of epoch " << e << ": " << a << " and " << b);
        CHECK(std::abs(a - b) <= 1e-5 * std::abs(a));
      }
    check_same(gpu, trained(r, "cuda"));
    check_same(gpu, trained(r, "cuda", true));
    check_no_findings();
  }
}

TEST_CASE("a thousand steps stay within 1e-5 of the CPU's loss") {
  devices();
  Recipe r{"",
           nn::Sequential{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}, nn::Sigmoid{}},
           points(320),
           {.loss = "binary_cross_entropy", .epochs = 100, .verbose = Verbose::silent}};
  const auto cpu = trained(r, "cpu").history["loss"], gpu = trained(r, "cuda").history["loss"];
  for (std::size_t e = 0; e < cpu.size(); ++e) {
    INFO("epoch " << e << ": " << cpu[e] << " and " << gpu[e]);
    REQUIRE(std::abs(cpu[e] - gpu[e]) <= 1e-5 * cpu[e]);
  }
  check_no_findings();
}

TEST_CASE("a loss that is not finite leaves the parameters as they were before its batch") {
  devices();
  auto data = points(320);
  data.inputs[0].ref(200, 1) = std::numeric_limits<float>::infinity();  // batch 7 of 10
  FitOptions<float> o{.loss = "binary_cross_entropy", .shuffle = false, .verbose = Verbose::silent};
  auto until = o;
  nn::Sequential first{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}, nn::Sigmoid{}};
  const auto fresh = first;
  fit(first, data::Dataset<float>(data.inputs[0].slice(0, 192).copy(), data.targets.slice(0, 192).copy()),
      [&] {
        until.device = "cuda";
        return until;
      }());
  for (const std::string device : {"cpu", "cuda"})
    for (const bool eagerly : {false, true}) {
      auto model = fresh;
      o.device = device, o.run_eagerly = eagerly;
      const std::string what = words<DivergenceError>([&] { fit(model, data, o); });
      CHECK_THAT(what,
                 ContainsSubstring("in epoch 1, batch 7: input 0 is inf at row 8, column 1 of the batch"));
      if (device == "cpu") continue;
      const auto a = model.named_parameters(), b = first.named_parameters();
      for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].value().device().is_cpu());
        CHECK(same_bits(a[i].value(), b[i].value()));
      }
    }
  check_no_findings();
}

TEST_CASE("parameters frozen between epochs stay, and learn again when they are free") {
  devices();
  const auto run = [](const std::string& device) {
    nn::Sequential model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 1}, nn::Sigmoid{}};
    FitOptions<float> o{
        .loss = "binary_cross_entropy", .epochs = 6, .device = device, .verbose = Verbose::silent};
    std::vector<float> seen;
    o.after_epoch = [&](Epoch<float>& e) {
      seen.push_back(e.model.named_parameters()[0].value().to(Device())(0, 0));
      e.model.named_parameters()[0].parameter->freeze(e.number == 1 || e.number == 2);
    };
    fit(model, points(160), o);
    return seen;
  };
  const auto cpu = run("cpu"), gpu = run("cuda");
  REQUIRE(gpu.size() == 6);
  for (std::size_t e = 0; e < 6; ++e) CHECK(std::abs(cpu[e] - gpu[e]) <= 1e-5f * std::abs(cpu[e]) + 1e-6f);
  CHECK((gpu[0] != gpu[1] && gpu[1] == gpu[2] && gpu[2] == gpu[3] && gpu[3] != gpu[4]));
  check_no_findings();
}

TEST_CASE("evaluate and predict run where the model is") {
  devices();
  nn::Sequential model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 1}, nn::Sigmoid{}};
  const auto data = points(100);
  const FitOptions<float> o{.loss = "binary_cross_entropy", .metrics = {"accuracy"}};
  const auto here = evaluate(model, data, o);
  const Array<float> y = predict(model, data.inputs[0], 32);
  model.to("cuda");
  const auto there = evaluate(model, data, o);
  CHECK(std::abs(here["loss"][0] - there["loss"][0]) <= 1e-6 * here["loss"][0]);
  CHECK(here["accuracy"][0] == there["accuracy"][0]);
  const Array<float> z = predict(model, data.inputs[0], 32);
  REQUIRE(z.device().is_cpu());
  for (Index i = 0; i < 100; ++i) CHECK(std::abs(y(i, 0) - z(i, 0)) <= 1e-6f);
  model.to("cpu");
  check_no_findings();
}

TEST_CASE("products are as precise as they are asked to be, and say so") {
  devices();
  const auto train_in = [](Precision p) {
    nn::Sequential model{nn::Dense{64, 64}, nn::Relu{}, nn::Dense{64, 32}, nn::Relu{}, nn::Dense{32, 1}};
    const auto x = normal({256, 64});
    const data::Dataset<float> data(x, sum(x * x, 1).array().reshape({256, 1}));
    return fit(model, data,
               {.loss = "mse",
                .epochs = 2,
                .batch_size = 64,
                .device = "cuda",
                .precision = p,
                .verbose = Verbose::silent});
  };
  const auto strict = train_in(Precision::strict), tf32 = train_in(Precision::tf32),
             bf16 = train_in(Precision::bf16);
  const auto off = [&](const History& h) {
    return std::abs(h["loss"].back() - strict["loss"].back()) / strict["loss"].back();
  };
  CHECK((off(tf32) > 1e-8 && off(tf32) < 1e-3));  // 10 bits of the factors, 7 of them
  CHECK((off(bf16) > off(tf32) && off(bf16) < 1e-2));
  CHECK_THAT(strict.device, ContainsSubstring("products in strict float32"));
  CHECK_THAT(tf32.device, ContainsSubstring("products in tf32"));
  CHECK_THAT(bf16.device, ContainsSubstring("products in bf16"));

  nn::Sequential model{nn::Dense{2, 1}};
  CHECK(words<ValueError>([&] {
          fit(model, points(32), {.device = "cpu", .precision = Precision::bf16, .verbose = Verbose::silent});
        }) == "fit: precision bf16 is a GPU's; the device is cpu");
  check_no_findings();
}

TEST_CASE("parameters frozen before fit are free in its second epoch, and steps are still repeated") {
  devices();
  nn::Sequential model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 1}, nn::Sigmoid{}};
  model[0].freeze();
  FitOptions<float> o{
      .loss = "binary_cross_entropy", .epochs = 4, .device = "cuda", .verbose = Verbose::silent};
  o.after_epoch = [](Epoch<float>& e) { e.model.freeze(false); };
  const auto before = model.named_parameters()[0].value().copy();
  const auto h = fit(model, points(160), o);
  CHECK_THAT(h.device, !ContainsSubstring("cannot be recorded"));
  CHECK_FALSE(same_bits(before, model.named_parameters()[0].value()));
  check_no_findings();
}

TEST_CASE("memory that another computation needs does not move what a recorded step uses") {
  devices();
  nn::Sequential model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 1}};
  FitOptions<float> o{
      .loss = "mse", .epochs = 3, .batch_size = 256, .device = "cuda", .verbose = Verbose::silent};
  o.after_epoch = [](Epoch<float>&) {
    const auto large = ones<float>({512, 64}, "cuda");
    CHECK(sum(large, 0).array().to("cpu")(3) == 512);
  };
  fit(model, points(1024), o);
  check_no_findings();
}

TEST_CASE("a model that is taken away between epochs is missed, as on the CPU") {
  devices();
  for (const std::string device : {"cpu", "cuda"}) {
    nn::Sequential model{nn::Dense{2, 8}, nn::Relu{}, nn::Dense{8, 1}};
    FitOptions<float> o{.loss = "mse", .epochs = 3, .device = device, .verbose = Verbose::silent};
    o.after_epoch = [](Epoch<float>& e) { optim::Optimizer<float> other(e.model, optim::Sgd{}); };
    CHECK_THAT(words<ValueError>([&] { fit(model, points(160), o); }),
               ContainsSubstring("taken over by another optimizer"));
  }
  check_no_findings();
}

TEST_CASE("numbers from the host in every forward: steps go by the host, and are right") {
  devices();
  struct Shifting final : nn::Module<float> {
    nn::Dense<float> out{2, 1};
    Tensor<float> forward(std::span<const Tensor<float>> x) const override {
      return out(x[0] + full<float>({2}, 0.5f, x[0].device()));
    }
    void members(nn::Members<float>& m) override { m("out", out); }
  };
  Shifting on_cpu, on_gpu;
  FitOptions<float> o{.loss = "mse", .epochs = 3, .device = "cpu", .verbose = Verbose::silent};
  const auto a = fit(on_cpu, points(160), o);
  o.device = "cuda";
  const auto b = fit(on_gpu, points(160), o);
  for (std::size_t e = 0; e < 3; ++e) CHECK(std::abs(a["loss"][e] - b["loss"][e]) <= 1e-5 * a["loss"][e]);
  CHECK_THAT(b.device, ContainsSubstring("cannot be recorded"));
  check_no_findings();
}
