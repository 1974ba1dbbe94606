// SPDX-License-Identifier: MIT
#include "tests/optim/rules.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
namespace schedule = optim::schedule;

TEST_CASE("constant, step and exponential") {
  CHECK(schedule::constant()(12345) == 1);
  const auto stair = schedule::step(10, 0.5);
  CHECK(stair(0) == 1);
  CHECK(stair(9) == 1);
  CHECK(stair(10) == 0.5);
  CHECK(stair(35) == 0.125);
  const auto decay = schedule::exponential(0.9);
  CHECK(decay(0) == 1);
  CHECK(decay(3) == Approx(0.729).epsilon(1e-15));
  CHECK(schedule::exponential(0.25, 10)(5) == Approx(0.5).epsilon(1e-15));
}

TEST_CASE("cosine falls from 1 to its floor and stays there") {
  const auto c = schedule::cosine(100, 0.2);
  CHECK(c(0) == 1);
  CHECK(c(50) == Approx(0.6).epsilon(1e-15));
  CHECK(c(25) == Approx(0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2).epsilon(1e-15));
  CHECK(c(100) == Approx(0.2).epsilon(1e-15));
  CHECK(c(100000) == c(100));
}

// torch.optim.lr_scheduler.CosineAnnealingLR, PyTorch 2.15: tests/optim/replay.cpp has a run
TEST_CASE("cosine and back again") {
  const auto c = schedule::cosine(100, 0.2, true);
  CHECK(c(50) == Approx(0.6).epsilon(1e-15));
  CHECK(c(100) == Approx(0.2).epsilon(1e-15));
  CHECK(c(150) == Approx(0.6).epsilon(1e-15));
  CHECK(c(200) == Approx(1).epsilon(1e-15));
  CHECK(c(330) == Approx(c(70)).epsilon(1e-13));
}

TEST_CASE("warm-up rises to 1 and then hands over") {
  const auto w = schedule::warm_up(4, schedule::step(10, 0.5));
  CHECK(w(0) == 0.25);
  CHECK(w(3) == 1);
  CHECK(w(4) == 1);
  CHECK(w(13) == 1);
  CHECK(w(14) == 0.5);
  CHECK(schedule::warm_up(2)(1000) == 1);
}

// torch.optim.lr_scheduler.OneCycleLR(SGD(lr=0.01), max_lr=0.1, total_steps=100), PyTorch 2.15: the learning
// rate of some steps
TEST_CASE("one cycle is PyTorch's") {
  const auto c = schedule::one_cycle(100);
  const double expected[][2] = {{0, 0.0040000000000000036},
                                {1, 0.004281378056590748},
                                {10, 0.029516394846410082},
                                {28, 0.09971862194340926},
                                {29, 0.1},
                                {30, 0.09994965352845243},
                                {31, 0.09979871550490317},
                                {60, 0.05892800902855288},
                                {98, 5.07464715475788e-05},
                                {99, 4e-07}};
  for (const auto& [step, rate] : expected) CHECK(0.1 * c(std::int64_t(step)) == Approx(rate).epsilon(1e-12));
  CHECK(c(100) == c(99));  // after the last step nothing changes
  CHECK(c(1000000) == c(99));
}

TEST_CASE("one cycle's momentum falls while the learning rate rises") {
  CHECK_FALSE(schedule::one_cycle(100).momentum);
  const auto c = schedule::one_cycle(100, 0.3, 25, 1e4, 0.8);
  CHECK(c(29) == 1);
  CHECK(c.momentum_at(0) == 1);
  CHECK(c.momentum_at(29) == Approx(0.8).epsilon(1e-15));
  CHECK(c.momentum_at(64) == Approx(0.9).epsilon(1e-12));  // half the way back
  CHECK(c.momentum_at(99) == Approx(1).epsilon(1e-15));
  const auto later = schedule::warm_up(10, c);
  CHECK(later.momentum_at(5) == 1);
  CHECK(later.momentum_at(39) == c.momentum_at(29));
  CHECK_FALSE(schedule::warm_up(10).momentum);
}

TEST_CASE("a schedule changes a rule's momentum, or β₁ where it has that") {
  const optim::Schedule half([](std::int64_t) { return 1.0; }, [](std::int64_t) { return 0.5; });
  const auto same = [&](const optim::Rule<double>& a, const optim::Rule<double>& b) {
    return same_bits(run_rule<double>(a, 5, half), run_rule<double>(b, 5));
  };
  CHECK(same(optim::Sgd{.momentum = 0.8}, optim::Sgd{.momentum = 0.4}));
  CHECK(same(optim::RmsProp{.momentum = 0.8}, optim::RmsProp{.momentum = 0.4}));
  CHECK(same(optim::Adam{.beta1 = 0.5}, optim::Adam{.beta1 = 0.25}));
  CHECK_FALSE(same(optim::Adam{.beta1 = 0.5}, optim::Adam{.beta1 = 0.5}));
  CHECK(words<ValueError>([&] { same(optim::Adagrad{}, optim::Adagrad{}); }) ==
        "optimizer: adagrad has no momentum that a schedule could change");
}

TEST_CASE("one cycle of few steps is finite from the first to the last") {
  for (const std::int64_t steps : {2, 3, 4, 10})
    for (const double rise : {0.1, 0.3, 0.5, 0.9}) {
      const auto c = schedule::one_cycle(steps, rise);
      for (std::int64_t s = 0; s < steps + 2; ++s) {
        CHECK(std::isfinite(c(s)));
        CHECK(c(s) > 0);
        CHECK(c(s) <= 1);
      }
    }
}

TEST_CASE("an optimizer multiplies its learning rate by the schedule, from step 0") {
  Parameter<double> w(Array<double>{0});
  optim::Optimizer<double> optimizer({&w}, optim::Sgd{.learning_rate = 0.5}, {}, schedule::step(2, 0.1));
  Tape tape;
  double expected = 0;
  for (int s = 0; s < 6; ++s) {
    const double rate = 0.5 * std::pow(0.1, s / 2);
    CHECK(optimizer.learning_rate() == Approx(rate).epsilon(1e-15));
    tape.backward(sum(tape.watch(w)));
    optimizer.step();
    expected -= rate;
    CHECK(w.value().item() == Approx(expected).epsilon(1e-14));
  }
  const auto own = run_rule<double>(optim::Sgd{}, 5, [](std::int64_t s) { return 1.0 / double(1 + s); });
  CHECK(own(0) != run_rule<double>(optim::Sgd{}, 5)(0));
}

TEST_CASE("schedules refuse what makes no sense") {
  CHECK(words<ValueError>([] { schedule::step(0, 0.5); }) == "schedule: every is 0; it must be at least 1");
  CHECK(words<ValueError>([] { schedule::exponential(0.5, 0); }) ==
        "schedule: every is 0; it must be at least 1");
  CHECK(words<ValueError>([] { schedule::cosine(0); }) == "schedule: steps is 0; it must be at least 1");
  CHECK(words<ValueError>([] { schedule::warm_up(-1); }) == "schedule: steps is -1; it must be at least 1");
  CHECK(words<ValueError>([] { schedule::one_cycle(1); }) == "schedule: steps is 1; it must be at least 2");
  CHECK(words<ValueError>([] { schedule::one_cycle(10, 1); }) ==
        "schedule: rise is 1; it must be between 0 and 1");
  CHECK(words<ValueError>([] { schedule::one_cycle(10, 0.3, 25, 1e4, 2); }) ==
        "schedule: momentum is 2; it must be within 0 and 1");
}
