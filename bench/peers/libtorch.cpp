// SPDX-License-Identifier: MIT
// bench_peers_libtorch: PyTorch's C++ interface, for steps.py. Its Adam is the one of a kernel an operation: a
// fused one is not in this interface.
#include <torch/torch.h>

#include "bench/train/serve.hpp"

namespace bench {
namespace {

/// The numbers of an array, which must live as long.
template <class T> torch::Tensor tensor(const Array<T>& a, torch::Dtype type) {
  return torch::from_blob(const_cast<T*>(a.data()),
                          std::vector<std::int64_t>(a.shape().sizes().begin(), a.shape().sizes().end()),
                          type);
}

struct Libtorch final : StepByStep {
  data::Dataset<float> data;
  torch::nn::Sequential model;
  torch::Tensor x, t;
  std::unique_ptr<torch::optim::Adam> adam;

  explicit Libtorch(const Net& net) : StepByStep(net.setup), data(net.data) {
    const torch::NoGradGuard guard;
    const auto values = net.model.named_parameters();
    for (std::size_t l = 0; l + 1 < setup.widths.size(); ++l) {
      if (l) model->push_back(torch::nn::ReLU());
      torch::nn::Linear dense(setup.widths[l], setup.widths[l + 1]);
      dense->weight.copy_(tensor(values[2 * l].value(), torch::kFloat32));
      dense->bias.copy_(tensor(values[2 * l + 1].value(), torch::kFloat32));
      model->push_back(dense);
    }
    x = tensor(data.inputs[0], torch::kFloat32).view({setup.batches, setup.batch, -1});
    t = data.has_labels() ? tensor(data.labels, torch::kInt32).to(torch::kInt64).view({setup.batches, -1})
                          : tensor(data.targets, torch::kFloat32).view({setup.batches, setup.batch, 1});
    const auto options = torch::optim::AdamOptions(setup.learning_rate).betas({0.9, 0.999}).eps(1e-8);
    adam = std::make_unique<torch::optim::Adam>(model->parameters(), options);
  }

  double step(Index k) override {
    adam->zero_grad();
    const auto y = model->forward(x[k]);
    const auto loss = data.has_labels() ? torch::nn::functional::cross_entropy(y, t[k])
                                        : torch::nn::functional::binary_cross_entropy_with_logits(y, t[k]);
    loss.backward();
    adam->step();
    return double(loss.item<float>());
  }
};

std::unique_ptr<Contestant> make(const std::string&, const Setup& s, int threads) {
  torch::set_num_threads(threads);
  return std::make_unique<Libtorch>(Net(s));
}

}  // namespace
}  // namespace bench

int main() {
  gradus::io::Json versions;
  versions["libtorch"] = TORCH_VERSION, versions["compiler's flags"] = GRADUS_BENCH_FLAGS;
  return bench::serve(bench::make, versions);
}
