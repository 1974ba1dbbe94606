// The smallest honest program: one neuron learns on which of two moons a point lies.
#include <gradus/gradus.hpp>

using namespace gradus;

int main() {
  auto [train, test] = data::two_moons(1000, {.noise = 0.15, .seed = 7}).split(0.8);
  nn::Sequential model{nn::Dense{2, 1}, nn::Sigmoid{}};
  fit(model, train,
      {.loss = "binary_cross_entropy",
       .optimizer = optim::Adam{.learning_rate = 1e-2},
       .epochs = 100,
       .batch_size = 32,
       .validation = test,
       .metrics = {"accuracy"}});
}
