// SPDX-License-Identifier: MIT
// Every kernel's text, given to the compiler that users have: the real NVRTC, which needs no GPU. It must
// compile, keep within its registers, spill nothing, and where numbers are floats compute with no doubles.
//
// The texts are those that tests have asked for, on the emulator, since a header last changed (ctest runs
// this after them), and those of every_text.hpp. Generated texts are formulas in frames; of these there are
// few, and many formulas. So unless GRADUS_ALL_TEXTS is set, or in the preset "full",
//   - a kernel by hand is compiled for all GPUs, and as PTX; where texts of it differ in a number alone (a
//     tile's size, a transpose), one of them, and the others for one GPU each, by turns;
//   - of the texts with one formula in one type, one is compiled for one GPU, by turns; and one of each
//     frame.
// What has been compiled is remembered beside the texts, so that a second run compiles only what is new.
#include "tests/cuda/texts.hpp"

#include <iostream>
#include <map>
#include <set>
#include <sys/wait.h>
#include <thread>

#include "tests/cuda/every_text.hpp"
#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kernel_texts.hpp"

namespace gradus::test::texts {
namespace {

struct Job {
  const std::string* text;
  const Machine* machine;
};

/// What has been compiled, a file for each text and machine. `key`: all else that the outcome depends on.
class Results {
 public:
  Results(const fs::path& folder, std::string key) : folder_(folder), key_(std::move(key)) {
    fs::create_directories(folder_);
  }
  bool has(const Job& job) const { return get(job).good; }
  Compiled get(const Job& job) const {
    Compiled c;
    std::ifstream in(file(job));
    std::string key;
    if (!std::getline(in, key) || key != key_) return {};
    in >> c.good >> c.doubles;
    for (Figures f; in >> f.kernel >> f.registers >> f.stack >> f.spilled;) c.kernels.push_back(f);
    return c;
  }
  void put(const Job& job, const Compiled& c) const {
    std::ofstream out(file(job));
    out << key_ << "\n" << c.good << " " << c.doubles << "\n";
    for (const Figures& f : c.kernels)
      out << f.kernel << " " << f.registers << " " << f.stack << " " << f.spilled << "\n";
  }

 private:
  fs::path file(const Job& job) const {
    return text_file(folder_, *job.text).replace_extension(job.machine->name);
  }
  fs::path folder_;
  std::string key_;
};

/// Compiles in processes: NVRTC has one lock for all threads of one.
void compile(const std::vector<Job>& jobs, const Results& results, const RealNvrtc& nvrtc) {
  const std::size_t n = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  std::vector<pid_t> workers(n);
  for (std::size_t w = 0; w < n; ++w) {
    if ((workers[w] = ::fork()) != 0) continue;
    try {
      for (std::size_t i = w; i < jobs.size(); i += n)
        results.put(jobs[i], nvrtc(*jobs[i].text, *jobs[i].machine));
    } catch (...) { ::_exit(1); }
    ::_exit(0);
  }
  for (const pid_t worker : workers) {
    int status = 1;
    CHECK(::waitpid(worker, &status, 0) == worker);
    CHECK(status == 0);
  }
}

/// A text without its #defines.
std::string without_numbers(const std::string& text) {
  static const std::regex define("#define [A-Z_]+ [0-9]+\n");
  return std::regex_replace(text, define, "");
}

/// The rule at the head of this file.
std::vector<Job> choose(const std::set<std::string>& texts, const std::vector<Machine>& known,
                        bool all_for_all) {
  std::vector<Job> jobs;
  std::set<std::string> kinds, frames;
  for (const std::string& text : texts) {
    const std::string_view formula = formula_of(text);
    const bool by_hand = formula.empty();
    std::string frame = text;
    if (!by_hand) frame.erase(frame.find(formula), formula.size());
    const bool new_kind = kinds.insert(by_hand ? without_numbers(text) : kind_of(text)).second,
               new_frame = frames.insert(frame).second;
    if (all_for_all || (by_hand && new_kind))
      for (const Machine& m : known) jobs.push_back({&text, &m});
    else if (by_hand || new_kind || new_frame)
      jobs.push_back({&text, &known[std::hash<std::string>()(text) % std::min(gpus, known.size())]});
  }
  return jobs;
}

/// When a header of the library was last changed.
fs::file_time_type newest_header() {
  fs::file_time_type newest = fs::file_time_type::min();
  for (const auto& entry : fs::recursive_directory_iterator(GRADUS_SOURCE_DIR "/include/gradus"))
    if (entry.is_regular_file()) newest = std::max(newest, entry.last_write_time());
  return newest;
}

}  // namespace

void expect_all_to_compile(bool all_for_all) {
  const fs::path folder = GRADUS_TEST_TEXTS_DIR;
  std::set<std::string> texts = every_text();
  texts.merge(kept_texts(folder, newest_header()));
  const RealNvrtc nvrtc;
  std::vector<Machine> known;
  std::string names;
  for (const Machine& m : machines)
    if (nvrtc.knows(m)) known.push_back(m), names += std::string(" ") + m.name;

  REQUIRE(!known.empty());
  const std::vector<Job> jobs = choose(texts, known, all_for_all);
  const Results results(folder / "results", nvrtc.version() + Recorder::options);
  std::vector<Job> fresh;
  for (const Job& job : jobs)
    if (!results.has(job)) fresh.push_back(job);
  compile(fresh, results, nvrtc);

  Figures most;
  std::string where;
  int spilled = 0;
  for (const Job& job : jobs) {
    Compiled c = results.get(job);
    if (!c.good) c = nvrtc(*job.text, *job.machine);  // again, for what NVRTC says
    for (const auto& wrong : complaints(*job.text, *job.machine, c)) {
      keep_text(folder, *job.text);  // to be looked at
      FAIL_CHECK(text_file(folder, *job.text).string() + ": " + wrong);
    }
    for (const Figures& k : c.kernels) {
      spilled += k.spilled;
      if (k.registers > most.registers)
        most = k, where = message(says(*job.text, "double") ? "double" : "float", ", ", job.machine->name);
    }
  }
  std::cout << texts.size() << " texts, " << jobs.size() << " compilations (" << fresh.size() << " new) for"
            << names << ": most registers " << most.registers << " (" << most.kernel << ", " << where << "), "
            << spilled << " bytes spilled\n";
}

}  // namespace gradus::test::texts

