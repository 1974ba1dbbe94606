// SPDX-License-Identifier: MIT
// cuda_checker [--rehearsal] --build=FOLDER --source=FOLDER --ctest=PROGRAM PART…
//
// Runs parts of the GPU check, keeps what each has found in FOLDER/cuda_check, and prints a table of all parts that were
// run on this GPU, driver and commit. Once these are the first three, it writes bench/results/<gpu>.json. A part is
//   tests            every entry of ctest with the label "gpu"
//   steps=PROGRAM    a program that takes the path of the JSON file that it writes (report.hpp says what is in it)
//   kernels=PROGRAM  likewise; without a PROGRAM the part has not been built, and fails
//   cudnn=PROGRAM    likewise, where cuDNN is
// The exit status is 0 where all parts that were run are as wanted. A rehearsal is on the emulator, and its file stays
// beside those of the parts.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sys/wait.h>
#include <thread>

#include "tests/cuda_check/machine.hpp"
#include "tests/cuda_check/report.hpp"
#include "tests/support/devices.hpp"

namespace fs = std::filesystem;
using namespace gradus;
using namespace gradus::check;

namespace {

constexpr const char* all_parts[] = {"tests", "steps", "kernels", "cudnn"};
constexpr std::size_t needed = 3;

struct Options {
  bool rehearsal = false;
  fs::path build, source;
  std::string ctest;
  std::vector<std::pair<std::string, std::string>> parts;  // name, program

  bool runs(const std::string& name) const {
    return std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.first == name; });
  }
};

Options options_of(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], name = word.substr(0, word.find('='));
    const std::string value = name.size() < word.size() ? word.substr(name.size() + 1) : "";
    if (name == "--rehearsal")
      o.rehearsal = true;
    else if (name == "--build")
      o.build = fs::path(value) / "cuda_check";
    else if (name == "--source")
      o.source = value;
    else if (name == "--ctest")
      o.ctest = value;
    else if (std::count(std::begin(all_parts), std::end(all_parts), name))
      o.parts.emplace_back(name, value);
    else
      detail::fail<ValueError>("cuda_checker: ", word, " is no part and no option");
  }
  if (o.build.empty() || o.source.empty())
    detail::fail<ValueError>("cuda_checker: --build and --source are missing");
  return o;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const fs::path& path, const Json& value) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << value.str(2) << "\n";
}
std::string quoted(const std::string& word) { return "'" + word + "'"; }
int run(const std::string& command) {
  std::cout << "\n$ " << command << std::endl;
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The figures of one part, just had.
Json run_part(const Options& o, const std::string& name, const std::string& program) {
  const fs::path file = o.build / (name == "tests" ? "tests.xml" : name + ".json");
  fs::create_directories(o.build);
  fs::remove(file);  // nothing of before is taken for a result
  if (name != "tests") {
    if (program.empty()) return failed("it is not part of this build");
    const int status = run(quoted(program) + " " + quoted(file.string()));
    return measured(contents(file), status);
  }
  // processes share the GPU; each wants some of its memory
  const unsigned jobs = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  run(detail::message(quoted(o.ctest), " --test-dir ", quoted(o.build.parent_path().string()),
                      " -L '^gpu$' --output-on-failure --timeout 240 -j ", jobs, " --output-junit ",
                      quoted(file.string())));
  return tested(contents(file));
}

/// What was found on this machine at this commit.
Json current_parts(const Options& o, const Json& machine) {
  Json parts = Json::object();
  for (const char* const name : all_parts) {
    const std::string text = contents(o.build / (std::string(name) + ".part"));
    const Json record = text.empty() ? Json::object() : Json::parse(text, name);
    const Json* const where = record.find("machine");
    // of sources without a name only what has just been run is known to be of them
    if (where && *where == machine && (machine.at("commit").string() != "unknown" || o.runs(name)))
      parts[name] = record.at("part");
    else
      std::cout << "\nnot run at this commit: cmake --workflow --preset cuda-check-" << name;
  }
  return parts;
}

/// The table; false: not all is as wanted.
bool print(const Json& machine, const Json& parts) {
  const auto say = [&](const char* name) { return machine.at(name).string(); };
  std::cout << "\n\n"
            << say("gpu") << ", driver " << say("driver") << ", CUDA " << say("cuda") << ", NVRTC "
            << say("nvrtc") << ", cublasLt " << say("cublaslt") << "; gradus " << say("gradus") << ", commit "
            << say("commit") << "\n\n"
            << table(parts);
  const Json* const tests = parts.find("tests");
  const Json* const skipped = tests ? tests->find("skipped") : nullptr;
  if (skipped) std::cout << "\ntests skipped: " << skipped->size() << "\n";
  bool good = parts.size() > 0;
  for (const Json& part : parts.items()) good = good && part.at("outcome").string() == "met";
  return good;
}

/// The GPU's file, where each part has been measured.
void keep(const Options& o, const Json& machine, const Json& parts) {
  bool whole = true;
  for (std::size_t i = 0; i < needed; ++i) whole = whole && parts.find(all_parts[i]);
  for (const Json& part : parts.items()) whole = whole && part.at("outcome").string() != "failed";
  const fs::path folder = o.rehearsal ? o.build : o.source / "bench/results";
  const fs::path file = folder / file_name(machine.at("gpu").string());
  Json result = machine;
  result["date"] = today(), result["parts"] = parts;
  if (whole) write(file, result);
  std::cout << (whole ? "written: " : "not written, for a part is missing: ") << file.string() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = options_of(argc, argv);
    if (o.rehearsal) test::emulate();
    if (const std::string why = cuda::why_not(0); !why.empty()) return std::cerr << why << "\n", 1;
    const Json here = machine(o.source.string());
    for (const auto& [name, program] : o.parts) {
      const auto start = std::chrono::steady_clock::now();
      Json record;
      record["machine"] = here;
      record["part"] = run_part(o, name, program);
      record["part"]["date"] = today();
      record["part"]["seconds"] =
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
      write(o.build / (name + ".part"), record);
    }
    const Json parts = current_parts(o, here);
    const bool good = print(here, parts);
    keep(o, here, parts);
    std::cout << "cuda-check: " << (good ? "all that was run is as wanted\n" : "not all is as wanted\n");
    return good ? 0 : 1;
  } catch (const std::exception& e) { return std::cerr << e.what() << "\n", 1; }
}
