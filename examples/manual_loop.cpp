// The loop that fit() runs, written out: for those who want to change it.
#include <cstdio>

#include <gradus/gradus.hpp>

using namespace gradus;

int main() {
  const auto data = data::two_moons(1024, {.noise = 0.15, .seed = 7});
  nn::Sequential model{nn::Dense{2, 16}, nn::Relu{}, nn::Dense{16, 1}};
  optim::Optimizer adam(model, optim::Adam{.learning_rate = 1e-2});
  data::Batches batches(data.size(), 32);

  Tape tape;
  for (int epoch = 0; epoch < 50; ++epoch) {
    batches.begin_epoch(epoch);
    double total = 0;
    for (Index k = 0; k < batches.count(); ++k) {
      const auto batch = data.select(batches[k]);
      const auto loss = binary_cross_entropy(model(tape.input(batch.inputs[0])), tape.input(batch.targets));
      tape.backward(loss);
      adam.step();
      total += loss.item();
    }
    if (epoch % 10 == 9) std::printf("epoch %d  loss %.4f\n", epoch + 1, total / double(batches.count()));
  }

  const Array<float> z = model(data.inputs[0]).array();  // without a tape: nothing is recorded
  Index right = 0;
  for (Index i = 0; i < data.size(); ++i) right += (z(i, 0) > 0) == (data.targets(i, 0) > 0.5f);
  std::printf("accuracy %.4f\n", double(right) / double(data.size()));
  return right > data.size() * 95 / 100 ? 0 : 1;
}
