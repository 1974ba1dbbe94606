// expect: an op keeps Views: its record is never visited
// SPDX-License-Identifier: MIT
// The tape forgets its records without a visit: no destructor of an op would run.
#include <gradus/gradus.hpp>

using namespace gradus;

struct Owner {
  static constexpr const char* name = "owner";
  Array<float> kept;
  Shape shape() const { return kept.shape(); }
  void forward(const Sink<float>&, Step&) {}
  void backward(View<float>, Step&, Sink<float>) const {}
};

int main() {
  const Tensor<float> x = Array<float>{1, 2};
  return int(apply([](const View<float>& v) { return Owner{Array<float>::over(v)}; }, x).size());
}
