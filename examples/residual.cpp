// A module of one's own: two inputs and a skip connection, trained by the same fit.
//
// It learns to turn a point by an angle: (x, y), φ → (x cos φ − y sin φ, x sin φ + y cos φ). The point goes
// straight to the output, and the layers beside it learn only what is to be added:
//
//   point ──┬────────────────────────────────────────┐
//           ├─ Dense ─┐                              ├─ + ── turned point
//   angle ──┴─ Dense ─┴─ + ── tanh ── Dense ── tanh ── Dense
//
// Exits with 1 where the model is off by more than 0.03 on average.
#include <cmath>
#include <cstdio>
#include <numbers>

#include <gradus/gradus.hpp>

using namespace gradus;

namespace {

struct Turn : nn::Module<float> {
  nn::Dense<float> from_point{2, 48}, from_angle{1, 48}, hidden{48, 48}, out{48, 2};

  Tensor<float> forward(std::span<const Tensor<float>> x) const override {
    const Tensor<float>&point = x[0], &angle = x[1];
    const auto h = tanh(hidden(tanh(from_point(point) + from_angle(angle))));
    return point + out(h);  // the skip connection
  }
  void members(nn::Members<float>& m) override {  // the names under which parameters are found and saved
    m("from_point", from_point);
    m("from_angle", from_angle);
    m("hidden", hidden);
    m("out", out);
  }
  std::string describe() const override { return "Turn"; }
};

/// n points of the square from −1 to 1, each with an angle from −π/2 to π/2; the target is the turned point.
data::Dataset<float> turned_points(Index n, std::uint64_t seed) {
  Array<float> point(Shape{n, 2}), angle(Shape{n, 1}), target(Shape{n, 2});
  const random::Stream draws(seed, "turned_points");
  for (Index i = 0; i < n; ++i) {
    const float x = draws.uniform(3 * i, -1.f, 1.f), y = draws.uniform(3 * i + 1, -1.f, 1.f);
    const float phi = draws.uniform(3 * i + 2, -0.5f, 0.5f) * std::numbers::pi_v<float>;
    point.ref(i, 0) = x, point.ref(i, 1) = y, angle.ref(i, 0) = phi;
    target.ref(i, 0) = x * std::cos(phi) - y * std::sin(phi);
    target.ref(i, 1) = x * std::sin(phi) + y * std::cos(phi);
  }
  return {{point, angle}, target};
}

}  // namespace

int main() {
  const auto train = turned_points(2000, 1), test = turned_points(500, 2);
  Turn model;
  std::printf("%s\n", nn::summary(model).c_str());

  constexpr int epochs = 60;
  fit(model, train,
      {.loss = "mse",
       .optimizer = optim::Adam{.learning_rate = 5e-3},
       .schedule = optim::schedule::cosine(epochs * ((train.size() + 31) / 32)),
       .epochs = epochs,
       .validation = test,
       .metrics = {"mae"}});

  const Array<float> says = predict<float>(model, test.inputs);
  std::printf("\n       point      turned by      is at            the model says\n");
  for (Index i = 0; i < 6; ++i)
    std::printf("  (%5.2f, %5.2f)   %6.1f°   (%6.3f, %6.3f)   (%6.3f, %6.3f)\n", double(test.inputs[0](i, 0)),
                double(test.inputs[0](i, 1)), double(test.inputs[1](i, 0)) * 180 / std::numbers::pi,
                double(test.targets(i, 0)), double(test.targets(i, 1)), double(says(i, 0)),
                double(says(i, 1)));
  const double off = evaluate(model, test, {.loss = "mae"})["loss"][0];
  std::printf("\noff by %.4f on average, on points that it has not seen\n", off);
  return off < 0.03 ? 0 : 1;
}
