// SPDX-License-Identifier: MIT
// One line says everything about an op:
//
//   expect_op([](auto x) { return sigmoid(x); }, [](Real x) { return 1 / (1 + std::exp(-x)); }, grid({-20, 0,
//   1}));
//
// checks, in double: values against the reference, which never calls the library; gradients against central
// differences and their Richardson extrapolation; second derivatives along a direction against differences of
// gradients; on every device that runs here; one tensor given twice;
// gradients that nobody wants; that a taped value is the untaped one bit for bit, that two runs are, that
// inputs stay as they were; and float against double. The sizes 0, 1 and odd come from grid and from the
// cases that a test gives.
#pragma once

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/core/dual.hpp>
#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/reduce.hpp>
#include <gradus/tape/tape.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

namespace gradus::test {

/// How far an op may be from its reference.
struct Bounds {
  double relative =
      64;  ///< units of 2⁻⁵²; each function of the vocabulary is right to 2, and a formula has a few
  double absolute = 0;     ///< for values near 0 that come of cancellation, in the same units
  bool in_float = true;    ///< false: the op is not for float
  bool on_devices = true;  ///< false: its kernels are the test's own, for the CPU
};

template <class T> using Operands = std::vector<Tensor<T>>;
template <class T> using Function = std::function<Tensor<T>(const Operands<T>&)>;
using Reference = std::function<Array<double>(const std::vector<Array<double>>&)>;

/// An op under test, its types forgotten: all checks below are compiled once a file.
class Subject {
 public:
  Subject(Function<double> f, Function<float> single, Function<Dual<double>> dual, Reference r, Bounds b)
      : f_(std::move(f)),
        single_(std::move(single)),
        dual_(std::move(dual)),
        reference_(std::move(r)),
        bounds_(b) {}

  /// What is wrong, a sentence each; nothing: all is well.
  std::vector<std::string> failures(const Samples& samples) {
    for (const auto& x : samples) {
      where_ = "operands";
      for (const auto& a : x) where_ += " " + a.shape().str();
      check_values(x);
      check_float(x);
      for (const Device device : devices()) {
        check_device(f_, x, device, 0x1p-52);
        if (bounds_.in_float) check_device(single_, narrowed(x), device, 0x1p-23);
      }
      check_gradients(x);
      check_second(x);
      check_unwanted(x);
      check_twice(x);
    }
    return failures_;
  }

 private:
  using Arrays = std::vector<Array<double>>;

  template <class T> struct Result {
    Array<T> y;
    std::vector<Array<T>> d;  // the gradient of Σ weight · y for each operand, empty where it is not wanted
  };
  enum class As { variable, input, array, frozen };

  void fail(const std::string& what) { failures_.push_back(what + " (" + where_ + ")"); }
  void require(bool holds, const std::string& what) {
    if (!holds) fail(what);
  }
  template <class T> void same(const Array<T>& a, const Array<T>& b, const std::string& what) {
    require(same_bits(a, b), what);
  }
  /// |a − b| ≤ bound(b) everywhere; NaN is near NaN, and an infinity near itself.
  template <class T, class Bound>
  void near(const Array<T>& a, const Array<double>& b, const Bound& bound, const std::string& what) {
    if (a.shape() != b.shape())
      return fail(what + " has shape " + a.shape().str() + ", not " + b.shape().str());
    for (Index i = 0; i < a.size(); ++i) {
      const double x = static_cast<double>(a.data()[i]), y = b.data()[i];
      const bool within = std::isfinite(y) && std::abs(x - y) <= bound(i);  // the bound of an infinity is one
      if (within || x == y || (x != x && y != y)) continue;
      return fail(what + " is " + detail::message(x) + " at " + std::to_string(i) + ", not " +
                  detail::message(y));
    }
  }

  /// Forward and backward of Σ weight · y, each operand as `how` says (all variables where it is empty).
  template <class T>
  Result<T> run(const Function<T>& f, const std::vector<Array<T>>& x, std::vector<As> how = {}) {
    how.resize(x.size(), As::variable);
    std::vector<Parameter<T>> frozen;
    frozen.reserve(x.size());
    Tape tape(false);
    Operands<T> v;
    for (std::size_t k = 0; k < x.size(); ++k) {
      frozen.emplace_back(x[k]).freeze();
      v.push_back(how[k] == As::variable ? tape.variable(x[k])
                  : how[k] == As::input  ? tape.input(x[k])
                  : how[k] == As::array  ? Tensor<T>(x[k])
                                         : Tensor<T>(frozen[k]));
    }
    const Tensor<T> y = f(v);
    Result<T> result{y.array(), std::vector<Array<T>>(x.size())};
    if (!y.wants_gradient()) return result;
    tape.backward(sum(y * weights<T>(y.shape(), y.device())));
    for (std::size_t k = 0; k < x.size(); ++k)
      if (how[k] == As::variable && v[k].gradient()->written) result.d[k] = tape.gradient(v[k]);
    return result;
  }
  template <class T> static Array<T> untaped(const Function<T>& f, const std::vector<Array<T>>& x) {
    return f(Operands<T>(x.begin(), x.end())).array();
  }

