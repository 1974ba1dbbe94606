// SPDX-License-Identifier: MIT
// Layers one after the other. A Dense and the activation after it run as one kernel, several such layers in a
// row as one op.
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
    for (Index i = 0; i < o.size(); ++i) slots_.push_back(o.slot(i).clone(o.slot(i)));
  }
  Sequential(Sequential&&) noexcept = default;
  Sequential& operator=(Sequential o) noexcept { return slots_.swap(o.slots_), *this; }

  /// Appends a layer; its parameters, if nobody has set them yet, are drawn under their new names.
  template <class L>
  requires std::is_base_of_v<Layer<T>, L> Sequential& add(L layer) {
    push(std::move(layer));
    this->layer(size() - 1).initialize(0, false, detail::message(size() - 1, "."));
    return *this;
  }
  Index size() const { return Index(slots_.size()); }
  Layer<T>& operator[](Index i) const {
    detail::require<IndexError>(i >= 0 && i < size(), "Sequential: layer ", i, " is outside its ", size(),
                                " layers");
    return layer(i);
  }

  Tensor<T> operator()(const Tensor<T>& x) const override { return run(x, size()); }
  /// One kernel for a whole net is one more door for those who hold a Sequential: model(array).
  template <Operand X>
    requires(!std::is_same_v<X, Tensor<T>>)
  Tensor<T>
  operator()(const X& x) const { return (*this)(as_tensor(x)); }

  Head head() const override { return size() > 0 ? layer(size() - 1).head() : Head::none; }
  Tensor<T> logits(std::span<const Tensor<T>> inputs) const override {
    const Tensor<T>& x = this->only(inputs);
    if (head() == Head::none) return (*this)(x);
    const Tensor<T> last = run(x, size() - 1);
    return layer(size() - 1).logits({&last, 1});
  }
  void members(Members<T>& m) override {
    for (Index i = 0; i < size(); ++i) m(std::to_string(i), layer(i));
  }
  std::string describe() const override { return detail::message("Sequential of ", size()); }

 private:
  struct Slot : detail::Block {  // the block's memory is the slot itself
    Layer<T>* layer;
    detail::Share (*clone)(const Slot&);
  };
  template <class L> struct Held final : Slot {
    L held;
    explicit Held(L l) : Slot{{&release, nullptr}, &held, &clone}, held(std::move(l)) {}
    static void release(detail::Block* b) { delete static_cast<Held*>(b); }
    static detail::Share clone(const Slot& s) {
      return detail::Share(new Held(static_cast<const Held&>(s).held));
    }
  };

  template <class L> void push(L layer) { slots_.push_back(detail::Share(new Held<L>(std::move(layer)))); }
  const Slot& slot(Index i) const { return *static_cast<const Slot*>(slots_[std::size_t(i)].get()); }
  Layer<T>& layer(Index i) const { return *slot(i).layer; }

  Tensor<T> run(const Tensor<T>& x, Index n) const {
    Tensor<T> y = x;
    for (Index i = 0; i < n;) {
      constexpr Index most = ops::Linear<T>::most_layers;
      LinearLayer<T> layers[most] = {};
      Index joined = 0, columns = y.shape().rank() > 0 ? y.shape().columns() : 0;
      for (; i < n && joined < most && layer(i).joins(layers[joined], y.shape(), columns); ++i, ++joined)
        if (!layers[joined].activation && i + 1 < n &&
            (layers[joined].activation = layer(i + 1).activation()))
          ++i;
      y = joined > 0 ? linear(y, layers, joined) : layer(i++)(y);
    }
    return y;
  }

  std::vector<detail::Share> slots_;
};

template <class L, class... Ls> Sequential(L, Ls...) -> Sequential<typename L::value_type>;

}  // namespace gradus::nn
