// SPDX-License-Identifier: MIT
// Reverse mode: ops are recorded in the order in which they ran; backward walks the records the other way.
//   Tape tape;
//   tape.backward(mse(model(tape.input(x)), t)), adam.step();  // backward adds ∂loss/∂w to w's gradient
#pragma once

#include <gradus/kernels/fill.hpp>
#include <gradus/tape/apply.hpp>

namespace gradus {

/// A scope of recording on one device. A step begins with the first input after a backward, or with clear(),
/// and ends the life of the tensors before it. One Tape for all steps or one for each: the cost is the same.
class Tape {
 public:
  /// `training`: dropout is on. `seed` says where its draws begin.
  explicit Tape(bool training = true, std::uint64_t seed = 0) {
    state_.training = training, state_.draws = seed << 32;
  }
  Tape(const Tape&) = delete;
  ~Tape() { detail::StepState::release(state_); }

  /// A constant on the tape: what is computed from it is recorded.
  template <class T> Tensor<T> input(const Array<T>& a) { return enter(a, nullptr); }
  template <class T> auto input(const View<T>& v) {
    return state_.begin(v.device), Tensor<T>(v, state_, nullptr);
  }
  /// A constant whose gradient is wanted: gradient(x) after backward.
  template <class T> Tensor<T> variable(const Array<T>& a) {
    state_.begin(a.device());
    return enter(a, new (state_.records.get(sizeof(Gradient))) Gradient{nullptr, a.shape(), a.device()});
  }
  /// A parameter, for what is computed from parameters alone: mean(square(tape.watch(w))).
  template <class T> Tensor<T> watch(const Parameter<T>& p) { return enter(p.value(), &p.leaf().gradient); }
  /// Memory of this step for a kernel to fill, and then input(sink.view()).
  template <class T> Sink<T> allocate(const Shape& shape, Device device = {}) {
    return state_.begin(device), Sink<T>{state_.allocate<T>(shape.size()), shape, device};
  }

  /// Costs about two forward passes. `keep` allows another one. Throws TapeError; ShapeError: not one number.
  template <class T> void backward(const Tensor<T>& loss, bool keep = false) {
    using detail::require;
    require<TapeError>(loss.step(), "backward: the loss is not on a tape (start from tape.input(x))");
    loss.check("backward");
    require<TapeError>(loss.step() == &state_, "backward: the loss was recorded on another tape");
    require<TapeError>(!state_.spent, "backward: it ran already; record again or first backward(loss, true)");
    require<ShapeError>(loss.size() == 1, "backward: the loss is ", loss.shape(), "; it must be one number");
    require<TapeError>(loss.wants_gradient(), "backward: the loss depends on no parameter and no variable");
    const auto seed = state_.sink<T>(loss.gradient());
    if (keep || !seed.adopt(kernels::one<T>(seed.device))) kernels::fill(seed, T(1));
    state_.keeps = keep, state_.spent = true;        // and it stays so if an op throws
    for (auto* r = state_.last; r; r = r->previous)  // the loss depends on those that were written
      if (std::exchange(r->out.written, false)) r->backward(*r, state_);
    state_.spent = !keep;
  }

  /// A copy of ∂loss/∂x after backward. Throws TapeError where there is none.
  template <class T> Array<T> gradient(const Tensor<T>& x) const {
    x.check("gradient");
    detail::require<TapeError>(x.gradient() && x.gradient()->written, "gradient: the tensor ", x.shape(),
                               " has none (is it a variable? has backward run?)");
    return Array<T>::over(x.gradient()->template view<T>()).copy();
  }
  void clear() { state_.end(), state_.parameters.clear(); }  ///< ends the step; nothing of it is kept
  void next_step() { state_.end(); }  ///< ends it where the next one will use the same parameters
  /// Counts random draws from `first`, and adds what lies at `added` on the device. Returns the count before.
  std::uint64_t count_draws(std::uint64_t first, const std::uint64_t* added = nullptr) {
    return state_.draws_before = added, std::exchange(state_.draws, first);
  }

 private:
  template <class T> Tensor<T> enter(const Array<T>& a, Gradient* g) {
    state_.begin(a.device()), state_.keep(a.share(), g);
    return {a.view(), state_, g};
  }

  detail::StepState& state_ = detail::StepState::acquire();
};

}  // namespace gradus
