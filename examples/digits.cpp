// Handwritten digits, 8×8 grey pixels: 64-64-10 with ReLU and softmax cross-entropy, on 20 different splits.
//
//   digits [digits.csv] [seeds]
//
// Exits with 1 where the mean accuracy on the held-back fifth is below 97 %, with 2 for a file that cannot be
// read.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gradus/gradus.hpp>

#ifndef GRADUS_SOURCE_DIR
#define GRADUS_SOURCE_DIR "."
#endif

using namespace gradus;

namespace {

struct Result {
  double accuracy = 0;
  Array<std::int32_t> says;  // of each test image
  data::Dataset<float> test;
};

Result learn(const data::Dataset<float>& images, std::uint64_t seed) {
  const auto [first, test] = images.stratified_split(0.8, seed);
  nn::Sequential model{nn::Dense{64, 64}, nn::Relu{}, nn::Dense{64, 10}};
  model.initialize(seed);
  fit(model, first,
      {.loss = "softmax_cross_entropy",
       .optimizer = optim::Adam{.learning_rate = 1e-2},
       .epochs = 30,
       .batch_size = 32,
       .seed = seed,
       .verbose = Verbose::silent});
  const auto scores = evaluate(model, test, {.loss = "softmax_cross_entropy", .metrics = {"accuracy"}});
  return {scores["accuracy"][0], argmax(predict(model, test.inputs[0])).array(), test};
}

/// Two pixels a character, from white to black.
void draw(const Result& r, const std::vector<Index>& which) {
  for (const Index i : which) std::printf("  a %d, taken for %d ", r.test.labels(i), r.says(i));
  for (Index row = 0; row < 8; ++row) {
    std::printf("\n");
    for (const Index i : which) {
      for (Index column = 0; column < 8; ++column) {
        const char shade = " .:-=+*%@"[static_cast<int>(8 * r.test.inputs[0](i, 8 * row + column))];
        std::printf("%c%c", shade, shade);
      }
      std::printf("    ");
    }
  }
  std::printf("\n\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : GRADUS_SOURCE_DIR "/examples/data/digits.csv";
  const int seeds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 20;
  auto images = data::read_csv(path).dataset<float>({.label = "target", .kind = data::Label::classes});
  images.inputs[0] = (images.inputs[0] / 16.0).array();  // grey values from 0 to 16
  std::printf("%ld images, a fifth of them held back; 64-64-10, %d splits\n", long(images.size()), seeds);

  double sum = 0, worst = 1, best = 0;
  Result last;
  for (int seed = 0; seed < seeds; ++seed) {
    last = learn(images, std::uint64_t(seed));
    sum += last.accuracy, worst = std::min(worst, last.accuracy), best = std::max(best, last.accuracy);
    std::printf("  %.2f %%%s", 100 * last.accuracy, seed % 5 == 4 ? "\n" : "");
    std::fflush(stdout);
  }
  const double mean = sum / seeds;
  std::printf("\nmean %.2f %%, from %.2f %% to %.2f %%\n", 100 * mean, 100 * worst, 100 * best);

  std::vector<Index> wrong;
  for (Index i = 0; i < last.test.size() && wrong.size() < 4; ++i)
    if (last.says(i) != last.test.labels(i)) wrong.push_back(i);
  if (!wrong.empty()) std::printf("\nWhere the last one was wrong:\n\n"), draw(last, wrong);
  return mean >= 0.97 ? 0 : 1;
} catch (const Error& e) {
  std::fprintf(stderr, "digits: %s\n", e.what());
  return 2;
}
