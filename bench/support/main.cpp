// SPDX-License-Identifier: MIT
// The main program of every benchmark: what the machine can do is measured first, and stands in the head of
// the results, beside what was built and how.
#include <cstdio>

#include <gradus/about.hpp>

#include "bench/support/row.hpp"
#include "tests/support/allocations.hpp"

namespace bench {

std::int64_t allocated_bytes() { return gradus::test::allocated_bytes; }

namespace {

void describe_machine() {
  const auto tell = [](const std::string& what, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value / 1e9);
    benchmark::AddCustomContext(what, text);
  };
  for (const int threads : {1, all_threads()}) {
    use_threads(threads);
    const std::string by = threads == 1 ? ", 1 thread" : ", " + std::to_string(threads) + " threads";
    tell("GFLOP/s float" + by, peak<float>(threads));
    tell("GFLOP/s double" + by, peak<double>(threads));
    const Stream s = stream(threads);
    tell("GB/s copy" + by, s.copy);
    tell("GB/s add" + by, s.add);
    tell("GB/s triad" + by, s.triad);
    if (all_threads() == 1) break;
  }
  benchmark::AddCustomContext("compiler", gradus::detail::compiler());
  benchmark::AddCustomContext("Eigen", gradus::detail::eigen_version());
  benchmark::AddCustomContext("flags", GRADUS_BENCH_FLAGS);
}

/// The library's own, and keeps the times for at_end.
class Reporter : public benchmark::BenchmarkReporter {
 public:
  Times times;

  bool ReportContext(const Context& context) override { return shown_->ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override {
    shown_->ReportRuns(runs);
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Iteration && run.iterations > 0)
        times[run.run_name.function_name].push_back(
            (run.run_name.time_type.empty() ? run.cpu_accumulated_time : run.real_accumulated_time) /
            double(run.iterations));
  }
  void Finalize() override { shown_->Finalize(); }

 private:
  const std::unique_ptr<BenchmarkReporter> shown_{benchmark::CreateDefaultDisplayReporter()};
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  bench::describe_machine();
  bench::Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (bench::at_end) bench::at_end(reporter.times);
}
