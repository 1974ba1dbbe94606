// SPDX-License-Identifier: MIT
// What is trained: something with parameters that turns inputs into an output.
//
//   struct TwoInputs : nn::Module<float> {
//     nn::Dense<float> left{2, 8}, right{3, 8}, out{8, 1};
//     Tensor<float> forward(std::span<const Tensor<float>> x) const override { return out(relu(left(x[0]) +
//     right(x[1]))); } void members(nn::Members<float>& m) override { m("left", left); m("right", right);
//     m("out", out); }
//   };
#pragma once

#include <span>
#include <string>

#include <gradus/nn/init.hpp>
#include <gradus/ops/linear.hpp>
#include <gradus/tape/tape.hpp>

namespace gradus::nn {

template <class T> class Module;

/// A parameter under its full name, PyTorch's: "0.weight". Refers to the module that it came from.
template <class T> struct NamedParameter {
  std::string name;
  Parameter<T>* parameter;
  const Array<T>& value() const { return parameter->value(); }
  void set_value(const Array<T>& value) const { parameter->set_value(value); }
};

/// What a module names its members to.
template <class T> class Members {
 public:
  virtual ~Members() = default;
  virtual void operator()(const std::string& name, Parameter<T>& parameter) = 0;
  virtual void operator()(const std::string& name, Module<T>& module) = 0;
};

/// What the last layer computes: a loss that works on logits leaves it out.
enum class Head { none, sigmoid, softmax };

template <class T = float> class Module {
 public:
  using value_type = T;
  virtual ~Module() = default;

  /// Const, and safe to call from many threads: what depends on the step (dropout) is the tape's.
  virtual Tensor<T> forward(std::span<const Tensor<T>> inputs) const = 0;
  /// Names every parameter and every module that this one holds.
  virtual void members(Members<T>&) {}
  /// forward without the last sigmoid or softmax, where head() says that there is one.
  virtual Tensor<T> logits(std::span<const Tensor<T>> inputs) const { return forward(inputs); }
  virtual Head head() const { return Head::none; }
  virtual std::string describe() const { return "Module"; }  ///< a line of the summary: "Dense(2, 16)"
  /// Draws this module's own parameters, not those of its members, from the streams of their names.
  virtual void draw(std::uint64_t /*seed*/, const std::string& /*path*/) {}

  /// f(name, parameter) in the order of members(), depth first.
  template <class F> void each_parameter(const F& f) const {
    struct Each final : Walk {
      const F& f;
      explicit Each(const F& g) : f(g) {}
      void operator()(const std::string& name, Parameter<T>& p) override {
        f(detail::message(this->prefix, name), p);
      }
      void enter(Module<T>& m) override { m.members(*this); }
      using Walk::operator();
    } walk(f);
    const_cast<Module*>(this)->members(walk);  // which only names what it is given
  }
  /// The pointers stay valid as long as the module.
  std::vector<NamedParameter<T>> named_parameters() const {
    std::vector<NamedParameter<T>> found;
    each_parameter([&](const std::string& name, Parameter<T>& p) { found.push_back({name, &p}); });
    return found;
  }
  Index parameter_count() const {
    Index n = 0;
    each_parameter([&](const std::string&, Parameter<T>& p) { n += p.value().size(); });
    return n;
  }
  void freeze(bool frozen = true) {
    each_parameter([&](const std::string&, Parameter<T>& p) { p.freeze(frozen); });
  }

  /// Moves every parameter. What has been moved before an error is moved back.
  void to(Device device) {
    const Device before = exchange_device(device, false);

    try {
      exchange_device(device, true);
    } catch (...) {
      exchange_device(before, true);
      throw;
    }
  }
  /// Of the first parameter; without one, the CPU.
  Device device() const { return const_cast<Module*>(this)->exchange_device({}, false); }

  /// New values for every parameter that has an initialiser, drawn from the Philox stream of (seed, its
  /// name): the same on every machine. `all` = false: only for those that nobody has set or trained since
  /// they were made. `path`: of this module in a larger one, "2." say.
  void initialize(std::uint64_t seed = 0, bool all = true, const std::string& path = {}) {
    struct Draw final : Walk {
      std::uint64_t seed;
      bool all;
      void enter(Module<T>& m) override {
        struct Own final : Members<T> {  // its own parameters, not those of its members
          bool untouched = true, settle = false;
          void operator()(const std::string&, Parameter<T>& p) override {
            untouched = untouched && p.leaf().untouched;
            if (settle) p.leaf().untouched = false;
          }
          void operator()(const std::string&, Module<T>&) override {}
        } own;
        m.members(own);
        if (all || own.untouched) m.draw(seed, this->prefix);
        own.settle = all;  // a seed that was asked for stays: fit() draws only where nobody has
        m.members(own);
        m.members(*this);
      }
      void operator()(const std::string&, Parameter<T>&) override {}
      using Walk::operator();
    } walk;
    walk.seed = seed;
    walk.all = all;
    walk.prefix = path;
    walk.enter(*this);
  }

 private:
  /// The first parameter's device, before `move` takes all of them to another.
  Device exchange_device(Device device, bool move) {
    Device found;
    bool any = false;
    each_parameter([&](const std::string&, Parameter<T>& p) {
      if (!any) found = p.device(), any = true;
      if (move) p.to(device);
    });
    return found;
  }
  /// Goes through members and theirs; `prefix` is the path to where it is: "", "0.", "0.left."
  struct Walk : Members<T> {
    using Members<T>::operator();
    std::string prefix;
    virtual void enter(Module<T>& m) = 0;
    void operator()(const std::string& name, Module<T>& m) override {
      const std::string outer = prefix;
      prefix.append(name).append(".");
      enter(m);
      prefix = outer;
    }
  };
};

/// A module of one input.
template <class T = float> class Layer : public Module<T> {
 public:
  virtual Tensor<T> operator()(const Tensor<T>& x) const = 0;

  Tensor<T> forward(std::span<const Tensor<T>> inputs) const override { return (*this)(only(inputs)); }
  /// The activation that a layer before this one may join to its own kernel, or nullptr.
  virtual const kernels::Activation<T>* activation() const { return nullptr; }
  /// Whether this layer is a product that runs as one op with its neighbours: then it says what of. Its input
  /// is x but for `columns`, which become its output's. Throws ShapeError.
  virtual bool joins(LinearLayer<T>&, const Shape& /*x*/, Index& /*columns*/) const { return false; }

 protected:
  const Tensor<T>& only(std::span<const Tensor<T>> inputs) const {
    if (inputs.size() != 1) [[unlikely]]
      detail::fail<ShapeError>(this->describe(), ": ", inputs.size(), " inputs; it takes one");
    return inputs[0];
  }
};

}  // namespace gradus::nn