  void check_values(const Arrays& x) {
    Arrays before;
    for (const auto& a : x) before.push_back(a.copy());
    const Array<double> y = untaped(f_, x), expected = reference_(x);
    const auto bound = [&](Index i) {
      return (bounds_.relative * std::abs(expected.data()[i]) + bounds_.absolute) * 0x1p-52;
    };
    near(y, expected, bound, "the value");
    const Result<double> taped = run(f_, x), again = run(f_, x);
    same(taped.y, y, "the value on a tape is another one");
    same(again.y, taped.y, "a second run gives another value");
    for (std::size_t k = 0; k < x.size(); ++k) {
      same(again.d[k], taped.d[k], "a second run gives another gradient of operand " + std::to_string(k));
      same(x[k], before[k], "operand " + std::to_string(k) + " was written to");
    }
  }

  /// The samples are floats, so only arithmetic differs: the bounds above in units of 2⁻²³, and for
  /// gradients, which have no reference of their own, against double's, 16 times wider: they are products of
  /// such values.
  void check_float(const Arrays& x) {
    if (!bounds_.in_float) return;
    const std::vector<Array<float>> single = narrowed(x);
    const Result<double> wide = run(f_, x);
    const Result<float> narrow = run(single_, single);
    same(untaped(single_, single), narrow.y, "the float value on a tape is another one");
    near(
        narrow.y, wide.y,
        [&](Index i) { return (bounds_.relative * std::abs(wide.y.data()[i]) + bounds_.absolute) * 0x1p-23; },
        "the float value");
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double scale = largest(wide.d[k]) + 1;
      near(
          narrow.d[k], wide.d[k], [&](Index) { return 16 * 64 * 0x1p-23 * scale; }, "the float gradient");
    }
  }

  static std::vector<Array<float>> narrowed(const Arrays& x) {
    std::vector<Array<float>> single;
    for (const auto& a : x) single.push_back(a.to<float>());
    return single;
  }

  /// Another device has other functions and may add in another order: each value within bounds_ of the CPU's, in units
  /// of epsilon (64 of them are 4 γ₃₂: 32 roundings, four times over); gradients, which are sums, within the same of the
  /// largest one. It adds the same way each time.
  template <class T>
  void check_device(const Function<T>& f, const std::vector<Array<T>>& x, Device device, double epsilon) {
    if (device.is_cpu() || !bounds_.on_devices) return;
    std::vector<Array<T>> there;
    for (const auto& a : x) there.push_back(a.to(device));
    const Result<T> here = run(f, x), r = run(f, there), again = run(f, there);
    const auto compare = [&](const Array<T>& a, const Array<T>& b, const Array<double>& expected,
                             const auto& scale, const std::string& what) {
      near(
          a.to("cpu"), expected,
          [&](Index i) { return (bounds_.relative * scale(i) + bounds_.absolute) * epsilon; }, what);
      same(a.to("cpu"), b.to("cpu"), what + ", a second time,");
    };
    const auto value = here.y.template to<double>();
    compare(
        r.y, again.y, value, [&](Index i) { return std::abs(value.data()[i]); },
        "the value on " + device.name());
    for (std::size_t k = 0; k < x.size(); ++k) {
      const auto d = here.d[k].template to<double>();
      compare(
          r.d[k], again.d[k], d, [most = largest(d) + 1](Index) { return most; },
          "the gradient on " + device.name());
    }
    for (const auto& found : device_findings()) fail(device.name() + ": " + found);
  }

