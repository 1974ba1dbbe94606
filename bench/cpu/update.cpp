// SPDX-License-Identifier: MIT
// An optimizer's step over flat buffers: what it reads and writes, beside a copy of as many bytes.
#include <string>

#include <gradus/core/array.hpp>
#include <gradus/kernels/update.hpp>
#include <gradus/optim/optim.hpp>

#include "bench/support/row.hpp"

namespace {

using namespace gradus;

template <class Rule> void add(int arrays) {
  for (const Index n : {1 << 12, 1 << 16, 1 << 24})
    bench::add(std::string("float/") + Rule::name + "/" + std::to_string(n), [=](benchmark::State& state) {
      optim::Powers powers;
      const auto numbers = Rule{}.template numbers<float>(1, powers);
      float h[cpu::most_numbers] = {};
      for (std::size_t k = 0; k < numbers.size(); ++k) h[k] = static_cast<float>(numbers[k]);
      Array<float> w = full<float>({n}, 1), g = full<float>({n}, 1e-6f), m = g.copy(), v = g.copy();
      float* const moments[cpu::most_states] = {m.mutable_data(), v.mutable_data()};
      bench::measure<float>(state, {.bytes = 4.0 * arrays * double(n), .elements = double(n)}, [&] {
        kernels::update(kernels::update_rule<Rule, std::tuple_size_v<decltype(numbers)>, float>, Device(),
                        w.mutable_data(), g.data(), moments, h, n);
      });
    });
}

const bool registered = [] {
  add<optim::Sgd>(3);
  add<optim::Adam>(7);
  return true;
}();

}  // namespace
