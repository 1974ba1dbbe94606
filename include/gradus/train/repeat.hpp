// SPDX-License-Identifier: MIT
// Training steps that a device repeats by itself (on a GPU: captured as a CUDA graph, and replayed): what
// fit() and a device's repeater (repeater.hpp) say to each other.
#pragma once

#include <gradus/data/batches.hpp>
#include <gradus/kernels/update.hpp>
#include <gradus/train/metrics.hpp>

namespace gradus::train {

/// Where a recorded step finds what changes, and leaves what it has computed: addresses on the device.
template <class T> struct StepMemory {
  View<std::int32_t> rows;
  const T* numbers;  ///< of the optimizer's rule
  kernels::Watch watch;
};

/// The trainer's part.
template <class T> struct Steps {
  virtual Shape by_host(Index k) = 0;  ///< trains on batch k, kernel by kernel; returns the output's shape
  virtual void ready() = 0;            ///< memory is in order: recording may take none
  virtual Outcome<T> record(const StepMemory<T>&) = 0;  ///< the calls of one step
  virtual void undo() = 0;                       ///< what record() has left of a step that will not be run
  virtual void numbers(Index ahead, T* to) = 0;  ///< the rule's, of the step that many after the next
  virtual void advance(Index n) = 0;             ///< n steps have been asked for
  /// Counts random draws from `first`, with what lies at `added` on the device; returns the count before.
  virtual std::uint64_t draws(std::uint64_t first, const std::uint64_t* added) = 0;
  /// Batch k's loss, and its output where metrics want it; in the order of the batches.
  virtual void done(Index k, double loss, const Scored<T>&) = 0;

 protected:
  ~Steps() = default;
};

/// The device's part.
template <class T> struct Repetition {
  virtual ~Repetition() = default;
  virtual void epoch(Steps<T>&) = 0;
  virtual void forget() = 0;  ///< after a change of what a step does: parameters have been frozen, say
  virtual std::string why_not() const = 0;  ///< why the host goes from kernel to kernel; empty: it does not
};

/// Set by a header that brings devices which repeat steps. `outputs`: metrics want them.
template <class T>
inline Repetition<T>* (*make_repetition)(Device, const data::Batches&, bool outputs) = nullptr;

}  // namespace gradus::train
