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

/// The kernels of one step of fit.
std::vector<std::string> kernels_of_a_step(nn::Sequential<float> model, const data::Dataset<float>& data,
                                           const std::string& loss) {
  std::vector<std::string> all;
  const auto take = [&](auto& epoch) {
    epoch.model.named_parameters()[0].value().to("cpu");  // waits
    all = emulator::launched();
    emulator::clear();
  };
  fit(model, data,
      {.loss = loss,
       .optimizer = optim::Adam{},
       .epochs = 2,
       .batch_size = 64,
       .device = "cuda",
       .run_eagerly = true,
       .verbose = Verbose::silent,
       .after_epoch = take});  // one step an epoch
  return all;
}
std::size_t count(const std::vector<std::string>& all, const std::string& name) {
  return std::size_t(std::count(all.begin(), all.end(), name));
}

}  // namespace

TEST_CASE("a step of L layers takes 3 L + 2 kernels") {
  emulate();
  using nn::Dense, nn::Relu, nn::Sequential, nn::Sigmoid, nn::Softmax;
  // cublasLt's: of each layer forward and dW, of all but the first dx, with bias, ReLU, its slope and db
  const auto blobs = data::blobs(64, {.features = 80, .centers = 32});
  const auto classifier =
      kernels_of_a_step(Sequential{Dense{80, 64}, Relu{}, Dense{64, 64}, Relu{}, Dense{64, 32}, Softmax{}},
                        blobs, "softmax_cross_entropy");
  CHECK(classifier == std::vector<std::string>{"gradus_gather_rows", "cublasLtMatmul", "cublasLtMatmul",
                                               "cublasLtMatmul", "gradus_softmax_cross_entropy_sum",
                                               "cublasLtMatmul", "cublasLtMatmul", "cublasLtMatmul",
                                               "cublasLtMatmul", "cublasLtMatmul", "gradus_update"});
  // our own, for small layers and any activation
  const auto neuron = kernels_of_a_step(Sequential{Dense{2, 16}, Sigmoid{}, Dense{16, 1}, Sigmoid{}},
                                        data::two_moons(64), "binary_cross_entropy");
  CHECK(neuron == std::vector<std::string>{"gradus_gather_rows", "gradus_gemm", "gradus_gemm",
                                           "gradus_sum_all", "gradus_gemm", "gradus_gemm", "gradus_gemm",
                                           "gradus_update"});
  // an activation that cublasLt does not have: one more forward and one more backward, in place
  const auto wide = kernels_of_a_step(Sequential{Dense{80, 64}, Sigmoid{}, Dense{64, 32}, Softmax{}}, blobs,
                                      "softmax_cross_entropy");
  CHECK(count(wide, "cublasLtMatmul") == 2 + 3);
  CHECK(count(wide, "gradus_map") == 2);
  CHECK(wide.size() == 3 * 2 + 2 + 2);
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
