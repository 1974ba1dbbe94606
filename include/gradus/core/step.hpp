// SPDX-License-Identifier: MIT
// What lives for one step of a tape: its memory, its counters, the records of its ops; a tensor's ticket to
// it, and the checks of an op's operands, which are the same for all types.
#pragma once

#include <utility>
#include <vector>

#include <gradus/core/array.hpp>
#include <gradus/core/random.hpp>
#include <gradus/core/sink.hpp>

namespace gradus {
namespace detail {

struct StepState;

/// One op's part in backward, and the gradient of its result.
struct Record {
  void (*backward)(Record&, StepState&);
  Record* previous;
  Gradient out;
};

/// Pooled and never destroyed, so that a tensor can always ask whether its step is still the current one. A
/// step costs no allocation once the arenas have grown, and ends in O(1): records are forgotten, not visited.
struct StepState {
  Record* last = nullptr;
  Arena records, numbers;
  std::vector<Share> kept;        // the arrays and parameters that were brought onto the tape
  std::vector<Share> parameters;  // of layers, in the order of their use
  std::size_t used = 0;           // of them by this step; those beyond are of the one before
  Device device;
  std::uint64_t number = 1;                     // of the step, over the whole life of this state
  std::uint64_t draws = 0;                      // random draws so far
  const std::uint64_t* draws_before = nullptr;  // on the device, to be added: while steps are being recorded
  bool training = true;
  bool spent = false;  // backward has run
  bool keeps = false;  // and may run again
  bool alive = false;  // a Tape holds it
  StepState* next = nullptr;

  template <class T> T* allocate(Index n) { return static_cast<T*>(numbers.get(std::size_t(n) * sizeof(T))); }

  /// Where a kernel writes a gradient; nowhere, if nobody wants it.
  template <class U> Sink<U> sink(Gradient* g) {
    if (!is_differentiable<U> || !g || !g->wanted) return {};
    if (g->device != device) [[unlikely]]
      fail_moved(*g);
    if (!g->allocate) {
      g->step = this;
      g->allocate = [](Gradient& own) -> void* { return own.step->allocate<U>(own.shape.size()); };
    }
    return {nullptr, g->shape, g->device, g};
  }
  void join(Record& record, const Shape& shape, Device on) {
    record.out.shape = shape, record.out.device = on;
    record.previous = std::exchange(last, &record);
  }

  void keep(const Share& share, const Gradient* g = nullptr) {
    if (share.get()) kept.push_back(Share(share));
    if (g && g->owner) retain(g->owner), kept.push_back(Share(g->owner));  // its parameter may go before it
  }

  /// What a step uses, the next one uses mostly in the same place: then there is nothing to count.
  void keep_parameter(const Share& share, const Gradient& g) { keep_next(share.get()), keep_next(g.owner); }

  void end() {
    while (parameters.size() > used) parameters.pop_back();
    last = nullptr;
    records.clear();
    numbers.clear();
    kept.clear();
    used = 0;
    ++number;
    spent = false;
  }

  /// Before the first tensor of a step, and before the others.
  void begin(Device d) {
    if (spent) end();
    if (device == d) return;
    if (last || !kept.empty() || used > 0)
      fail<DeviceError>("tape: it is on ", device.name(), ", the input on ", d.name());
    device = d;
    numbers.set_device(d);
  }

  static StepState& acquire() {
    SpinGuard guard(pool().lock);
    StepState* s = pool().free;
    if (s)
      pool().free = s->next;
    else
      s = new StepState;
    s->alive = true;
    return *s;
  }
  static void release(StepState& s) {
    // to others as new; and end() might ask a device for memory
    if (!s.device.is_cpu()) s.numbers.set_device({}), s.device = {};
    s.end(), s.parameters.clear();
    s.draws_before = nullptr;
    s.alive = false;
    SpinGuard guard(pool().lock);
    s.next = std::exchange(pool().free, &s);
  }

 private:
  void keep_next(Block* b) {
    if (used == parameters.size()) [[unlikely]]
      parameters.emplace_back();
    if (parameters[used].get() != b) [[unlikely]]
      retain(b), parameters[used] = Share(b);
    ++used;
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail_moved(const Gradient& g) const {
    fail<DeviceError>("backward: a parameter ", g.shape, " went to ", g.device.name(),
                      " after it was used on ", device.name());
  }

  struct States {
    SpinLock lock;
    StepState* free = nullptr;
  };
  static States& pool() {
    static States& states = *new States;
    return states;
  }
};

/// Where the gradients of an op's operands are written, each asked for by its number.
template <class T> struct Sinks {
  StepState& state;
  Gradient* const* of;

  Sink<T> operator()(int k) const { return state.sink<T>(of[k]); }
  bool wanted(int k) const { return of[k] && of[k]->wanted; }
};

/// What makes a tensor of an array: where the tape keeps its gradient, and in which step that is true.
struct Ticket {
  Gradient* gradient = nullptr;
  StepState* step = nullptr;  // nullptr: off the tape
  std::uint64_t number = 0;   // of the step in which it was recorded
  bool untaped = false;       // computed from parameters off the tape

