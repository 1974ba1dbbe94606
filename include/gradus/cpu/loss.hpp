// SPDX-License-Identifier: MIT
// A pointwise loss and its slope in one pass over predictions and targets, whatever the loss.
#pragma once

#include <gradus/cpu/sum.hpp>

namespace gradus::cpu {

/// l = F(y, t, number) and, unless dy is nullptr, dy = scale · F′(y, t, number), over n elements in whole
/// blocks. numbers: the formula's own, and the scale.
template <class T> using RunLoss = void (*)(T* l, T* dy, Index n, const T* y, const T* t, const T* numbers);

template <class F, class T> void run_loss(T* l, T* dy, Index n, const T* y, const T* t, const T* numbers) {
  const Wide<T> number(numbers[0]), scale(numbers[1]);
  for (Index i = 0; i < n; i += Wide<T>::size) {
    const auto prediction = Wide<T>::load(y + i), target = Wide<T>::load(t + i);
    Wide<T>(F::value(prediction, target, number)).store(l + i);
    if (dy) Wide<T>(scale * F::slope(prediction, target, number)).store(dy + i);
  }
}

namespace detail {

/// What a loss is computed from, and goes to; dy may be nullptr.
template <class T> struct LossPass {
  RunLoss<T> run;
  T* dy;
  const T *y, *t, *numbers;

  /// n elements from `first` on, the losses to l. A rest is padded: no value depends on its position.
  void operator()(T* l, Index first, Index n) const {
    constexpr Index W = Wide<T>::size;
    const Index rest = n % W, whole = n - rest, at = first + whole;
    run(l, dy ? dy + first : nullptr, whole, y + first, t + first, numbers);
    if (rest == 0) return;
    T pad[4][W];
    Wide<T>::load_partial(y + at, rest).store(pad[0]);
    Wide<T>::load_partial(t + at, rest).store(pad[1]);
    run(pad[2], pad[3], W, pad[0], pad[1], numbers);
    std::copy_n(pad[2], rest, l + whole);
    if (dy) std::copy_n(pad[3], rest, dy + at);
  }
};

}  // namespace detail

/// l[] = scale · Σ F(y, t), in pieces that stay in L1, or `each` l = F(y, t).
template <class T> void loss(RunLoss<T> run, bool each, const Sink<T>& l, T* dy, const T* numbers,
                             const View<T>& y, const View<T>& t) {
  constexpr Index piece = 1024;
  const detail::LossPass<T> pass{run, dy, y.data, t.data, numbers};
  const Index n = y.size(), pieces = (n + piece - 1) / piece;
  if (each)
    return parallel_for(n, 8 * piece,
                        [&](Index first, Index last) { pass(l.data + first, first, last - first); });
  T few[8];
  T* const sums = pieces <= 8 ? few : detail::work<T>(0, pieces);
  parallel_for(pieces, 8, [&](Index begin, Index end) {
    alignas(64) T losses[piece];
    for (Index p = begin; p < end; ++p) {
      const Index m = std::min(piece, n - p * piece);
      pass(losses, p * piece, m);
      sums[p] = detail::sum_run(m, losses);
    }
  });
  *l.data = numbers[1] * (pieces == 1 ? sums[0] : detail::sum_run(pieces, sums));
}

}  // namespace gradus::cpu
