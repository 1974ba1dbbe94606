// SPDX-License-Identifier: MIT
#include <gradus/train/history.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("a history is looked up by name") {
  const History h{.series = {{"loss", {0.5, 0.25}}, {"val_loss", {0.75, 0.5}}}};
  CHECK(h["loss"] == std::vector{0.5, 0.25});
  CHECK(h["val_loss"].back() == 0.5);
  CHECK(h.epochs() == 2);
  CHECK(History{}.epochs() == 0);
}

TEST_CASE("a name that is not there is answered with those that are") {
  const History h{.series = {{"loss", {}}, {"accuracy", {}}}};
  CHECK(words<ValueError>([&] { h["acc"]; }) == "history: there is no \"acc\"; there are loss, accuracy");
}
