// SPDX-License-Identifier: MIT
// Captured graphs: how a stream joins a capture, when a capture is whole, and replay. Branches that no event
// orders are concurrent, on replay too: their clocks say so, and the settings' order shuffles them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/emulator/processor.hpp"
#include "tests/support/emulator/stream.hpp"

namespace gradus::test::emulator {

inline void begin_capture(Stream& stream, bool any_thread) {
  auto capture = std::make_unique<Capture>();
  capture->origin = &stream, capture->any_thread = any_thread, capture->thread = std::this_thread::get_id();
  stream.capture = capture.get();
  capture->members.push_back(&stream);
  capture->graph->branch_sizes.push_back(0);
  stream.branch = 0, stream.frontier.clear(), stream.branch_clock = {};
  streams().captures.insert(std::move(capture));
}

/// The stream goes on where the event was recorded; one that did not belong to the capture now does.
inline void join_capture(Stream& stream, Capture& capture, const Event& event) {
  if (!stream.capture) {
    stream.capture = &capture;
    capture.members.push_back(&stream);
    stream.branch = static_cast<std::uint32_t>(capture.graph->branch_sizes.size());
    capture.graph->branch_sizes.push_back(0);
    stream.frontier.clear(), stream.branch_clock = {};
  }
  for (const std::size_t node : event.frontier)
    if (std::find(stream.frontier.begin(), stream.frontier.end(), node) == stream.frontier.end())
      stream.frontier.push_back(node);
  stream.branch_clock.join(event.branch_clock);
}

/// Every node is before the origin's end: each branch's last node is known there.
inline bool joined(const Capture& capture) {
  const Graph& graph = *capture.graph;
  for (std::size_t b = 0; b < graph.branch_sizes.size(); ++b)
    if (capture.origin->branch_clock[b] < graph.branch_sizes[b]) return false;
  return true;
}

/// Ends the capture for all its streams; what it recorded.
inline std::shared_ptr<Graph> end_capture(Capture& capture) {
  for (Stream* const member : capture.members) member->capture = nullptr;
  std::shared_ptr<Graph> graph = capture.graph;
  for (auto at = streams().captures.begin(); at != streams().captures.end(); ++at)
    if (at->get() == &capture) {
      streams().captures.erase(at);
      break;
    }
  return graph;
}

/// An instantiated graph. Each branch has a track, so that operations of two replays are ordered as any
/// others.
struct Executable {
  std::shared_ptr<Graph> graph;
  std::vector<std::uint32_t> tracks, launched;  // a branch: its operations so far
  Stream* last_stream = nullptr;
  std::uint64_t last_until = 0;
  Clock last_clock;

  explicit Executable(std::shared_ptr<Graph> g)
      : graph(std::move(g)), launched(graph->branch_sizes.size(), 0) {
    for (std::size_t b = 0; b < launched.size(); ++b) tracks.push_back(history().new_track());
  }
};

/// The nodes in an order that their edges allow: the recorded one, the last ready node first, or any.
inline std::vector<std::size_t> node_order(const Graph& graph) {
  if (settings().order == Order::forward) {
    const std::vector<unsigned> as_recorded = numbers(graph.nodes.size());
    return {as_recorded.begin(), as_recorded.end()};
  }
  std::vector<std::size_t> result, ready, missing;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    missing.push_back(graph.nodes[i].after.size());
    if (missing[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const auto chosen = ready.begin() + static_cast<std::ptrdiff_t>(numbers(ready.size()).front());
    const std::size_t node = *chosen;
    ready.erase(chosen);
    result.push_back(node);
    for (std::size_t i = node + 1; i < graph.nodes.size(); ++i)
      for (const std::size_t before : graph.nodes[i].after)
        if (before == node && --missing[i] == 0) ready.push_back(i);
    std::sort(ready.begin(), ready.end());
  }
  return result;
}

/// Puts a replay into a stream's queue.
inline void launch_graph(Executable& executable, Stream& stream) {
  if (executable.last_stream &&
      executable.last_stream != &stream) {  // two replays of one graph never overlap
    if (streams().all.count(executable.last_stream))
      enqueue(stream, {{}, {}, executable.last_stream, executable.last_until});
    stream.clock.join(executable.last_clock);
  }
  Operation whole = next_operation(stream, "a graph");
  std::vector<Operation> operations;
  for (const Graph::Node& node : executable.graph->nodes) {
    Operation o{node.name,
                {executable.tracks[node.branch], executable.launched[node.branch] + node.number},
                whole.known};
    for (std::size_t b = 0; b < executable.tracks.size(); ++b)
      if (const std::uint32_t n = node.known[b])
        o.known.set(executable.tracks[b], executable.launched[b] + n);
    operations.push_back(std::move(o));
  }
  for (std::size_t b = 0; b < executable.tracks.size(); ++b) {
    executable.launched[b] += executable.graph->branch_sizes[b];
    stream.clock.set(executable.tracks[b], executable.launched[b]);
  }
  enqueue(stream, {std::move(whole),
                   [graph = executable.graph, operations = std::move(operations)] {
                     for (const std::size_t i : node_order(*graph))
                       execute(operations[i], graph->nodes[i].work);
                   },
                   nullptr, 0});
  executable.last_stream = &stream, executable.last_until = stream.pushed,
  executable.last_clock = stream.clock;
}

}  // namespace gradus::test::emulator
