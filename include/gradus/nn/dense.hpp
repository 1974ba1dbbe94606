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

  Tensor<T> operator()(const Tensor<T>& x) const override {
    LinearLayer<T> self;
    Index columns = x.shape().rank() > 0 ? x.shape().columns() : 0;
    joins(self, x.shape(), columns);
    return linear(x, &self, 1);
  }
  bool joins(LinearLayer<T>& to, const Shape& x, Index& columns) const override {
    if (columns != in_) [[unlikely]]
      detail::fail<ShapeError>(describe(), ": x is ", x.rank() > 0 ? x.with(x.rank() - 1, columns) : x,
                               "; its last axis must be ", in_);
    columns = out_;
    to = {&weight, options_.bias ? &bias : nullptr, nullptr};
    return true;
  }

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
