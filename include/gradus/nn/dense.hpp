// SPDX-License-Identifier: MIT
// y = x·Wᵀ + b, W [out, in] as PyTorch stores it, b [out].
#pragma once

#include <gradus/nn/module.hpp>
#include <gradus/ops/linear.hpp>

namespace gradus::nn {

struct DenseOptions {
  bool bias = true;
  Initializer weight_init = init::glorot_uniform;
  Initializer bias_init = init::zeros;
};

template <class T = float> class Dense final : public Layer<T> {
 public:
  Parameter<T> weight, bias;

  /// Throws ValueError for a size below 1.
  Dense(Index in, Index out, const DenseOptions& options = {}) : in_(in), out_(out), options_(options) {
    detail::require<ValueError>(in > 0 && out > 0, "Dense(", in, ", ", out, "): sizes must be at least 1");
    draw(0, "");
  }

  Tensor<T> operator()(const Tensor<T>& x) const override { return run(x, nullptr); }
  bool joins() const override { return true; }
  Tensor<T> joined(const Tensor<T>& x, const kernels::Activation<T>& a) const override { return run(x, &a); }

  void members(Members<T>& m) override {
    m("weight", weight);
    if (options_.bias) m("bias", bias);
  }
  void draw(std::uint64_t seed, const std::string& path) override {
    set(weight, options_.weight_init, {out_, in_}, random::Stream(seed, detail::message(path, "weight")));
    if (options_.bias)
      set(bias, options_.bias_init, {out_}, random::Stream(seed, detail::message(path, "bias")));
  }
  std::string describe() const override {
    return detail::message("Dense(", in_, ", ", out_, options_.bias ? ")" : ", no bias)");
  }

 private:
  Tensor<T> run(const Tensor<T>& x, const kernels::Activation<T>* a) const {
    if (x.shape().rank() < 1 || x.shape().columns() != in_) [[unlikely]]
      detail::fail<ShapeError>(describe(), ": x is ", x.shape(), "; its last axis must be ", in_);
    return options_.bias ? linear(x, weight, bias, a) : linear(x, weight, a);
  }
  static void set(Parameter<T>& p, const Initializer& rule, const Shape& shape,
                  const random::Stream& stream) {
    const Array<T> value = nn::draw<T>(rule, shape, stream);
    if (p.shape() == shape)
      p.set_value(value);
    else
      p = Parameter<T>(value);
    p.leaf().untouched = true;
  }

  Index in_, out_;
  DenseOptions options_;
};

Dense(Index, Index)->Dense<float>;
Dense(Index, Index, DenseOptions)->Dense<float>;

}  // namespace gradus::nn
