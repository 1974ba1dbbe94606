// SPDX-License-Identifier: MIT
// bench_train_serve: training steps on the CPU by fit(), by the public loop and by hand, for bench/peers/steps.py.
//   bench_train_serve --nets FOLDER [--quick]   writes the nets that are compared, and FOLDER/rows.json
//   bench_train_serve                           serves one row
#include "bench/train/serve.hpp"

#include <fstream>
#include <limits>

#include "bench/train/hand_fused.hpp"
#include "bench/train/hand_written.hpp"
#include "bench/train/loop.hpp"

namespace bench {
namespace {

struct Fit final : Contestant {
  Net net;
  explicit Fit(const Setup& s) : net(s) {}

  std::vector<double> losses() override {
    auto options = net.options();
    options.epochs = net.setup.compared_epochs();
    return fit(net.model, net.data.slice(0, net.setup.compared_batches() * net.setup.batch), options)["loss"];
  }
  void train(Laps& laps) override {
    auto options = net.options();
    options.epochs = std::numeric_limits<int>::max();
    options.after_epoch = [&](Epoch<float>& e) { e.stop = !laps.lap(net.setup.batches); };
    fit(net.model, net.data, options);
  }
};

struct ByLoop final : StepByStep {
  Loop loop;
  explicit ByLoop(const Setup& s) : StepByStep(s), loop(s) {}
  double step(Index k) override { return double(loop.step(k)); }
};

template <class Hand> struct ByHand final : StepByStep {
  data::Dataset<float> data;
  Hand hand;
  explicit ByHand(const Net& net) : StepByStep(net.setup), data(net.data), hand(net) {}
  double step(Index k) override {
    hand.take(data, k);
    return double(hand.step(float(setup.learning_rate)));
  }
};

std::unique_ptr<Contestant> make(const std::string& variant, const Setup& s, int threads) {
  set_threads(threads);
  if (variant == "gradus fit") return std::make_unique<Fit>(s);
  if (variant == "gradus loop") return std::make_unique<ByLoop>(s);
  const bool written = variant == "hand-written Eigen";
  detail::require<ValueError>(written || variant == "hand-fused", "there is no \"", variant, "\" here");
  detail::require<ValueError>(s.layers() == 2 && s.widths.back() == 1, "written for nets I-H-1 only");
  detail::require<ValueError>(threads == 1, "written for one thread only");
  if (written) return std::make_unique<ByHand<HandWritten>>(Net(s));
  return std::make_unique<ByHand<HandFused>>(Net(s));
}

void write_nets(const fs::path& folder, bool quick) {
  io::Json all;
  for (const Setup& s : cpu_setups()) all["rows"].push_back(write_row(Net(quick ? s.quick() : s), folder));
  std::ofstream(folder / "rows.json") << all.str(2);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "--nets") {
    bench::write_nets(words[1], words.size() > 2 && words[2] == "--quick");
    return 0;
  }
  gradus::io::Json versions;
  versions["gradus"] = gradus::about(), versions["compiler's flags"] = GRADUS_BENCH_FLAGS;
  return bench::serve(bench::make, versions);
}
