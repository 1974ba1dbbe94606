// SPDX-License-Identifier: MIT
// Five nets trained on the CPU, by one thread and by all, and on a GPU where one runs: steps of a loop, and of
// fit, which shuffles and gathers, over the same data. At the end CPU and GPU stand side by side, and from
// which batch the GPU pays.
#include <cstdio>
#include <limits>

#include "bench/train/training.hpp"

namespace {

using namespace bench;

const std::vector<Setup> nets = cpu_setups();

/// Empty, if a GPU runs.
const std::string& no_gpu() {
  static const std::string why = [] {
    try {
      return (void)Device("cuda"), std::string();
    } catch (const DeviceError& e) { return std::string(e.what()); }
  }();
  return why;
}

/// Whole epochs of fit. The first two, in which memory grows and a GPU's steps are recorded, do not count.
void measure_fit(benchmark::State& state, const Setup& s, const std::string& device) {
  Net net(s);
  std::optional<Meter> meter;
  auto options = net.options(device);
  options.epochs = std::numeric_limits<int>::max();
  options.shuffle = true;
  options.after_epoch = [&](Epoch<float>& e) {
    if (e.number == 0) return;
    if (!meter) meter.emplace();
    e.stop = !state.KeepRunningBatch(s.batches);
  };
  fit(net.model, net.data, options);
  meter->report<float>(state, {.operations = s.operations()});
}

std::string row(const Setup& net, const std::string& how) {
  return net.net() + "/batch:" + std::to_string(net.batch) + "/" + how;
}

void add_steps(const Setup& net, Where where, const std::string& device) {
  const auto step = [=](benchmark::State& state) { measure_steps(state, net, Device(device)); };
  const auto fitted = [=](benchmark::State& state) { measure_fit(state, net, device); };
  add(row(net, "step/" + device), step, where);
  add(row(net, "fit/" + device), fitted, where);
}

/// One row on all of the CPU, one on the GPU.
void add_pair(const Setup& net) {
  const auto steps_on = [=](Device device) {
    return [=](benchmark::State& state) { measure_steps(state, net, device); };
  };
  add(row(net, "step/cpu"), steps_on({}), {.threads = all_threads()});
  add(row(net, "step/cuda"), steps_on(Device("cuda")), {.device = true});
}

/// The same net by batch, as far as the CPU needs less than seconds for one step.
std::vector<Setup> by_batch(Setup net) {
  std::vector<Setup> all;
  net.batches = 1;
  for (net.batch = 1; net.batch <= 65536 && net.operations() < 1e11; net.batch *= 4) all.push_back(net);
  return all;
}

double of(const Times& times, const std::string& name) {
  const auto at = times.find(name);
  return at == times.end() ? NAN : median(at->second);
}

/// The CPU by as many threads as are best.
double cpu(const Times& times, const std::string& name) {
  return std::fmin(of(times, name), of(times, name + "/threads:" + std::to_string(all_threads())));
}

void print_side_by_side(const Times& times) {
  if (!no_gpu().empty()) return (void)std::printf("\nno GPU here: %s\n", no_gpu().c_str());
  std::printf("\n%-30s %7s %6s %12s %12s %9s\n", "net", "batch", "", "CPU", "GPU", "speed-up");
  for (const Setup& net : nets)
    for (const std::string how : {"step", "fit"}) {
      const double c = cpu(times, row(net, how + "/cpu")), g = of(times, row(net, how + "/cuda"));
      if (std::isnan(c / g)) continue;  // filtered out
      std::printf("%-30s %7lld %6s %9.2f us %9.2f us %8.2fx\n", net.net().c_str(),
                  static_cast<long long>(net.batch), how.c_str(), 1e6 * c, 1e6 * g, c / g);
    }
  std::printf("\nA step on the GPU takes less than one on the CPU from which batch on:\n");
  for (const Setup& net : nets) {
    std::string from = "not up to the largest measured";
    const auto all = by_batch(net);
    for (auto n = all.rbegin(); n != all.rend(); ++n) {
      const double c = cpu(times, row(*n, "step/cpu")), g = of(times, row(*n, "step/cuda"));
      if (!(g < c)) break;
      from = std::to_string(n->batch);
    }
    std::printf("%-30s %s\n", net.net().c_str(), from.c_str());
  }
}

const bool registered = [] {
  for (const Setup& net : nets) {
    add_steps(net, {}, "cpu");
    if (all_threads() > 1) add_steps(net, {.threads = all_threads()}, "cpu");
    if (!no_gpu().empty()) continue;
    add_steps(net, {.device = true}, "cuda");
    for (const Setup& n : by_batch(net))
      if (n.batch != net.batch) add_pair(n);
  }
  at_end = print_side_by_side;
  return true;
}();

}  // namespace
