// SPDX-License-Identifier: MIT
// Training steps that a device repeats by itself. A step is recorded once for each number of rows, several in
// a row as one program. What changes from step to step (rows, learning rates, random draws) lies in the
// device's memory, where the host puts it for all steps of a launch; losses, and the outputs where metrics
// want them, come back likewise. The host is at most two launches ahead.
#pragma once

#include <gradus/train/repeat.hpp>

namespace gradus::train {

template <class T> class Repeater final : public Repetition<T> {
 public:
  static constexpr Index most_steps = 64;  // a launch costs the host some 10 µs, shared by all of them

  /// `outputs`: metrics want them.
  Repeater(Device device, const data::Batches& batches, bool outputs)
      : device_(device), repeating_(device.backend().repeating()), batches_(batches), outputs_(outputs) {
    const Index whole = batches.size() / batches.batch_size();
    if (whole > 0) together_ = whole / ((whole + most_steps - 1) / most_steps);
  }
  Repeater(const Repeater&) = delete;
  ~Repeater() override {
    for (Launch& l : launches_) release(l);
    for (Program& p : programs_) forget(p);
  }

  std::string why_not() const override { return why_; }

  void epoch(Steps<T>& steps) override {
    for (Index k = 0; k < batches_.count();) {
      Program* const p = why_.empty() ? program(k) : nullptr;
      if (p && p->seen && !p->graph) collect_all(steps);
      if (p && p->seen && (p->graph || record(*p, steps))) {
        launch(*p, k, steps);
        k += p->n;
      } else {  // the first of its size: kernels are compiled, memory grows
        collect_all(steps);
        const Shape output = steps.by_host(k++);
        if (p) see(p->rows, output);
      }
    }
    collect_all(steps);
  }
  void forget() override {
    for (Program& p : programs_) forget(p), p.seen = false;  // what is done now may need other kernels
  }

 private:
  struct Program {
    Index rows = 0, n = 0;
    bool seen = false;  // the host has done such a step
    void* graph = nullptr;
    std::uint64_t draws = 0;  // of all its steps
    Shape output;
    T threshold{};
    nn::Head left_out{};
    Array<T> results;  // n losses, and n outputs
  };
  struct Launch {
    void* mark = nullptr;
    Program* program = nullptr;
    Index first = 0;  // batch
    std::int32_t* rows = nullptr;
    T *numbers = nullptr, *results = nullptr;
    Index room = 0;  // of the results
  };
  static constexpr Index rows_at = 16;  // in rows_: the draws' number is before them

  /// Whole batches `together_` at a time, the rest of them and the last part one by one.
  Program* program(Index k) {
    const Index whole = batches_.size() / batches_.batch_size(), rows = Index(batches_[k].size());
    Program& p = programs_[k >= whole ? 2 : whole - k >= together_ ? 0 : 1];
    p.rows = rows, p.n = &p == programs_ ? together_ : 1;
    return &p;
  }
  void see(Index rows, const Shape& output) {
    constexpr Index most_bytes = 64 << 20;  // of outputs that come back with a launch
    if (outputs_ && halted_.size() == 0 && output.size() > 0)
      together_ = std::clamp(most_bytes / (output.size() * Index(sizeof(T))), Index(1), together_);
    for (Program& p : programs_)
      if (p.rows == rows || (&p != programs_ + 2 && rows == batches_.batch_size()))
        p.seen = true, p.output = outputs_ && output.rank() > 0 ? output.with(0, rows) : Shape{0};
  }

  /// False: it cannot be recorded, and from here on the host goes from kernel to kernel.
  bool record(Program& p, Steps<T>& steps) {
    const std::uint64_t before = steps.draws(0, nullptr);
    try {
      reserve(p);
      steps.ready();
      int* const halted = halted_.mutable_data();
      T* const results = p.results.mutable_data();
      steps.draws(0, reinterpret_cast<const std::uint64_t*>(rows_.data()));
      repeating_->record();
      for (Index i = 0; i < p.n; ++i) {
        const View<std::int32_t> rows{rows_.data() + rows_at + i * p.rows, Shape{p.rows}, device_};
        const Outcome<T> o = steps.record({rows,
                                           numbers_.data() + i * cpu::most_numbers,
                                           {nullptr, halted + i, halted + i + 1, results + i}});
        gradus::detail::copy_bytes(device_, results + p.n + i * p.output.size(), device_,
                                   o.output.view().data, std::size_t(p.output.size()) * sizeof(T));
        p.threshold = o.threshold, p.left_out = o.left_out;
      }
      gradus::detail::copy_bytes(device_, halted, device_, halted + p.n, sizeof(int));
      p.graph = repeating_->finish();
    } catch (const std::exception& e) {
      repeating_->abandon();
      why_ = gradus::detail::message("steps are not repeated by the device, as one cannot be recorded: ",
                                     e.what());
      steps.undo();
    }
    p.draws = steps.draws(before, nullptr);
    return p.graph != nullptr;
  }
  /// Memory is had before recording: a program keeps its addresses.
  void reserve(Program& p) {
    p.results = Array<T>(Shape{p.n * (1 + p.output.size())}, device_);
    for (Launch& l : launches_) {  // nothing is under way
      if (l.room >= p.results.size()) continue;
      if (l.results) repeating_->release_host(std::exchange(l.results, nullptr));
      l.room = 0;
      l.results = static_cast<T*>(repeating_->allocate_host(p.results.bytes()));
      l.room = p.results.size();
    }
    if (halted_.size() > 0) return;
    rows_ = Array<std::int32_t>(Shape{rows_at + together_ * batches_.batch_size()}, device_);
    numbers_ = Array<T>(Shape{together_ * cpu::most_numbers}, device_);
    halted_ = Array<std::int32_t>(Shape{together_ + 1}, device_);
    for (Launch& l : launches_) {
      if (!l.rows) l.rows = static_cast<std::int32_t*>(repeating_->allocate_host(rows_.bytes()));
      if (!l.numbers) l.numbers = static_cast<T*>(repeating_->allocate_host(numbers_.bytes()));
    }
  }

  void launch(Program& p, Index k, Steps<T>& steps) {
    Launch& l = launches_[turn_];
    turn_ = 1 - turn_;
    collect(l, steps);
    const std::uint64_t draws = steps.draws(0, nullptr);
    steps.draws(draws + p.draws, nullptr);
    __builtin_memcpy(l.rows, &draws, sizeof draws);
    const auto rows =
        batches_.rows().subspan(std::size_t(k * batches_.batch_size()), std::size_t(p.n * p.rows));
    __builtin_memcpy(l.rows + rows_at, rows.data(), rows.size_bytes());
    for (Index i = 0; i < p.n; ++i) steps.numbers(i, l.numbers + i * cpu::most_numbers);
    repeating_->upload_later(rows_.mutable_data(), l.rows,
                             std::size_t(rows_at) * sizeof *l.rows + rows.size_bytes());
    repeating_->upload_later(numbers_.mutable_data(), l.numbers,
                             std::size_t(p.n * cpu::most_numbers) * sizeof(T));
    repeating_->run(p.graph);
    repeating_->download_later(l.results, p.results.data(), p.results.bytes());
    l.mark = repeating_->mark();
    l.program = &p, l.first = k;
    steps.advance(p.n);
  }
  /// Waits for a launch and hands on what has come of it.
  void collect(Launch& l, Steps<T>& steps) {
    if (!l.mark) return;
    repeating_->wait(std::exchange(l.mark, nullptr));
    const Program& p = *l.program;
    for (Index i = 0; i < p.n; ++i) {
      const T* const y = l.results + p.n + i * p.output.size();
      steps.done(l.first + i, double(l.results[i]), {{y, p.output, {}}, {}, {}, p.threshold, p.left_out});
    }
  }
  void collect_all(Steps<T>& steps) {
    for (Index i = 0; i < 2; ++i) collect(launches_[(turn_ + i) % 2], steps);
    repeating_->check();
  }

  void forget(Program& p) {
    if (p.graph) repeating_->forget(p.graph);
    p.graph = nullptr;
  }
  void release(Launch& l) {
    try {
      if (l.mark) repeating_->wait(l.mark);
    } catch (const DeviceError&) {  // who waited for the results has heard of it
    }
    for (void* memory :
         {static_cast<void*>(l.rows), static_cast<void*>(l.numbers), static_cast<void*>(l.results)})
      if (memory) repeating_->release_host(memory);
  }

  const Device device_;
  Repeating* const repeating_;
  const data::Batches& batches_;
  const bool outputs_;
  Index together_ = 1, turn_ = 0;
  std::string why_;
  Program programs_[3];
  Launch launches_[2];
  Array<std::int32_t> rows_, halted_;
  Array<T> numbers_;
};

template <class T> Repetition<T>* make_repeater(Device device, const data::Batches& batches, bool outputs) {
  return device.backend().repeating() ? new Repeater<T>(device, batches, outputs) : nullptr;
}

}  // namespace gradus::train
