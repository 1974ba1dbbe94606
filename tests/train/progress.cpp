// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include <gradus/train/progress.hpp>

#include "tests/support/catch.hpp"

using namespace gradus;

#ifndef _WIN32

namespace {

/// What f prints on the standard output, which is a file meanwhile.
template <class F> std::string printed(const F& f) {
  std::fflush(stdout);
  const int saved = dup(fileno(stdout));
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  dup2(fileno(file), fileno(stdout));
  f();
  std::fflush(stdout);
  dup2(saved, fileno(stdout));
  close(saved);
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

std::string run(Verbose how, int epochs, int stop_after = 1 << 30) {
  return printed([&] {
    train::Progress p(how, epochs);
    History h{.series = {{"loss", {}}, {"val_loss", {}}}};
    for (int e = 1; e <= epochs && e <= stop_after; ++e) {
      h.series[0].values.push_back(1.0 / e);
      h.series[1].values.push_back(2.0 / e);
      p.epoch(e, h, e == epochs);
    }
  });
}
auto lines(const std::string& s) { return std::count(s.begin(), s.end(), '\n'); }

}  // namespace

TEST_CASE("silent says nothing") { CHECK(run(Verbose::silent, 5).empty()); }

TEST_CASE("lines: each epoch of a few, some twenty of many, the first and the last always") {
  const std::string few = run(Verbose::lines, 3);
  CHECK(lines(few) == 3);
  CHECK(few.starts_with("epoch 1/3  loss 1.0000 val_loss 2.0000  ETA "));
  CHECK_THAT(few, ContainsSubstring("\nepoch 3/3  loss 0.3333 val_loss 0.6667  0.0"));
  const std::string many = run(Verbose::lines, 1000);
  CHECK(lines(many) == 21);
  CHECK(many.starts_with("epoch    1/1000  loss"));
  CHECK_THAT(many, ContainsSubstring("epoch   50/1000"));
  CHECK_THAT(many, ContainsSubstring("epoch 1000/1000"));
}

TEST_CASE("automatic: lines where the output is no terminal") {
  const std::string text = run(Verbose::automatic, 3);
  CHECK(lines(text) == 3);
  CHECK(text.find('\r') == text.npos);
}

TEST_CASE("the bar rewrites one line, and ends it") {
  const std::string text = run(Verbose::bar, 4);
  CHECK(lines(text) == 1);
  CHECK(text.back() == '\n');
  CHECK(text.starts_with("\repoch 1/4 [======                  ]  loss 1.0000"));
  CHECK_THAT(text,
             ContainsSubstring("\repoch 4/4 [========================]  loss 0.2500 val_loss 0.5000  0.0"));
}

TEST_CASE("training that stops early still ends its line") {
  const std::string text = run(Verbose::bar, 100, 3);
  CHECK(lines(text) == 1);
  CHECK(text.back() == '\n');
}

#endif