using namespace gradus::test;
using namespace gradus::test::texts;

TEST_CASE("every kernel's text compiles with NVRTC") {
  const char* const all = std::getenv("GRADUS_ALL_TEXTS");
  expect_all_to_compile(all && *all);
}

TEST_CASE("what must not be in a kernel is found") {
  const RealNvrtc nvrtc;
  const auto found = [&](const std::string& type, const std::string& bounds, const std::string& body) {
    const std::string text = message(gradus::cuda::text::common, "typedef ", type,
                                     " T;\nextern \"C\" __global__ void __launch_bounds__(", bounds,
                                     ") gradus_planted(T* y, const T* x, int n) {\n", body, "\n}\n");
    std::string all;
    for (const auto& wrong : complaints(text, machines[1], nvrtc(text, machines[1]))) all += wrong + "\n";
    return all;
  };
  const auto many = [](int n) {  // sums that are all needed until the end
    return message("T s[", n, "];\n#pragma unroll\nfor (int k = 0; k < ", n, "; ++k) s[k] = x[k * n];\n",
                   "for (int i = 0; i < n; ++i)\n#pragma unroll\nfor (int k = 0; k < ", n,
                   "; ++k) s[k] = s[k] * x[i] + s[(k + 7) % ", n, "];\n",
                   "#pragma unroll\nfor (int k = 0; k < ", n, "; ++k) y[k * n + threadIdx.x] = s[k];");
  };
  CHECK(found("float", "256, 2", "y[threadIdx.x] = x[0] * 1.5f;") == "");
  CHECK(found("double", "256, 2", "y[threadIdx.x] = x[0] * 1.5;") == "");
  CHECK_THAT(found("float", "256, 2", "y[threadIdx.x] = x[0] * 1.1;"),
             ContainsSubstring("its PTX for sm_80 has doubles"));
  CHECK_THAT(found("float", "256, 2", "y[0] = erff(x[0]) + z;"),
             ContainsSubstring("it does not compile for sm_80") && ContainsSubstring("\"z\" is undefined"));
  CHECK_THAT(found("float", "256, 4", many(120)), ContainsSubstring("gradus_planted on sm_80 spills "));
  CHECK_THAT(found("float", "256, 1", many(90)), ContainsSubstring("registers, 64 allowed"));
  CHECK_THAT(found("double", "256, 1", many(90)), ContainsSubstring("registers, 192 allowed"));
  CHECK_THAT(found("float", "256, 2",
                   "T a[64];\nfor (int i = 0; i < 64; ++i) a[(i * n) & 63] = x[i];\ny[0] = a[n];"),
             ContainsSubstring("gradus_planted on sm_80 has 256 bytes in local memory"));
  CHECK(complaints("", machines[1], {true, false, {}, ""}) ==
        std::vector<std::string>{"ptxas says nothing of its kernels for sm_80"});
}

TEST_CASE("texts are kept until a header is newer") {
  const gradus_test::TemporaryFolder folder;
  const auto now = fs::file_time_type::clock::now();
  const std::string place = folder.path() + "/texts";
  CHECK(kept_texts(place, now).empty());
  keep_text(place, "a");
  keep_text(place, "b\0b");
  keep_text(place, "a");
  fs::last_write_time(text_file(place, "b\0b"), now - std::chrono::hours(1));
  CHECK(kept_texts(place, now - std::chrono::hours(2)).size() == 2);
  CHECK(kept_texts(place, now - std::chrono::minutes(1)) == std::set<std::string>{"a"});
  keep_text(place, "b\0b");  // asked for again
  CHECK(kept_texts(place, now - std::chrono::minutes(1)).size() == 2);
}
