// SPDX-License-Identifier: MIT
// bench_train_serve: training steps on the CPU by fit(), by the public loop and by hand, for bench/peers/steps.py.
//   bench_train_serve --nets FOLDER [--quick]   writes the nets that are compared, and FOLDER/rows.json
//   bench_train_serve                           serves one row
#include "bench/train/serve.hpp"

#include <fstream>
#include <limits>

#include "bench/train/hand_fused.hpp"
#include "bench/train/hand_written.hpp"

namespace bench {
namespace {

std::vector<Setup> cpu_setups() {
  return {{{2, 16, 1}, "binary_cross_entropy_from_logits", 1e-3, 32, 512},
          {{30, 64, 1}, "binary_cross_entropy_from_logits", 1e-3, 32, 512},
          {{784, 128, 10}, "softmax_cross_entropy", 1e-4, 64, 64},
          {{784, 512, 512, 10}, "softmax_cross_entropy", 1e-4, 256, 16},
          {{1024, 1024, 1024, 1024, 10}, "softmax_cross_entropy", 1e-4, 1024, 4, 8}};
}

struct Fit final : Contestant {
  Net net;
  explicit Fit(const Setup& s) : net(s) {}

  std::vector<double> losses() override {
    auto options = net.options(Precision::strict, "cpu");
    options.epochs = net.setup.compared_epochs();
    return fit(net.model, net.data.slice(0, net.setup.compared_batches() * net.setup.batch), options)["loss"];
  }
  void train(Laps& laps) override {
    auto options = net.options(Precision::strict, "cpu");
    options.epochs = std::numeric_limits<int>::max();
    options.after_epoch = [&](Epoch<float>& e) { e.stop = !laps.lap(net.setup.batches); };
    fit(net.model, net.data, options);
  }
};

/// The loop of examples/manual_loop.cpp; a batch is a slice, as the peers take theirs.
struct Loop final : StepByStep {
  Net net;
  optim::Optimizer<float> adam;
  Tape tape;
  explicit Loop(const Setup& s)
      : StepByStep(s), net(s), adam(net.model, net.options(Precision::strict, "cpu").optimizer) {}

  double step(Index k) override {
    const Index first = k * setup.batch, last = first + setup.batch;
    const auto y = net.model(tape.input(net.data.inputs[0].slice(first, last)));
    const auto loss = net.data.has_labels()
                          ? softmax_cross_entropy(y, net.data.labels.slice(first, last))
                          : binary_cross_entropy(y, tape.input(net.data.targets.slice(first, last)));
    tape.backward(loss);
    adam.step();
    return double(loss.item());
  }
};

template <class Hand> struct ByHand final : StepByStep {
  data::Dataset<float> data;
  Hand hand;
  explicit ByHand(const Net& net)
      : StepByStep(net.setup),
        data(net.data),
        hand(int(setup.widths[0]), int(setup.widths[1]), int(setup.batch)) {
    std::vector<const float*> values;
    for (const auto& p : net.model.named_parameters()) values.push_back(p.value().data());
    hand.set_weights(values[0], values[1], values[2], values[3]);
  }

  double step(Index k) override {
    const float *x = data.inputs[0].data() + k * hand.x.size(), *t = data.targets.data() + k * hand.t.size();
    std::copy_n(x, hand.x.size(), hand.x.data());
    std::copy_n(t, hand.t.size(), hand.t.data());
    return double(hand.step(float(setup.learning_rate)));
  }
};

std::unique_ptr<Contestant> make(const std::string& variant, const Setup& s, int threads) {
  set_threads(threads);
  if (variant == "gradus fit") return std::make_unique<Fit>(s);
  if (variant == "gradus loop") return std::make_unique<Loop>(s);
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
