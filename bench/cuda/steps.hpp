// SPDX-License-Identifier: MIT
// Microseconds a step of fit(), beside PyTorch's and JAX's in the same run: first everybody's losses are
// compared, then times count. Ours are measured before and after the peers'.
#pragma once

#include <chrono>
#include <deque>

#include "bench/cuda/peers.hpp"

namespace bench {

/// One line of the table, in the making.
struct Row {
  const Net& net;
  Wanted wanted;
  std::vector<double> losses = {};        // the mean of each epoch
  std::vector<double> microseconds = {};  // of a step, in each repeat

  std::string name() const { return row_name(net.setup, wanted.precision); }
};

inline std::vector<double> losses(const Net& net, Precision p, const std::string& device) {
  auto model = net.model;
  auto options = net.options(device, p);
  options.epochs = net.setup.compared_epochs();
  return fit(model, net.data.slice(0, net.setup.compared_batches() * net.setup.batch), options)["loss"];
}

/// Whole epochs until they have taken `seconds`, again and again. The first two, which compile and record,
/// and the first repeat, which warms up, do not count.
inline std::vector<double> times(const Net& net, Precision p, const std::string& device, double seconds,
                                 std::size_t repeats) {
  using Clock = std::chrono::steady_clock;
  auto model = net.model;
  auto options = net.options(device, p);
  options.epochs = 100'000;  // it is the callback that ends it
  std::vector<double> all;
  Clock::time_point start;
  std::int64_t before = 0;
  options.after_epoch = [&](Epoch<float>& e) {
    const auto now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - start).count();
    if (e.number >= 2 && elapsed < seconds) return;
    if (e.number >= 2) all.push_back(1e6 * elapsed / double(e.history.steps - before));
    e.stop = all.size() > repeats;
    before = e.history.steps, start = now;
  };
  const History h = fit(model, net.data, options);
  if (h.device.find("cannot be recorded") != std::string::npos) std::printf("%s\n", h.device.c_str());
  all.erase(all.begin());
  return all;
}

inline void time_all(std::deque<Row>& rows, const Arguments& a) {
  if (!a.times) return;
  for (Row& r : rows) {
    const auto more = times(r.net, r.wanted.precision, a.device, a.quick ? 0 : 0.2, a.quick ? 1 : 5);
    r.microseconds.insert(r.microseconds.end(), more.begin(), more.end());
    std::printf("%-26s gradus %28.2f us/step\n", r.name().c_str(), median(more));
    std::fflush(stdout);
  }
}

inline void print(const io::Json& row) {
  const auto [peer, us] = best_peer(row);
  const io::Json* const wanted = row.find("wanted");
  std::printf("%-26s", row.at("name").string().c_str());
  if (const double value = row.at("value").number(); std::isfinite(value)) std::printf(" %10.2f us", value);
  if (wanted) std::printf("  wanted %6g %s", wanted->number(), row.at("met").boolean() ? "met   " : "MISSED");
  if (!peer.empty()) std::printf("  best peer %10.2f us (%s)", us, peer.c_str());
  std::printf("\n");
  if (const io::Json* variants = row.find("loss differences"))
    for (const std::string& name : variants->keys())
      std::printf("    %s: losses within %.1e of ours\n", name.c_str(), variants->at(name).number());
  for (const char* key : {"skipped", "refused"})
    if (const io::Json* variants = row.find(key))
      for (const std::string& name : variants->keys())
        std::printf("    %s %s: %s\n", name.c_str(), key, variants->at(name).string().c_str());
}

/// What one peer's script has left.
struct Peer {
  const char* script;
  int seconds;  // begins nothing new after these
  io::Json results = {};
};

/// A row of the report from what was measured of it.
inline void add_row(Report& report, const Row& r, const std::vector<Peer>& peers) {
  const double us = median(r.microseconds);
  io::Json& row =
      report.add(r.name(), us, "µs/step", Bound::at_most, r.microseconds.empty() ? 0 : r.wanted.microseconds);
  row["repeats"] = r.microseconds, row["losses"] = r.losses;
  row["TFLOP/s"] = r.net.setup.operations() / us * 1e-6;
  for (const Peer& peer : peers) {
    const io::Json* const rows = peer.results.find("rows");
    const io::Json* const variants = rows ? rows->find(r.name()) : nullptr;
    if (!variants)
      row["skipped"][peer.script] =
          message("it ended before this row, with status ", peer.results.at("status").integer());
    else if (!add_peers(row, *variants, r.losses, loss_bound(r.wanted.precision)))
      report.miss();
  }
  if (const auto [name, best] = best_peer(row); !name.empty()) {
    row["ahead"] = us < best;
    if (us >= best) report.miss();
  } else if (!peers.empty()) {
    row["skipped"]["peers"] = "none was timed: nothing to be ahead of";
    report.miss();
  }
  print(row);
}

/// The nets and rows that are asked for, their losses known, and everything that peers need in `folder`.
inline void prepare(std::deque<Net>& nets, std::deque<Row>& rows, const fs::path& folder,
                    const Arguments& a) {
  io::Json for_peers;
  for_peers["rows"] = io::Json::list();
  for (const GpuSetup& s : gpu_setups(a.quick)) {
    std::vector<Wanted> some;
    for (const Wanted& w : s.wanted)  // the CPU knows strict products only
      if (a.wants(row_name(s, w.precision)) && (a.device != "cpu" || w.precision == Precision::strict))
        some.push_back(w);
    if (some.empty()) continue;
    const Net& net = nets.emplace_back(s);
    io::Json files;
    if (a.peers) files = write_row(net, folder);
    for (const Wanted& w : some) {
      if (a.peers) {
        files["name"] = row_name(s, w.precision), files["precision"] = word(w.precision);
        for_peers["rows"].push_back(files);
      }
      rows.push_back({net, w, losses(net, w.precision, a.device)});
      std::printf(
          "%-26s loss %g, after %lld steps %g\n", rows.back().name().c_str(), rows.back().losses.front(),
          static_cast<long long>(s.compared_batches() * s.compared_epochs()), rows.back().losses.back());
    }
  }
  std::ofstream(folder / "rows.json") << for_peers.str(2);
}

/// Gigabytes of weights and data, as long as the peers need them.
struct WorkFolder {
  const fs::path path;
  explicit WorkFolder(const fs::path& p) : path(p) { fs::create_directories(path); }
  WorkFolder(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

inline int steps(const Arguments& a) {
  const WorkFolder folder(fs::absolute(a.file + ".work"));
  std::deque<Net> nets;
  std::deque<Row> rows;
  prepare(nets, rows, folder.path, a);
  time_all(rows, a);
  io::Json found = versions();
  std::vector<Peer> peers;
  if (a.peers) {
    peers = {{"torch_steps.py", 170}, {"jax_steps.py", 110}};
    for (Peer& peer : peers) {
      peer.results = run_peer(peer.script, peer.seconds, folder.path, a);
      if (const io::Json* v = peer.results.find("versions"))
        for (const std::string& name : v->keys()) found[name] = v->at(name);
    }
    time_all(rows, a);
  }
  std::printf("\n");
  Report report;
  for (const Row& r : rows) add_row(report, r, peers);
  return report.write(a.file, found);
}

}  // namespace bench
