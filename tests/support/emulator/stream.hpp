// SPDX-License-Identifier: MIT
// Streams are queues that run only what somebody waits for, and as late as may be: what a missing event or a
// missing synchronisation would let happen, happens.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gradus/core/error.hpp>

#include "tests/support/emulator/clocks.hpp"
#include "tests/support/emulator/findings.hpp"
#include "tests/support/emulator/settings.hpp"

namespace gradus::test::emulator {

using Work = std::function<void()>;

/// A captured graph. A branch is what one stream recorded; a node's clock counts the nodes of each branch.
struct Graph {
  struct Node {
    std::string name;
    Work work;
    std::vector<std::size_t> after;
    std::uint32_t branch = 0, number = 0;
    Clock known;
  };
  std::vector<Node> nodes;
  std::vector<std::uint32_t> branch_sizes;
};

struct Stream;

/// A capture in progress.
struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  Stream* origin = nullptr;
  std::vector<Stream*> members;
  std::thread::id thread;
  bool any_thread = false;  // relaxed mode
  bool broken = false;      // a forbidden call: every further one fails
};

struct Stream {
  explicit Stream(int of_device) : device(of_device) {}

  struct Item {
    Operation operation;
    Work work;
    Stream* other = nullptr;  // waits until that stream has done so many, and does nothing else
    std::uint64_t until = 0;
  };
  int device;
  std::uint32_t track = history().new_track();
  Clock clock;  // what the next operation may take for done
  std::deque<Item> queue;
  std::uint64_t pushed = 0, done = 0;

  Capture* capture = nullptr;
  std::uint32_t branch = 0;
  std::vector<std::size_t> frontier;  // the nodes that the next one follows
  Clock branch_clock;
};

struct Event {
  bool timed = true, recorded = false;
  int device = 0;
  Stream* stream = nullptr;
  std::uint64_t until = 0;
  Clock clock;
  std::shared_ptr<Graph> graph;  // recorded while this was captured
  std::vector<std::size_t> frontier;
  Clock branch_clock;
  std::shared_ptr<double> at = std::make_shared<double>(-1);  // milliseconds, when it came to pass
};

struct Streams {
  std::set<Stream*> all;
  std::set<Event*> events;
  std::set<std::unique_ptr<Capture>> captures;
  Stream* legacy[2] = {nullptr, nullptr};  // a device's default stream, of which gradus makes no use
  Clock host;                              // what the host has waited for
};
inline Streams& streams() {
  static auto& s = *new Streams;
  return s;
}

inline double milliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

inline void execute(const Operation& operation, const Work& work) {
  history().begin(operation);
  work();
}

inline void drain(Stream& stream, std::uint64_t until);

inline void run_front(Stream& stream) {
  if (const Stream::Item& next = stream.queue.front(); next.other) drain(*next.other, next.until);
  const Stream::Item item = std::move(stream.queue.front());
  stream.queue.pop_front();
  if (item.work) execute(item.operation, item.work);
  ++stream.done;
}

/// Runs a stream's queue so far, and of the others only what it waits for.
inline void drain(Stream& stream, std::uint64_t until) {
  while (stream.done < until) run_front(stream);
}
inline void drain(Stream& stream) {
  if (settings().order == Order::reverse)  // or as early as may be
    for (Stream* const other : streams().all) drain(*other, other->pushed);
  drain(stream, stream.pushed);
}
inline void drain_all() {
  for (Stream* const stream : streams().all) drain(*stream, stream->pushed);
}

inline Operation next_operation(Stream& stream, std::string name) {
  stream.clock.join(streams().host);
  const Stamp stamp{stream.track, stream.clock[stream.track] + 1};
  Operation operation{std::move(name), stamp, stream.clock};
  stream.clock.set(stream.track, stamp.number);
  return operation;
}

inline void enqueue(Stream& stream, Stream::Item item) {
  constexpr std::size_t most = 1024;  // a driver's queue is finite too
  stream.queue.push_back(std::move(item));
  ++stream.pushed;
  if (stream.queue.size() > most) drain(stream, stream.pushed - most / 2);
}

inline void add_node(Stream& stream, std::string name, Work work) {
  Graph& graph = *stream.capture->graph;
  const std::uint32_t number = ++graph.branch_sizes[stream.branch];
  graph.nodes.push_back(
      {std::move(name), std::move(work), stream.frontier, stream.branch, number, stream.branch_clock});
  stream.branch_clock.set(stream.branch, number);
  stream.frontier = {graph.nodes.size() - 1};
}

/// Work for a stream: into its queue, or into the graph that it records.
inline void push(Stream& stream, std::string name, Work work) {
  if (stream.capture) return add_node(stream, std::move(name), std::move(work));
  Operation operation = next_operation(stream, std::move(name));
  enqueue(stream, {std::move(operation), std::move(work), nullptr, 0});
}

}  // namespace gradus::test::emulator