  /// PyTorch's gradcheck (ε 1e-6, 1e-5 + 1e-3·|d|), and then (4·D(h/2) − D(h)) / 3, whose error is that of
  /// rounding (2⁻⁵² y / h) and far below the difference of the two.
  void check_gradients(const Arrays& x) {
    const Result<double> r = run(f_, x);
    const Array<double> c = weights<double>(r.y.shape(), {});
    const double scale = 1 + largest(r.y);
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (r.d[k].shape() != x[k].shape())
        return fail("the gradient of operand " + std::to_string(k) + " has shape " + r.d[k].shape().str());
      for (Index i = 0; i < x[k].size(); ++i) {
        const auto difference = [&](double h) {
          Arrays up = x, down = x;
          up[k] = x[k].copy(), down[k] = x[k].copy();
          up[k].mutable_data()[i] += h, down[k].mutable_data()[i] -= h;
          const Array<double> a = untaped(f_, up), b = untaped(f_, down);
          double s = 0;
          for (Index j = 0; j < c.size(); ++j) s += c.data()[j] * (a.data()[j] - b.data()[j]);
          return s / (up[k].data()[i] - down[k].data()[i]);
        };
        const double d = r.d[k].data()[i], coarse = difference(1e-6);
        const double d1 = difference(1e-3), d2 = difference(5e-4), fine = (4 * d2 - d1) / 3;
        const std::string name =
            "∂/∂x" + std::to_string(k) + " at " + std::to_string(i) + " is " + detail::message(d);
        require(std::abs(d - coarse) <= 1e-5 + 1e-3 * std::abs(coarse),
                name + ", differences say " + detail::message(coarse));
        require(std::abs(d - fine) <=
                    1e-11 * scale * double(1 + c.size()) + 1e-10 * std::abs(d) + 0.01 * std::abs(d1 - d2),
                name + ", extrapolated differences say " + detail::message(fine));
      }
    }
  }

  /// With operands x + vε the value is y + (∂y/∂x·v)ε and the gradient ∇ + (H·v)ε: the same ∇ and y as with
  /// doubles, the forward derivative what backward says, and H·v the difference of gradients, from either side where
  /// they have a jump.
  void check_second(const Arrays& x) {
    Arrays v;
    std::vector<Array<Dual<double>>> along;
    for (std::size_t k = 0; k < x.size(); ++k) {
      v.push_back(numbers(x[k].shape(), -1, 1, 7 + k));
      along.push_back(x[k].to<Dual<double>>());
      for (Index i = 0; i < x[k].size(); ++i) along[k].mutable_data()[i].tangent = v[k].data()[i];
    }
    const Result<double> here = run(f_, x);
    const Result<Dual<double>> r = run(dual_, along);
    const auto moved = [&](double h) {
      Arrays to;
      for (std::size_t k = 0; k < x.size(); ++k) {
        to.push_back(x[k].copy());
        for (Index i = 0; i < x[k].size(); ++i) to[k].mutable_data()[i] += h * v[k].data()[i];
      }
      return run(f_, to).d;
    };
    constexpr double h = 1e-4;
    const auto up = moved(h), down = moved(-h), up2 = moved(2 * h), down2 = moved(-2 * h);
    double forward = 0, backward = 0, scale = 1;
    const Array<double> c = weights<double>(here.y.shape(), {});
    for (Index j = 0; j < c.size(); ++j) forward += c.data()[j] * r.y.data()[j].tangent;
    for (std::size_t k = 0; k < x.size(); ++k) {
      Array<double> values(r.d[k].shape());
      for (Index i = 0; i < values.size(); ++i) values.mutable_data()[i] = r.d[k].data()[i].value;
      near(
          values, here.d[k], [s = largest(here.d[k]) + 1](Index) { return 64 * 0x1p-52 * s; },
          "with duals the gradient of operand " + std::to_string(k));
      for (Index i = 0; i < x[k].size() && r.d[k].size() > 0; ++i) {
        const double g = here.d[k].data()[i], second = r.d[k].data()[i].tangent;
        const auto at = [&](const std::vector<Array<double>>& d) { return d[k].data()[i]; };
        const double central = (8 * (at(up) - at(down)) - (at(up2) - at(down2))) / (12 * h);
        const double right = (4 * at(up) - 3 * g - at(up2)) / (2 * h),
                     left = -(4 * at(down) - 3 * g - at(down2)) / (2 * h);
        const double size = largest(here.d[k]) + std::abs(second) + 1;
        const auto agrees = [&](double d, double bound) { return std::abs(second - d) <= bound * size; };
        require(agrees(central, 1e-8) || agrees(left, 1e-5) || agrees(right, 1e-5),
                "the second derivative of operand " + std::to_string(k) + " at " + std::to_string(i) +
                    " is " + detail::message(second) + ", differences say " + detail::message(central));
        backward += g * v[k].data()[i], scale += std::abs(g);
      }
    }
    require(std::abs(forward - backward) <= 1e-12 * scale, "the forward derivative is " +
                                                               detail::message(forward) + ", backward says " +
                                                               detail::message(backward));
  }

  /// A gradient that is wanted does not depend on which others are; one that is not is never there.
  void check_unwanted(const Arrays& x) {
    const Result<double> all = run(f_, x);
    for (const As constant : {As::input, As::array, As::frozen})
      for (std::size_t k = 0; k < x.size(); ++k) {
        std::vector<As> how(x.size(), constant);
        how[k] = As::variable;
        const Result<double> r = run(f_, x, how);
        same(r.y, all.y, "constants beside operand " + std::to_string(k) + " change the value");
        same(r.d[k], all.d[k], "constants beside operand " + std::to_string(k) + " change its gradient");
      }
    Tape tape(false);
    Operands<double> v;
    for (const auto& a : x) v.push_back(tape.input(a));
    require(!f_(v).wants_gradient(), "an op of constants asks for a gradient");
  }

  /// f(x) + f(x) has twice the gradient; f(x, x) has both operands'.
  void check_twice(const Arrays& x) {
    const auto bound = [](const Array<double>& d) {  // a sum of the same terms in another order
      return [s = largest(d)](Index) { return 64 * 0x1p-52 * s; };
    };
    const Result<double> once = run(f_, x);
    const Result<double> twice = run<double>([&](const Operands<double>& v) { return f_(v) + f_(v); }, x);
    for (std::size_t k = 0; k < x.size(); ++k) {
      const Array<double> d = combine(once.d[k], once.d[k]);
      near(twice.d[k], d, bound(d), "used twice, the gradient");
    }
    for (std::size_t k = 1; k < x.size(); ++k) {
      if (x[k].shape() != x[0].shape()) continue;
      Arrays equal = x;
      equal[k] = x[0];
      const Result<double> apart = run(f_, equal);
      Arrays rest = x;
      rest.erase(rest.begin() + Index(k));
      const Result<double> same_one = run<double>(
          [&](Operands<double> v) {
            v.insert(v.begin() + Index(k), v[0]);
            return f_(v);
          },
          rest);
      const Array<double> d = combine(apart.d[0], apart.d[k]);
      near(same_one.d[0], d, bound(d), "with one tensor for two operands, the gradient");
    }
  }

  Function<double> f_;
  Function<float> single_;
  Function<Dual<double>> dual_;
  Reference reference_;
  Bounds bounds_;
  std::string where_;
  std::vector<std::string> failures_;
};

