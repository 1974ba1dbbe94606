// SPDX-License-Identifier: MIT
// Time of a training step against one size at a time: the batch, the width, the depth, the threads. Each row
// has the time of one step, and its share for one sample and for one layer.
#include "bench/train/training.hpp"

namespace {

using namespace bench;

void add_step(const std::string& series, Index at, const Setup& net, Where where = {}) {
  const auto body = [=](benchmark::State& state) {
    const double ns = 1e9 * measure_steps(state, net);
    state.counters["ns/sample"] = ns / double(net.batch);
    state.counters["ns/layer"] = ns / double(net.layers());
  };
  add(series + "/" + std::to_string(at), body, where);
}

void add_batches(const std::vector<Index>& widths, Index most) {
  for (Index batch = 1; batch <= most; batch *= 4) {
    const Setup net{widths, batch};
    add_step("batch/" + net.net(), batch, net);
    if (all_threads() > 1) add_step("batch/" + net.net(), batch, net, {.threads = all_threads()});
  }
}

void add_widths() {
  for (Index w = 8; w <= 4096; w *= 2) add_step("width/two hidden layers, batch 64", w, {{w, w, w, 10}, 64});
}

void add_depths() {
  for (const Index depth : {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}) {
    std::vector<Index> widths(std::size_t(depth), 64);
    widths.push_back(10);
    add_step("depth/width 64, batch 64", depth, {widths, 64});
  }
}

void add_threads(const Setup& net) {
  const int most = all_threads();
  for (int n = 1; n <= most; n = n == most ? n + 1 : std::min(2 * n, most))
    add_step("threads/" + net.net() + ", batch " + std::to_string(net.batch), n, net, {.threads = n});
}

const bool registered = [] {
  add_batches({30, 64, 1}, 1 << 20);  // until its steps are larger than caches
  add_batches({784, 128, 10}, 1 << 16);
  add_widths();
  add_depths();
  add_threads({{784, 512, 512, 10}, 256});
  add_threads({{1024, 1024, 1024, 1024, 10}, 1024});
  return true;
}();

}  // namespace
