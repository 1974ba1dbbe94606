// SPDX-License-Identifier: MIT
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include <gradus/core/step.hpp>

#include "tests/core/fake_device.hpp"
#include "tests/support/catch.hpp"

using gradus::Array;
using gradus::Device;
using gradus::DeviceError;
using gradus::Shape;
using gradus::Step;
using gradus::detail::StepState;

TEST_CASE("states are pooled and never gone") {
  StepState& a = StepState::acquire();
  CHECK(a.alive);
  StepState& b = StepState::acquire();
  CHECK(&a != &b);
  const auto number = b.number;
  StepState::release(b);
  CHECK_FALSE(b.alive);
  CHECK(b.number == number + 1);  // what was recorded in it is stale
  StepState& again = StepState::acquire();
  CHECK(&again == &b);
  CHECK(again.alive);
  StepState::release(again);
  StepState::release(a);
}

TEST_CASE("the end of a step forgets everything at once") {
  StepState& s = StepState::acquire();
  const Array<float> x{1, 2, 3};
  s.keep(x.share());
  s.keep({});  // nothing to keep
  CHECK(s.kept.size() == 1);
  CHECK(x.share().owners() == 2);
  s.spent = true;
  const auto number = s.number;
  float* const first = s.allocate<float>(100);
  s.end();
  CHECK(s.number == number + 1);
  CHECK_FALSE(s.spent);
  CHECK(s.last == nullptr);
  CHECK(x.share().owners() == 1);
  CHECK(s.allocate<float>(100) == first);
  StepState::release(s);
}

TEST_CASE("a step belongs to one device") {
  StepState& s = StepState::acquire();
  const Array<float> x{1, 2, 3};
  const Device before = s.device;
  s.begin(Device("fake:1"));
  CHECK(s.device.name() == "fake:1");
  s.keep(x.share());
  s.begin(Device("fake:1"));
  CHECK_THROWS_AS(s.begin(Device()), DeviceError);
  CHECK_THROWS_WITH(s.begin(Device()), "tape: it is on fake:1, the input on cpu");
  s.end();
  s.begin(before);
  StepState::release(s);
}

TEST_CASE("each thread has a state of its own") {
  std::vector<StepState*> held(8);
  std::vector<std::thread> threads;
  for (auto& mine : held) threads.emplace_back([&mine] { mine = &StepState::acquire(); });
  for (auto& t : threads) t.join();
  CHECK(std::set<StepState*>(held.begin(), held.end()).size() == held.size());
  for (StepState* s : held) StepState::release(*s);
}

TEST_CASE("scratch memory of an op") {
  SECTION("in a step it is the step's") {
    StepState& s = StepState::acquire();
    float* first;
    {
      Step step(Device(), &s);
      const auto a = step.scratch<float>({4, 5}), b = step.scratch<float>({4, 5});
      first = a.data;
      CHECK(a.shape == Shape{4, 5});
      CHECK(b.data >= a.data + 20);
      CHECK(a.gradient == nullptr);
    }
    CHECK(s.allocate<float>(1) > first);
    StepState::release(s);
  }
  SECTION("without a step it is the op's") {
    double* first;
    {
      Step step(Device(), nullptr);
      const auto a = step.scratch<double>({100}), b = step.scratch<double>({100});
      CHECK(a.data != b.data);
      a.data[99] = b.data[99] = 1;
      first = b.data;
    }
    Step step(Device(), nullptr);
    const auto a = step.scratch<double>({100}), b = step.scratch<double>({100});
    CHECK((a.data == first || b.data == first));  // from the pool again
  }
  SECTION("on another device") {
    fake::counts() = {};
    {
      Step step(Device("fake"), nullptr);
      CHECK(step.scratch<float>({3}).device == Device("fake"));
      CHECK(fake::counts().allocations == 1);
    }
    CHECK(fake::counts().releases == 1);
  }
}

TEST_CASE("training and draws are the step's") {
  StepState& s = StepState::acquire();
  s.training = true;
  Step step(Device(), &s);
  CHECK(step.training());
  const auto first = step.draw().number;
  CHECK(step.draw().number == first + 1);
  CHECK(Step(Device(), &s).draw().number == first + 2);
  s.training = false;
  CHECK_FALSE(step.training());
  CHECK_FALSE(Step(Device(), nullptr).training());
  s.training = true;
  StepState::release(s);
}
