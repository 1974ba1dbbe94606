// SPDX-License-Identifier: MIT
// How many kernels a step of training takes, on the emulator: time on a GPU, for nets of a few hundred neurons, is
// this number and little else.
#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// The kernels of one step: batches gathered on the device, forward, loss, backward, update.
std::vector<std::string> kernels_of_a_step(nn::Sequential<float> model, Index in, Index classes) {
  const Device gpu("cuda");
  model.to(gpu);
  const auto x = Array<float>(Shape{128, in}).to(gpu);
  const auto labels = Array<std::int32_t>(Shape{128}).to(gpu);
  const auto targets = Array<float>(Shape{128, classes}).to(gpu);
  const auto rows = arange<std::int32_t>(64).to(gpu);
  optim::Optimizer adam(model, optim::Adam{});
  Tape tape;
  const auto gather = [&](const auto& from) {
    using T = typename std::decay_t<decltype(from)>::value_type;
    const Sink<T> to = tape.allocate<T>(from.shape().with(0, 64), gpu);
    kernels::gather(to, from.view(), kernels::Groups(from.shape(), 0), rows.view());
    return tape.input(to.view());
  };
  for (int step = 0; step < 2; ++step) {  // the second one finds everything compiled
    rows.to("cpu");
    emulator::clear();
    tape.clear();
    const Tensor<float> inputs[] = {gather(x)};
    const Tensor<float> y = model.logits(inputs);
    tape.backward(classes > 1 ? softmax_cross_entropy(y, gather(labels))
                              : binary_cross_entropy(y, gather(targets)));
    adam.step();
    rows.to("cpu");
  }
  return emulator::launched();
}
std::size_t count(const std::vector<std::string>& all, const std::string& name) {
  return std::size_t(std::count(all.begin(), all.end(), name));
}

}  // namespace

TEST_CASE("a step's kernels: bias, ReLU and the bias' gradient ride along with the products") {
  devices();
  if (!cuda::stand_in<cuda::Driver>) {
    WARN("not tested: the emulator counts, and here is a GPU");
    return;
  }
  const auto classifier = kernels_of_a_step(nn::Sequential{nn::Dense{80, 64}, nn::Relu{}, nn::Dense{64, 64},
                                                           nn::Relu{}, nn::Dense{64, 32}, nn::Softmax{}},
                                            80, 32);
  CHECK(count(classifier, "cublasLtMatmul") == 3 + 5);  // forward; of each layer dW, of all but the first dx
  CHECK(count(classifier, "gradus_map") == 2);          // dz = dy F'(y) of the hidden layers
  CHECK(count(classifier, "gradus_update") == 1);
  CHECK(classifier.size() <= 17);

  const auto neuron =
      kernels_of_a_step(nn::Sequential{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}, nn::Sigmoid{}}, 2, 1);
  CHECK(count(neuron, "gradus_gemm") == 2 + 3);
  CHECK(neuron.size() <= 12);
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