template <class T, std::size_t N, class Op> Function<T> function_of(const Op& op) {
  return [op](const Operands<T>& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return Tensor<T>(op(x[I]...)); }
    (std::make_index_sequence<N>());
  };
}

/// The number of operands of a reference over X.
template <class X, class R> constexpr std::size_t arity = std::is_invocable_v<R, X>         ? 1
                                                          : std::is_invocable_v<R, X, X>    ? 2
                                                          : std::is_invocable_v<R, X, X, X> ? 3
                                                                                            : 0;

/// `op`: any callable of tensors of T, any T. `reference`: of Reals, element by element, with NumPy's
/// broadcasting; or of Array<double>s, whole. Returns what is wrong.
template <class Op, class R> std::vector<std::string> op_failures(const Op& op, const R& reference,
                                                                  const Samples& samples,
                                                                  Bounds bounds = {}) {
  constexpr bool whole = arity < Array<double>, R >> 0;
  constexpr std::size_t N = whole ? arity<Array<double>, R> : arity<Real, R>;
  static_assert(N > 0, "a reference takes one to three Reals or Array<double>s");
  const Reference r = [reference](const std::vector<Array<double>>& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (whole)
        return reference(x[I]...);
      else
        return elementwise(x, [&](const Real* e) { return reference(e[I]...); });
    }
    (std::make_index_sequence<N>());
  };
  return Subject(function_of<double, N>(op), function_of<float, N>(op), function_of<Dual<double>, N>(op), r,
                 bounds)
      .failures(samples);
}

template <class Op, class R>
void expect_op(const Op& op, const R& reference, const Samples& samples, Bounds bounds = {},
               int line = __builtin_LINE()) {  // clang 14 has no std::source_location
  std::string text;
  for (const auto& f : op_failures(op, reference, samples, bounds)) text += f + "\n";
  INFO("expect_op in line " << line << ":\n" << text);
  CHECK(text.empty());
}

}  // namespace gradus::test
