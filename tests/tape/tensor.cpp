// SPDX-License-Identifier: MIT
#include <optional>

#include <gradus/ops/ops.hpp>
#include <gradus/tape/tensor.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using Values = Array<float>;

TEST_CASE("a tensor off the tape is its array") {
  const Values a = {{1, 2}, {3, 4}};
  const Tensor<float> t = a;
  CHECK(t.shape() == Shape{2, 2});
  CHECK(t.size() == 4);
  CHECK(t.array().data() == a.data());  // shared
  CHECK(t(1, 0) == 3);
  CHECK(t(-1, -1) == 4);
  CHECK_FALSE(t.wants_gradient());
  CHECK(Tensor<float>().size() == 0);
}

TEST_CASE("a tensor on the tape reads the same, and its array() is a copy") {
  Tape tape;
  const auto t = tape.variable(Values{1, 2}) * 2;
  CHECK(t(1) == 4);
  CHECK(t.array() == Values{2, 4});
  CHECK(t.array().data() != t.view().data);
  CHECK(sum(t).item() == 6);
  CHECK(words<ShapeError>([&] { t.item(); }) == "item: the array is [2]; it must hold one number");
  CHECK(words<IndexError>([&] { t(2); }) == "array [2]: index 2 is outside axis 0");
}

TEST_CASE("detach: the same numbers, no gradient, for as long as one likes") {
  const Parameter<float> w(Values{3});
  Tensor<float> kept;
  {
    Tape tape;
    const auto y = w * tape.input(Values{2});
    kept = y.detach();
    tape.backward(y * kept);  // d/dw of 2w · const(6)
    CHECK(w.gradient() == Values{12});
  }
  CHECK(kept.item() == 6);
  CHECK_FALSE(kept.wants_gradient());
}

TEST_CASE("a tensor of an earlier step is stale, and says so wherever it is used") {
  Tape tape;
  const auto x = tape.variable(Values{1, 2});
  const auto y = sum(x);
  tape.backward(y);
  CHECK(y.item() == 3);  // until the next step begins
  const auto fresh = tape.input(Values{1, 2});
  const auto says = [](const std::string& who, const std::string& shape) {
    return std::string(who) + ": a tensor " + shape + " was recorded in step ";
  };
  const auto begins = [](const std::string& text, const std::string& part) {
    return text.substr(0, part.size()) == part;
  };
  const std::string stale = words<TapeError>([&] { fresh + x; });
  CHECK(begins(stale, says("add", "[2]")));
  CHECK(stale.find(" of a tape that is now in step ") != std::string::npos);
  CHECK(stale.find("; detach() keeps numbers beyond their step") != std::string::npos);
  CHECK(begins(words<TapeError>([&] { relu(x); }), says("relu", "[2]")));
  CHECK(begins(words<TapeError>([&] { y.item(); }), says("item", "[]")));
  CHECK(begins(words<TapeError>([&] { x.array(); }), says("array", "[2]")));
  CHECK(begins(words<TapeError>([&] { x.detach(); }), says("array", "[2]")));
  CHECK(begins(words<TapeError>([&] { x(0); }), says("()", "[2]")));
  CHECK(begins(words<TapeError>([&] { tape.backward(y); }), says("backward", "[]")));
  CHECK(begins(words<TapeError>([&] { tape.gradient(x); }), says("gradient", "[2]")));
}

TEST_CASE("a tensor that outlives its tape is stale") {
  std::optional<Tensor<float>> x;
  {
    Tape tape;
    x = tape.input(Values{1});
  }
  const std::string gone = words<TapeError>([&] { x->item(); });
  CHECK(gone.find(" of a tape that is gone; detach() keeps numbers beyond their step") != std::string::npos);
  Tape next;  // it may take the same state over: the tensor stays stale
  next.input(Values{1});
  CHECK(words<TapeError>([&] { x->item(); }).find("item: a tensor [1] was recorded in step ") == 0);
}

TEST_CASE("clear ends a step") {
  Tape tape;
  const auto x = tape.input(Values{1});
  tape.clear();
  CHECK_THROWS_AS(x.item(), TapeError);
  CHECK(tape.input(Values{2}).item() == 2);
}
