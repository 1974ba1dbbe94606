// SPDX-License-Identifier: MIT
// The benchmarks of the GPU, rehearsed: small sizes, and no time is expected to be anything. Where there is
// no GPU they run on the emulator.
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

#include "bench/cuda/kernels.hpp"
#include "bench/cuda/steps.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/words.hpp"
#if __has_include(<cudnn.h>)
#include "bench/cuda/cudnn.hpp"
#include "tests/support/emulator/cudnn.hpp"
#endif

using namespace gradus;
using namespace gradus::test;

namespace {

/// The rows of the file that a benchmark has written.
std::vector<io::Json> rows_of(int (*benchmark)(const bench::Arguments&), std::vector<std::string> words,
                              int status = 0) {
  const auto file =
      std::filesystem::temp_directory_path() / ("gradus_bench_" + std::to_string(::getpid()) + ".json");
  words.insert(words.begin(), file);
  CHECK(benchmark(bench::Arguments(words)) == status);
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  std::filesystem::remove(file);
  const auto report = io::Json::parse(text.str());
  const std::string as_now = about();  // up to the first rate, which is measured anew each time
  CHECK(report.at("versions").at("gradus").string().starts_with(as_now.substr(0, as_now.find('('))));
  return report.at("rows").items();
}
void check_rows(const std::vector<io::Json>& rows, std::size_t count, const std::string& unit) {
  std::set<std::string> names;
  for (const io::Json& row : rows) {
    INFO(row.str());
    CHECK(names.insert(row.at("name").string()).second);
    CHECK(row.at("unit").string() == unit);
    CHECK(row.at("value").number() > 0);
    CHECK(!row.find("met"));
  }
  CHECK(rows.size() == count);
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

}  // namespace

TEST_CASE("the steps of every net and precision are timed, and their losses fall") {
  emulate();
  const auto rows = rows_of(&bench::steps, {"--quick", "--no-peers"});
  check_rows(rows, 9, "µs/step");
  for (const io::Json& row : rows) {
    const auto& losses = row.at("losses").items();
    CHECK(losses.size() >= 2);
    CHECK(losses.back().number() < losses.front().number());
  }
}

TEST_CASE("the rates of all kernels are measured, at every size") {
  emulate();
  check_rows(rows_of(&bench::kernel_rates, {"--quick"}), 14, "of a copy's rate");
}

TEST_CASE("a peer counts if its losses are ours, and else it is said why not") {
  io::Json row;
  const auto peers = io::Json::parse(R"({
    "a": {"us": 9, "losses": [1, 0.50001]}, "b": {"us": 7, "losses": [1, 0.6]},
    "c": {"skipped": "out of memory"}, "d": {"us": 8, "losses": [1, null]},
    "e": {"us": 6, "losses": [1]}, "f": {"us": 10, "losses": [1, 0.5]}})");
  CHECK(!bench::add_peers(row, peers, {1, 0.5}, 1e-4));
  CHECK(row.at("peers").keys() == std::vector<std::string>{"a", "f"});
  CHECK(row.at("refused").keys() == std::vector<std::string>{"b", "d", "e"});
  CHECK_THAT(row.at("refused").at("b").string(), ContainsSubstring("its losses are up to 0.2 from ours"));
  CHECK(row.at("skipped").at("c").string() == "out of memory");
  CHECK(bench::best_peer(row) == std::pair<std::string, double>{"a", 9});
}

TEST_CASE("a report says what was met, and its exit code whether all was") {
  const std::string file =
      std::filesystem::temp_directory_path() / ("gradus_report_" + std::to_string(::getpid()));
  bench::Report report;
  CHECK(report.add("a", 9, "µs/step", bench::Bound::at_most, 10).at("met").boolean());
  CHECK(report.write(file, {}) == 0);
  CHECK(!report.add("b", 0.8, "of a copy's rate", bench::Bound::at_least, 0.85).at("met").boolean());
  CHECK(report.write(file, {}) == 3);
  std::filesystem::remove(file);
  CHECK_THAT(words<ValueError>([] {
               bench::Arguments({"x.json", "--fast"});
             }),
             ContainsSubstring("\"--fast\" is no option"));
  CHECK_THAT(words<ValueError>([] { bench::Arguments({"--quick"}); }),
             ContainsSubstring("the JSON file to write is missing"));
}

#if __has_include(<cudnn.h>)
TEST_CASE("cuDNN's graphs and softmax agree with our kernels, and are timed beside them") {
  using emulator::EmulatedCudnn;
  emulate();
  EmulatedCudnn::install();
  const auto rows = rows_of(&bench::cudnn_trial, {"--quick"});
  CHECK(rows.size() == 12);
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
    const io::Json &ours = rows[i], &cudnn = rows[i + 1];
    INFO(ours.str() << cudnn.str());
    CHECK(!ours.find("skipped"));
    CHECK(ours.at("value").number() > 0);
    CHECK(cudnn.at("name").string() == ours.at("name").string() + ", cuDNN");
    CHECK(cudnn.at("value").number() == cudnn.at("µs").number() / ours.at("value").number());
    CHECK(cudnn.at("plans").integer() == 1);
  }
  CHECK(EmulatedCudnn::descriptors.empty());
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}

TEST_CASE("where cuDNN has no plan, or not our results, a row says so and has our time") {
  using emulator::cudnn_settings;
  emulate();
  emulator::EmulatedCudnn::install();
  const std::vector<std::string> layers{"--quick", "--rows", "sigmoid"};
  cudnn_settings = {.has_plans = false};
  auto rows = rows_of(&bench::cudnn_trial, layers);
  CHECK(rows.size() == 4);
  for (const io::Json& row : rows) {
    CHECK(row.at("value").number() > 0);
    CHECK(row.at("skipped").at("cuDNN").string() == "cuDNN has no plan for it (2 were proposed)");
  }
  cudnn_settings = {.adds_one = true};
  rows = rows_of(&bench::cudnn_trial, layers, 3);
  CHECK(rows.size() == 4);
  for (const io::Json& row : rows)
    CHECK_THAT(row.at("refused").at("cuDNN").string(),
               ContainsSubstring(" from ours, relatively; at most 0.0"));
  cudnn_settings = {};
  CHECK(emulator::EmulatedCudnn::descriptors.empty());
}
#endif
