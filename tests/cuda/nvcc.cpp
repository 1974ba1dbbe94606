// SPDX-License-Identifier: MIT
// nvcc takes the kernels that are written by hand, and a formula in the frame that all share.
#include <cstdlib>
#include <string>
#include <vector>

#include <gradus/core/math.hpp>
#include <gradus/cuda/gather.hpp>
#include <gradus/cuda/gemm.hpp>
#include <gradus/cuda/random.hpp>
#include <gradus/cuda/softmax.hpp>

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

#ifndef GRADUS_TEST_NVCC
#define GRADUS_TEST_NVCC ""
#endif

using namespace gradus;
using namespace gradus::cuda;

namespace {

struct Logistic {
  template <class X> static X value(X x) { return 1 / (1 + math::exp(-x)); }
};
constexpr Write logistic = &symbolic::Written<Logistic, std::index_sequence<0>, std::index_sequence<>>::write;

std::vector<std::string> texts() {
  using detail::message;
  const std::string head = message(text::common, "#define BLOCKS 4\ntypedef float T;\n"),
                    lanes =
                        message(head, "typedef gradus_bf16 Given;\n#define LANES 256\n#define LARGEST 1\n",
                                text::lanes);
  const Shape shape{7, 9};
  const Operand x(nullptr, shape, Dtype::f32);
  const Signature f{logistic, Dtype::f32, Dtype::f32, &x, 1, shape.size()};
  kernels::Multiplication product{};
  product.bias = &x, product.activation = logistic;
  return {
      message(head, text::fill, text::shorten, text::strided, text::dropout, text::complain, text::gather),
      message(lanes, text::sum, text::extreme),
      message(lanes, text::last_block, text::softmax, text::complain, text::softmax_cross_entropy),
      message(text::common, gemm_text(Dtype::f32, Dtype::bf16, product, 64, true)),
      message(text::common, f.text(), flat_text(f))};
}

}  // namespace

TEST_CASE("nvcc compiles the kernels by hand") {
  const std::string nvcc = GRADUS_TEST_NVCC;
  if (nvcc.empty() || nvcc.find("NOTFOUND") != std::string::npos) {
    WARN("nvcc is not installed");
    return;
  }
  const gradus_test::TemporaryFolder folder;
  std::string command = "cd " + folder.path() + " && " + nvcc + " -std=c++17 -arch=sm_80 --fmad=false -c";
  for (const std::string& text : texts()) {
    const std::string name = "text" + std::to_string(folder.files()) + ".cu";
    folder.write(name, text);
    command += " " + name;
  }
  const bool compiles = std::system((command + " >log 2>&1").c_str()) == 0;
  INFO(command);
  INFO(folder.read("log"));
  CHECK(compiles);
}
