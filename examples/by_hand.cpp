// Forward, backward and update by hand, formula by formula, and beside each the tape's answer.
// Exits with 1 unless both agree to 1e-12, in every number of every step.
//
//   the neuron       z = Wx + b                a = σ(z) = 1 / (1 + e⁻ᶻ)
//   the loss         L = −[y log a + (1 − y) log(1 − a)]
//   the gradients    ∂L/∂z = a − y             ∂L/∂W = (a − y) xᵀ             ∂L/∂b = a − y
//   the update       W ← W − η ∂L/∂W           b ← b − η ∂L/∂b
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>

#include <gradus/gradus.hpp>

using namespace gradus;

namespace {

double largest_difference = 0;

/// Puts numbers that were found by hand beside the tape's.
void compare(std::span<const double> hand, const Array<double>& tape) {
  const auto other = tape.values();
  if (hand.size() != other.size()) largest_difference = INFINITY;
  for (std::size_t i = 0; i < std::min(hand.size(), other.size()); ++i) {
    const double d = std::abs(hand[i] - other[i]);
    largest_difference = d <= largest_difference ? largest_difference : std::isnan(d) ? INFINITY : d;
  }
}
void compare(double hand, double tape) { compare({&hand, 1}, {tape}); }

double sigma(double z) { return 1 / (1 + std::exp(-z)); }
double log_loss(double a, double y) { return -(y * std::log(a) + (1 - y) * std::log(1 - a)); }

constexpr double points[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

/// One neuron learns "and". It sees one point a step.
void one_neuron() {
  constexpr double eta = 0.5;  // η, the learning rate
  double W[2] = {0.5, -0.3}, b = 0.1;

  Parameter<double> tape_W(Array<double>{{0.5, -0.3}}), tape_b(Array<double>{0.1});
  optim::Optimizer<double> descent({&tape_W, &tape_b}, optim::Sgd{.learning_rate = eta});

  std::printf("One neuron learns y = x0 and x1\n\n");
  std::printf(
      " step    x0 x1  y       z = Wx+b      a = σ(z)             L   ∂L/∂z = a-y           W                "
      "  b\n");
  for (int step = 0; step < 400; ++step) {
    const double* x = points[step % 4];
    const double y = x[0] * x[1];

    // forward                                        z = Wx + b,  a = σ(z),  L = −[y log a + (1−y) log(1−a)]
    const double z = W[0] * x[0] + W[1] * x[1] + b;
    const double a = sigma(z);
    const double L = log_loss(a, y);

    // backward                                       ∂L/∂z = a − y,  ∂L/∂W = (a − y) xᵀ,  ∂L/∂b = a − y
    const double dz = a - y;
    const double dW[2] = {dz * x[0], dz * x[1]};
    const double db = dz;

    // update                                         W ← W − η ∂L/∂W,  b ← b − η ∂L/∂b
    for (int i = 0; i < 2; ++i) W[i] -= eta * dW[i];
    b -= eta * db;

    // the same three by the tape, on a batch of one row
    Tape tape;
    const auto tape_z = linear(tape.input(Array<double>{{x[0], x[1]}}), tape_W, tape_b);
    const auto tape_a = sigmoid(tape_z);
    const auto tape_L = binary_cross_entropy(tape_z, Array<double>{{y}});
    compare(z, tape_z.item()), compare(a, tape_a.item()), compare(L, tape_L.item());
    tape.backward(tape_L);
    compare(dW, tape_W.gradient()), compare({&db, 1}, tape_b.gradient());
    descent.step();
    compare(W, tape_W.value()), compare({&b, 1}, tape_b.value());

    if (step < 8 || step >= 396)
      std::printf("%5d    %2.0f %2.0f %2.0f  %13.9f %13.9f %13.9f %13.9f   [%8.5f %8.5f]  %8.5f\n", step + 1,
                  x[0], x[1], y, z, a, L, dz, W[0], W[1], b);
    if (step == 8) std::printf("  ...\n");
  }
}

/// Two layers learn "exclusive or", which no single neuron can.
///
///   forward     z₁ = W₁x + b₁     h = ReLU(z₁) = max(0, z₁)     z₂ = W₂h + b₂     a = σ(z₂)
///   backward    ∂L/∂z₂ = a − y    ∂L/∂W₂ = (a − y) hᵀ           ∂L/∂b₂ = a − y
///               ∂L/∂h = W₂ᵀ (a − y)
///               ∂L/∂z₁ = ∂L/∂h · ReLU′(z₁),  ReLU′(z) = 1 where z > 0, else 0
///               ∂L/∂W₁ = ∂L/∂z₁ xᵀ              ∂L/∂b₁ = ∂L/∂z₁
void two_layers() {
  constexpr int H = 4;  // hidden neurons
  constexpr double eta = 0.1;

  nn::Sequential<double> model{nn::Dense<double>{2, H}, nn::Relu<double>{}, nn::Dense<double>{H, 1},
                               nn::Sigmoid<double>{}};
  model.initialize(3);
  optim::Optimizer<double> descent(model, optim::Sgd{.learning_rate = eta});
  const auto parameters = model.named_parameters();  // 0.weight, 0.bias, 2.weight, 2.bias

  double W1[H][2], b1[H] = {}, W2[H], b2 = 0;  // both begin at the same numbers; biases begin at 0
  for (int i = 0; i < H; ++i) {
    for (int j = 0; j < 2; ++j) W1[i][j] = parameters[0].value()(i, j);
    W2[i] = parameters[2].value()(0, i);
  }

  std::printf("\nTwo layers, 2-%d-1 with ReLU, learn y = x0 xor x1\n\n", H);
  std::printf("  round     a(0,0)     a(0,1)     a(1,0)     a(1,1)     mean L   largest difference so far\n");
  double answers[4], mean_L = 0;
  for (int step = 0; step < 2400; ++step) {
    const double* x = points[step % 4];
    const double y = x[0] != x[1] ? 1 : 0;

    // forward
    double z1[H], h[H], z2 = b2;
    for (int i = 0; i < H; ++i) {
      z1[i] = W1[i][0] * x[0] + W1[i][1] * x[1] + b1[i];
      h[i] = std::max(0.0, z1[i]);
      z2 += W2[i] * h[i];
    }
    const double a = sigma(z2), L = log_loss(a, y);

    // backward, from the loss to the first layer
    const double dz2 = a - y;
    double dW2[H], dW1[H][2], db1[H];
    for (int i = 0; i < H; ++i) {
      dW2[i] = dz2 * h[i];
      const double dh = W2[i] * dz2;
      const double dz1 = z1[i] > 0 ? dh : 0;
      for (int j = 0; j < 2; ++j) dW1[i][j] = dz1 * x[j];
      db1[i] = dz1;
    }
    const double db2 = dz2;

    // update
    for (int i = 0; i < H; ++i) {
      for (int j = 0; j < 2; ++j) W1[i][j] -= eta * dW1[i][j];
      b1[i] -= eta * db1[i];
      W2[i] -= eta * dW2[i];
    }
    b2 -= eta * db2;

    // the tape
    Tape tape;
    const auto tape_a = model(tape.input(Array<double>{{x[0], x[1]}}));
    const auto tape_L = binary_cross_entropy_of_probabilities(tape_a, Array<double>{{y}});
    compare(a, tape_a.item()), compare(L, tape_L.item());
    tape.backward(tape_L);
    const auto gradient = [&](int i) { return parameters[std::size_t(i)].parameter->gradient(); };
    compare({dW1[0], 2 * H}, gradient(0)), compare(db1, gradient(1));
    compare(dW2, gradient(2)), compare({&db2, 1}, gradient(3));
    descent.step();
    const auto value = [&](int i) { return parameters[std::size_t(i)].value(); };
    compare({W1[0], 2 * H}, value(0)), compare(b1, value(1));
    compare(W2, value(2)), compare({&b2, 1}, value(3));

    answers[step % 4] = a, mean_L = step % 4 == 0 ? L / 4 : mean_L + L / 4;
    const int round = step / 4 + 1;
    if (step % 4 == 3 && (round <= 3 || round % 100 == 0))
      std::printf("%7d %10.6f %10.6f %10.6f %10.6f %10.6f   %.1e\n", round, answers[0], answers[1],
                  answers[2], answers[3], mean_L, largest_difference);
  }
}

}  // namespace

int main() {
  one_neuron();
  two_layers();
  const bool agree = largest_difference <= 1e-12;
  std::printf("\nBy hand and by tape: the largest difference is %.1e, %s 1e-12.\n", largest_difference,
              agree ? "within" : "MORE THAN");
  return agree ? 0 : 1;
}
