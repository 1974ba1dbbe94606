// SPDX-License-Identifier: MIT
// The activations as layers: Sigmoid Relu Tanh LeakyRelu Elu Gelu Silu Softplus Softmax LogSoftmax.
#pragma once

#include <gradus/nn/module.hpp>
#include <gradus/ops/exponential.hpp>
#include <gradus/ops/linear.hpp>
#include <gradus/ops/softmax.hpp>

namespace gradus::nn {

/// Those that keep y: a Dense before one computes it in its own kernel.
template <class T = float> struct Sigmoid final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return sigmoid(x); }
  const kernels::Activation<T>* activation() const override { return &ops::joined<ops::Sigmoid, T>; }
  Head head() const override { return Head::sigmoid; }
  Tensor<T> logits(std::span<const Tensor<T>> x) const override { return this->only(x); }
  std::string describe() const override { return "Sigmoid"; }
};
template <class T = float> struct Relu final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return relu(x); }
  const kernels::Activation<T>* activation() const override { return &ops::joined<ops::Relu, T>; }
  std::string describe() const override { return "Relu"; }
};
template <class T = float> struct Tanh final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return tanh(x); }
  const kernels::Activation<T>* activation() const override { return &ops::joined<ops::Tanh, T>; }
  std::string describe() const override { return "Tanh"; }
};

template <class T = float> struct LeakyRelu final : Layer<T> {
  double slope;
  explicit LeakyRelu(double s = 0.01) : slope(s) {}
  Tensor<T> operator()(const Tensor<T>& x) const override { return leaky_relu(x, slope); }
  std::string describe() const override { return detail::message("LeakyRelu(", slope, ")"); }
};
template <class T = float> struct Elu final : Layer<T> {
  double alpha;
  explicit Elu(double a = 1) : alpha(a) {}
  Tensor<T> operator()(const Tensor<T>& x) const override { return elu(x, alpha); }
  std::string describe() const override { return detail::message("Elu(", alpha, ")"); }
};
template <class T = float> struct Gelu final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return gelu(x); }
  std::string describe() const override { return "Gelu"; }
};
template <class T = float> struct Silu final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return silu(x); }
  std::string describe() const override { return "Silu"; }
};
template <class T = float> struct Softplus final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return softplus(x); }
  std::string describe() const override { return "Softplus"; }
};
/// Along the last axis.
template <class T = float> struct Softmax final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return softmax(x); }
  Head head() const override { return Head::softmax; }
  Tensor<T> logits(std::span<const Tensor<T>> x) const override { return this->only(x); }
  std::string describe() const override { return "Softmax"; }
};
template <class T = float> struct LogSoftmax final : Layer<T> {
  Tensor<T> operator()(const Tensor<T>& x) const override { return log_softmax(x); }
  std::string describe() const override { return "LogSoftmax"; }
};

}  // namespace gradus::nn
