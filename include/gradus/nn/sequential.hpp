// SPDX-License-Identifier: MIT
// Layers one after the other. A Dense and the activation after it run as one kernel.
#pragma once

#include <gradus/nn/dense.hpp>

namespace gradus::nn {

/// Layers are run-time values behind one virtual call each: nothing is nested per layer, and so compiles
/// quickly. Parameters are named by their layer's place, as PyTorch's nn.Sequential: "0.weight", "2.bias".
/// Copying is deep.
template <class T = float> class Sequential final : public Layer<T> {
 public:
  Sequential() = default;
  template <class... Layers>
    requires(sizeof...(Layers) > 0 && (std::is_base_of_v<Layer<T>, Layers> && ...))
  explicit Sequential(Layers... layers) {
    (push(std::move(layers)), ...);
    this->initialize(0, false);
  }
  Sequential(const Sequential& o) {
    for (const auto& slot : o.slots_) slots_.push_back({slot.clone(*slot.layer), slot.clone});
  }
  Sequential(Sequential&&) noexcept = default;
  Sequential& operator=(Sequential o) noexcept { return slots_.swap(o.slots_), *this; }

  /// Appends a layer; its parameters, if nobody has set them yet, are drawn under their new names.
  template <class L>
  requires std::is_base_of_v<Layer<T>, L> Sequential& add(L layer) {
    push(std::move(layer));
    this->initialize(0, false);
    return *this;
  }
  Index size() const { return Index(slots_.size()); }
  Layer<T>& operator[](Index i) const {
    detail::require<IndexError>(i >= 0 && i < size(), "Sequential: layer ", i, " is outside its ", size(),
                                " layers");
    return *slots_[std::size_t(i)].layer;
  }

  Tensor<T> operator()(const Tensor<T>& x) const override { return run(x, slots_.size()); }
  /// One kernel for a whole net is one more door for those who hold a Sequential: model(array).
  template <Operand X>
    requires(!std::is_same_v<X, Tensor<T>>)
  Tensor<T>
  operator()(const X& x) const { return (*this)(as_tensor(x)); }

  Head head() const override { return slots_.empty() ? Head::none : slots_.back().layer->head(); }
  Tensor<T> logits(std::span<const Tensor<T>> inputs) const override {
    const Tensor<T>& x = this->only(inputs);
    if (head() == Head::none) return (*this)(x);
    const Tensor<T> last = run(x, slots_.size() - 1);
    return slots_.back().layer->logits({&last, 1});
  }
  void members(Members<T>& m) override {
    for (std::size_t i = 0; i < slots_.size(); ++i) m(std::to_string(i), *slots_[i].layer);
  }
  std::string describe() const override { return detail::message("Sequential of ", size()); }

 private:
  using Pointer = std::unique_ptr<Layer<T>>;
  struct Slot {
    Pointer layer;
    Pointer (*clone)(const Layer<T>&);
  };

  template <class L> void push(L layer) {
    slots_.push_back({Pointer(new L(std::move(layer))),
                      [](const Layer<T>& l) { return Pointer(new L(static_cast<const L&>(l))); }});
  }
  Tensor<T> run(const Tensor<T>& x, std::size_t n) const {
    if (n == 0) return x;
    std::size_t i = 0;
    const auto next = [&](const Tensor<T>& in) {  // one layer, or two in one kernel
      const Layer<T>& layer = *slots_[i++].layer;
      const auto* joined = i < n && layer.joins() ? slots_[i].layer->activation() : nullptr;
      if (!joined) return layer(in);
      ++i;
      return layer.joined(in, *joined);
    };
    Tensor<T> y = next(x);
    while (i < n) y = next(y);
    return y;
  }

  std::vector<Slot> slots_;
};

template <class L, class... Ls> Sequential(L, Ls...) -> Sequential<typename L::value_type>;

}  // namespace gradus::nn