  bool wants_gradient() const { return gradient && gradient->wanted; }
  void check(const char* who, const Shape& shape) const {
    if (step && step->number != number) fail_gone(who, shape);
  }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] void fail_gone(const char* who, const Shape& shape) const {
    const auto now = step->alive ? message("is now in step ", step->number) : "is gone";
    fail<TapeError>(who, ": a tensor ", shape, " was recorded in step ", number, " of a tape that ", now,
                    "; detach() keeps numbers beyond their step");
  }
};

/// An operand, its type forgotten.
struct AnyOperand {
  const Shape& shape;
  Device device;
  const Share& share;
  const Ticket& ticket;
};

/// One use of an op: its operands are checked, those that are off the tape are brought onto it.
struct Call {
  const char* const who;
  Device device;
  StepState* state = nullptr;            // of the tape that an operand is on
  bool wanted = false, untaped = false;  // a gradient, by an operand; an operand comes from parameters

  template <std::size_t N> Call(const char* op, const AnyOperand (&operands)[N])
      : who(op), device(operands[0].device) {
    for (const AnyOperand& x : operands) join(x);
    if (!state) return;
    for (const AnyOperand& x : operands) {
      require<TapeError>(!x.ticket.untaped || x.ticket.gradient, who, ": operand ", x.shape,
                         " comes from parameters off the tape; their gradient would be lost: start from ",
                         "tape.watch(w), or detach()");
      if (!x.ticket.step) state->keep(x.share, x.ticket.gradient);
    }
  }
  /// One more operand, a parameter.
  void add(const AnyOperand& p) {
    join(p);
    if (state) state->keep_parameter(p.share, *p.ticket.gradient);
  }

  /// Memory of the result: the step's, or else its own, which is returned.
  template <class T> Share allocate(Sink<T>& y) const {
    if (state) return y.data = state->allocate<T>(y.size()), Share();
    Share own(detail::allocate(device, std::size_t(y.size()) * sizeof(T)));
    y.data = static_cast<T*>(own.get()->data);
    return own;
  }

 private:
  void join(const AnyOperand& x) {
    StepState* const other = x.ticket.step;
    if (x.device != device || (other && (other->number != x.ticket.number || (state && state != other))))
        [[unlikely]]
      refuse(x);
    if (other) state = other;
    wanted = wanted || x.ticket.wants_gradient(), untaped = untaped || x.ticket.untaped;
  }
  [[gnu::noinline, gnu::cold]] void refuse(const AnyOperand& x) const {
    if (x.device != device)
      fail<DeviceError>(who, ": operands on ", device.name(), " and ", x.device.name(), "; use .to(device)");
    x.ticket.check(who, x.shape);
    fail<TapeError>(who, ": operands are on two different tapes");
  }
};

}  // namespace detail

/// What an op may ask of the step that it runs in: memory until the step's end, whether it trains, random
/// draws. Without a tape the memory lives as long as the op runs, and nothing trains.
class Step {
 public:
  Step(Device d, detail::StepState* state, bool recorded = true)
      : device(d), state_(state), recorded_(recorded) {}
  Step(const Step&) = delete;
  ~Step() {
    while (blocks_) detail::drop(std::exchange(blocks_, blocks_->next));
  }

  /// Room for n numbers.
  template <class T> T* room(Index n) {
    if (state_) return state_->allocate<T>(n);
    detail::Block* b = detail::allocate(device, std::size_t(n) * sizeof(T));
    b->next = std::exchange(blocks_, b);
    return static_cast<T*>(b->data);
  }
  template <class T> Sink<T> scratch(const Shape& shape) { return {room<T>(shape.size()), shape, device}; }
  bool is_recorded() const { return recorded_; }  ///< backward may follow
  bool is_last_backward() const { return !state_->keeps; }
  bool training() const { return state_ && state_->training; }
  /// The next random draw; while training only.
  random::Draw draw() { return {state_->draws++, state_->draws_before}; }

  const Device device;

 private:
  detail::StepState* state_;
  bool recorded_;
  detail::Block* blocks_ = nullptr;
};

}  // namespace gradus
