// SPDX-License-Identifier: MIT
// Recorded steps compute a layer's dW beside what comes after. The emulator reports two kernels that meet in memory with
// no order between them; on a GPU the bits must be those of steps that are not recorded.
#include <gradus/cuda.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numbers.hpp"

using namespace gradus;
using namespace gradus::test;
using kernels::Op;

namespace {

Array<float> normal(const Shape& shape, std::uint64_t seed) {
  return numbers(shape, -1, 1, seed).to<float>();
}

/// A layer whose weights are computed, in the step, from two thin matrices, and a weight that is used twice.
struct Computed final : nn::Module<float> {
  Parameter<float> a{normal({64, 4}, 1)}, b{normal({4, 64}, 2)}, bias{normal({64}, 3)};
  nn::Dense<float> first{64, 64}, last{64, 4};

  Tensor<float> forward(std::span<const Tensor<float>> x) const override {
    const auto h = first(first(x[0]));
    const auto w = matmul(a + 0.01f * mean(h), b);
    return last(linear(h, w, bias, &ops::joined<ops::Relu, float>) + matmul(h, first.weight));
  }
  void members(nn::Members<float>& m) override {
    m("a", a), m("b", b), m("bias", bias), m("first", first), m("last", last);
  }
};

}  // namespace

TEST_CASE("weights that are computed, and weights that are used twice, learn the same in recorded steps") {
  const Device gpu = devices().back();
  const auto data = data::blobs(256, {.features = 64, .centers = 4, .seed = 2});
  for (const Precision precision : {Precision::strict, Precision::bf16}) {
    std::vector<Array<float>> learnt[2];
    for (const bool eagerly : {false, true}) {
      Computed model;
      FitOptions<float> o;
      o.loss = "softmax_cross_entropy", o.epochs = 3, o.device = gpu.name(), o.verbose = Verbose::silent;
      o.clip = {.global_norm = 1}, o.run_eagerly = eagerly, o.precision = precision;
      CHECK(fit(model, data, o).device.find("cannot be recorded") == std::string::npos);
      for (const auto& p : model.named_parameters()) learnt[eagerly].push_back(p.value().copy());
    }
    for (std::size_t i = 0; i < learnt[0].size(); ++i) CHECK(same_bits(learnt[0][i], learnt[1][i]));
  }
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("products that share memory with a layer's come after it") {
  const Device gpu = devices().back();
  Parameter<float> dw(Array<float>(Shape{64, 64})), db(Array<float>(Shape{64}));
  dw.to(gpu), db.to(gpu);
  const auto h = normal({64, 64}, 1).to(gpu), w = normal({64, 64}, 2).to(gpu);
  auto dz = normal({64, 64}, 3).to(gpu), other = dz.copy();
  const auto gradient = [&](Parameter<float>& p) {
    p.leaf().gradient.written = false;
    return Sink<float>{nullptr, p.shape(), gpu, &p.leaf().gradient};
  };
  const auto step = [&] {
    const Sink<float> c = gradient(dw), s = gradient(db);
    kernels::gemm_sums(c, s, dz.view(), h.view(), {64, 64, 64});
    const View<float> written{static_cast<const float*>(dw.leaf().gradient.data), dw.shape(), gpu};
    kernels::gemm(Sink<float>{other.mutable_data(), other.shape(), gpu}, written, Op::none, w.view(),
                  Op::none, {64, 64, 64});
    kernels::gemm_sums(c, s, dz.view(), h.view(), {64, 64, 64});
    kernels::gemm(Sink<float>{dz.mutable_data(), dz.shape(), gpu}, h.view(), Op::none, w.view(), Op::none,
                  {64, 64, 64});
  };
  const auto results = [&] {
    return std::vector{dw.gradient().to("cpu"), db.gradient().to("cpu"), dz.to("cpu"), other.to("cpu")};
  };
  const auto before = dz.copy();
  step();
  const auto expected = results();
  dz = before.copy();
  Repeating& repeating = *gpu.backend().repeating();
  repeating.record();
  step();
  void* const program = repeating.finish();
  repeating.run(program);
  const auto found = results();
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(same_bits(found[i], expected[i]));
  repeating.forget(program);
  for (const auto& finding : device_findings()) FAIL_CHECK(finding);
}
