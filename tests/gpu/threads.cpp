// SPDX-License-Identifier: MIT
// Threads that share a GPU, or the emulator.
#include <atomic>
#include <chrono>
#include <thread>

#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

/// After each launch of the emulator's others have their turn: the worst that threads can do to each other, while it
/// lives. A GPU's launches are left as they are.
class Interleaved {
 public:
  Interleaved() {
    if (!emulated()) return;
    table() = *emulated();
    emulated()->LaunchKernel = [](auto... arguments) {
      const CUresult r = table().LaunchKernel(arguments...);
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      return r;
    };
  }
  Interleaved(const Interleaved&) = delete;
  ~Interleaved() {
    if (emulated()) emulated()->LaunchKernel = table().LaunchKernel;
  }

 private:
  /// The emulator's table is not const; nullptr: a GPU.
  static cuda::Driver* emulated() { return const_cast<cuda::Driver*>(cuda::stand_in<cuda::Driver>); }
  static cuda::Driver& table() {
    static cuda::Driver before;
    return before;
  }
};

/// Both at once, each in a thread; neither may say that something is wrong, or throw.
template <class F, class G> void at_once(const F& one, const G& two) {
  std::string wrong[2];
  const auto in_words = [&wrong](int which, const auto& work) {
    try {
      work(wrong[which]);
    } catch (const std::exception& e) { wrong[which] += e.what(); }
  };
  std::thread first([&] { in_words(0, one); }), second([&] { in_words(1, two); });
  first.join(), second.join();
  CHECK(wrong[0] == "");
  CHECK(wrong[1] == "");
  CHECK(device_findings().empty());
}

}  // namespace

TEST_CASE("threads that share a model and a GPU get the right bits") {
  const Device gpu = devices().back();
  nn::Sequential<float> model{nn::Dense{40, 48}, nn::Relu{}, nn::Dense{48, 3}, nn::Softmax{}};
  model.to(gpu);
  // the sum of 9,000 is had in parts, through memory that all threads share
  const Array<float> long_ones[] = {numbers({9000}).to<float>().to(gpu),
                                    numbers({9000}, 1, 2).to<float>().to(gpu)};
  const float totals[] = {sum(long_ones[0]).item(), sum(long_ones[1]).item()};
  const auto input = [](int i) { return numbers({40, 40}, -1, 1, std::uint64_t(i)).to<float>(); };
  std::vector<Array<float>> expected;
  for (int i = 0; i < 4; ++i) expected.push_back(predict(model, input(i)));
  const Interleaved launches;
  const auto work = [&](int which) {
    return [&, which](std::string& wrong) {
      for (int i = 0; i < 8; ++i) {
        const int k = (2 * which + i) % 4;
        if (!same_bits(predict(model, input(k)), expected[std::size_t(k)])) wrong += "other outputs; ";
      }
      std::vector<Tensor<float>> sums;  // nobody waits: the launches of both threads meet in the stream
      for (int i = 0; i < 100; ++i) sums.push_back(sum(long_ones[which]));
      for (const auto& y : sums)
        if (y.item() != totals[which]) wrong += "another sum; ";
    };
  };
  at_once(work(0), work(1));
}

TEST_CASE("losses and sums of two threads share memory for their parts, one after the other") {
  const Device gpu = devices().back();
  const auto rows = ones<float>({9000, 4}).to(gpu);  // summed in parts, by two launches
  const auto z = numbers({40, 10}).to<float>().to(gpu), t = numbers({40, 10}, 0, 1, 2).to<float>().to(gpu);
  const Array<std::int32_t> labels = Array<std::int32_t>(Shape{40}).to(gpu);
  const float losses[] = {mse(z, t).item(), softmax_cross_entropy(z, labels).item()};
  const Interleaved launches;
  at_once(
      [&](std::string& wrong) {
        for (int i = 0; i < 100; ++i)
          if (sum(rows, 0).array().to("cpu") != full<float>({4}, 9000)) wrong += "another sum; ";
      },
      [&](std::string& wrong) {
        for (int i = 0; i < 100; ++i)
          if (mse(z, t).item() != losses[0] || softmax_cross_entropy(z, labels).item() != losses[1])
            wrong += "another loss; ";
      });
}

TEST_CASE("one thread trains while another infers: each as if it were alone") {
  const Device gpu = devices().back();
  nn::Sequential<float> idle{nn::Dense{4, 8}, nn::Tanh{}, nn::Dense{8, 3}};
  idle.to(gpu);
  const Array<float> x = numbers({16, 4}).to<float>();
  const Array<float> expected = predict(idle, x);
  const auto trained = [&] {
    nn::Sequential<float> model{nn::Dense{4, 8}, nn::Tanh{}, nn::Dropout{0.2}, nn::Dense{8, 3},
                                nn::Softmax{}};
    FitOptions<float> o;
    o.loss = "softmax_cross_entropy", o.epochs = 4, o.batch_size = 8, o.device = gpu.name();
    o.metrics = {"accuracy"}, o.verbose = Verbose::silent;
    fit(model, data::blobs(60, {.features = 4, .seed = 1}), o);
    return model.named_parameters()[0].value().copy();
  };
  const Array<float> alone = trained();
  const Interleaved launches;
  std::atomic<bool> done = false;
  std::string wrong;
  std::thread other([&] {
    try {
      while (!done)
        if (!same_bits(predict(idle, x), expected)) wrong += "other outputs; ";
    } catch (const std::exception& e) { wrong += e.what(); }
  });
  std::vector<Array<float>> results;
  std::string failed;
  try {
    for (int i = 0; i < 3; ++i) results.push_back(trained());
  } catch (const std::exception& e) { failed = e.what(); }
  done = true, other.join();
  CHECK(failed == "");
  CHECK(wrong == "");
  for (const auto& r : results) CHECK(same_bits(r, alone));
  CHECK(device_findings().empty());
}
