// SPDX-License-Identifier: MIT
// Every kernel once or a few times, small: what compute-sanitizer looks at on a GPU, under which a launch takes
// long. The emulator says whether a kernel is missing here.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <set>

#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

namespace fs = std::filesystem;

/// The kernels of include/gradus/cuda, and cublasLt's.
std::set<std::string> kernels_in_the_sources() {
  static const std::regex kernel(R"(GRADUS_KERNEL\s+(gradus_\w+)\()");
  std::set<std::string> names{"cublasLtMatmul"};
  for (const auto& entry : fs::recursive_directory_iterator(GRADUS_SOURCE_DIR "/include/gradus/cuda")) {
    if (entry.is_directory()) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), kernel), end; at != end; ++at)
      names.insert((*at)[1]);
  }
  return names;
}

/// Values and gradients of whatever is computed in it, on one device.
class Computation {
 public:
  explicit Computation(Device device) : device_(device) {
    reductions(), labels(), moves(), products();
    backward();
  }

  std::vector<std::string> names;
  std::vector<Array<float>> results;

 private:
  Tensor<float> variable(const Shape& shape, std::uint64_t seed = 1) {
    variables_.push_back(tape_.variable(numbers(shape, -1, 1, seed).to<float>().to(device_)));
    return variables_.back();
  }
  /// The value counts, and Σ weight · value in the loss.
  void add(const std::string& what, const Tensor<float>& y) {
    names.push_back(what), results.push_back(y.array().to("cpu"));
    const auto weighted = sum(y * weights<float>(y.shape(), device_));
    loss_ = loss_ ? *loss_ + weighted : weighted;
  }
  void backward() {
    tape_.backward(*loss_, true);  // true: it begins with a fill
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      names.push_back("the gradient of variable " + std::to_string(i));
      results.push_back(tape_.gradient(variables_[i]).to("cpu"));
    }
  }

  void reductions() {
    const auto x = variable({6, 40}), wide = variable({3, 1000}), deep = variable({300, 5}),
               row = variable({9000});
    add("sum", sum(x, 1)), add("sum, wide", sum(wide, 1)), add("sum, deep", sum(deep, 0)),
        add("sum, parts", sum(row));
    for (const auto* v : {&x, &wide}) {
      add("max", max(*v, {1})), add("min", min(*v, {0}));
      add("softmax", softmax(*v, 1)), add("softmax, down", softmax(*v, 0)),
          add("log_softmax", log_softmax(*v, 1));
      add("logsumexp", logsumexp(*v, 1));
    }
    add("mse, parts", mse(row, numbers({9000}, -1, 1, 2).to<float>().to(device_)));
    const auto places = argmax(x.array(), 1);
    results.push_back(places.array().to("cpu").to<float>()), names.push_back("argmax");
  }
  void labels() {
    const auto labels = Array<std::int32_t>{3, 0, 7, 39, 3}.to(device_);
    add("softmax_cross_entropy", softmax_cross_entropy(variable({5, 40}), labels));
    add("softmax_cross_entropy, wide", softmax_cross_entropy(variable({5, 1000}), labels));
    for (const Index classes : {40, 1000})
      add("softmax_cross_entropy, each",
          softmax_cross_entropy(variable({5, classes}), labels, {.reduction = Reduction::none}));
    add("one_hot", variable({5, 40}) * one_hot<float>(labels, 40));
    add("take", take(variable({40, 3}), labels));
  }
  void moves() {
    const auto x = variable({4, 5, 6});
    add("permute", permute(x, {2, 0, 1})), add("slice", slice(x, 1, 1, 5, 2)),
        add("dropout", dropout(x, 0.5));
    add("broadcast", x * variable({5, 1}) + variable({6}));
  }
  void products() {
    add("small", matmul(variable({9, 7}), variable({7, 5}, 2)));
    add("tiles of 64", matmul(variable({80, 9}), variable({9, 70}, 2)));
    add("many", matmul(variable({3, 9, 7}), variable({3, 7, 5}, 2)));
    add("cublasLt", matmul(variable({64, 32}), variable({32, 48}, 2)));
  }

  const Device device_;
  Tape tape_;
  std::optional<Tensor<float>> loss_;
  std::vector<Tensor<float>> variables_;
};

/// Two whole batches and a part: steps by the host, and steps that the GPU repeats.
History trained(const std::string& device, Precision precision = Precision::strict) {
  nn::Sequential model{nn::Dense{64, 32}, nn::Relu{}, nn::Dropout{0.25}, nn::Dense{32, 4}, nn::Softmax{}};
  FitOptions<float> o{
      .loss = "softmax_cross_entropy", .epochs = 3, .device = device, .verbose = Verbose::silent};
  o.optimizer = optim::Adam{}, o.metrics = {"accuracy"}, o.precision = precision;
  return fit(model, data::blobs(71, {.features = 64, .centers = 4, .seed = 5}), o);
}

}  // namespace

TEST_CASE("every kernel, forward and backward, and a training with Adam that the GPU repeats") {
  const Device gpu = devices().back();
  const Computation here{Device()}, there{gpu};
  REQUIRE(here.results.size() == there.results.size());
  for (std::size_t i = 0; i < here.results.size(); ++i) {
    INFO(here.names[i]);
    const auto &a = here.results[i], &b = there.results[i];
    REQUIRE(a.shape() == b.shape());
    const double scale = largest(a.to<double>()) + 1;
    for (Index k = 0; k < a.size(); ++k) REQUIRE(std::abs(double(a.data()[k]) - b.data()[k]) <= 1e-5 * scale);
  }
  const History cpu = trained("cpu"), on_gpu = trained("cuda"), in_bf16 = trained("cuda", Precision::bf16);
  CHECK_THAT(on_gpu.device, !ContainsSubstring("cannot be recorded"));
  for (std::size_t e = 0; e < 3; ++e) {
    CHECK(std::abs(cpu["loss"][e] - on_gpu["loss"][e]) <= 1e-5 * std::abs(cpu["loss"][e]));
    CHECK(std::abs(cpu["loss"][e] - in_bf16["loss"][e]) <= 0.02 * std::abs(cpu["loss"][e]));
  }

  if (cuda::stand_in<cuda::Driver>) {
    std::set<std::string> missing = kernels_in_the_sources();
    CHECK(missing.size() > 10);
    for (const auto& name : emulator::launched()) missing.erase(name);
    for (const auto& name : missing) FAIL_CHECK("no launch of " << name);
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
