// SPDX-License-Identifier: MIT
// The closing table of the check on a GPU: whatever is wrong with a part shows.
#include "tests/cuda_check/report.hpp"

#include "tests/cuda/environment.hpp"
#include "tests/cuda_check/machine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace gradus::check;
using gradus::io::Json;

namespace {

std::string entry(const std::string& name, const std::string& status) {
  return "\t<testcase name=\"" + name + "\" classname=\"" + name + "\" time=\"0.02\" status=\"" + status +
         "\">\n\t\t<system-out>All &lt;testcase name=&quot;x&quot; "
         "status=&quot;run&quot;</system-out>\n\t</testcase>\n";
}
std::string outcome(const Json& part) { return part.at("outcome").string(); }

const std::string head = "<?xml version=\"1.0\"?>\n<testsuite name=\"(empty)\"\n\ttests=\"2\"\n\t>\n";
const std::string good_row =
    R"({"name": "copy", "value": 4.1, "unit": "TB/s", "wanted": 3.5, "bound": "at least", "met": true})";
const std::string bad_row =
    R"({"name": "sum", "value": 30, "unit": "µs", "wanted": 20, "bound": "at most", "met": false})";
const std::string free_row = R"({"name": "peer", "value": 31.25, "unit": "µs"})";

std::string rows(const std::string& all) {
  return R"({"rows": [)" + all + R"(], "versions": {"torch": "2"}})";
}

}  // namespace

TEST_CASE("tests: all passed, some failed, some skipped, none run") {
  const Json good = tested(head + entry("ops.add", "run") + entry("gpu.fit", "run"));
  CHECK(outcome(good) == "met");
  CHECK(good.at("rows").at(0).at("value").integer() == 2);
  for (const char* status : {"fail", "notrun", "disabled"}) {
    const Json bad = tested(head + entry("ops.add", "run") + entry("gpu.fit", status));
    const bool failed = status == std::string("fail");
    CHECK(outcome(bad) == "missed");
    CHECK(bad.at("rows").at(0).at("value").integer() == 1);
    CHECK(bad.at(failed ? "failed" : "skipped").at(0).string() == "gpu.fit");
    CHECK(bad.at(failed ? "skipped" : "failed").size() == 0);
    CHECK(is_met(bad.at("rows").at(1)) == !failed);
    CHECK(is_met(bad.at("rows").at(2)) == failed);
  }
  CHECK(tested(head).at("why").string() == "ctest has run no test");
  CHECK(tested("").at("why").string() == "ctest has run no test");
}

TEST_CASE("measurements: met, missed, and programs that fail") {
  CHECK(outcome(measured(rows(good_row + "," + free_row), 0)) == "met");
  CHECK(outcome(measured(rows(good_row + "," + free_row), 3)) == "missed");  // by the program's own judgement
  CHECK(outcome(measured(rows(good_row + "," + bad_row), 0)) == "missed");   // or by a row's
  CHECK(outcome(measured(rows(R"({"name": "nan", "value": null, "unit": ""})"), 0)) == "missed");
  CHECK(measured(rows(good_row), 0).at("versions").at("torch").string() == "2");  // all else is kept
  const auto why = [](const std::string& text, int status) {
    return measured(text, status).at("why").string();
  };
  CHECK(why(rows(good_row), 1) == "its program ended with 1");
  CHECK(measured(rows(good_row), 1).at("rows").size() == 1);  // what it has found until then
  CHECK(why("", 1) == "its program ended with 1");
  CHECK(why(rows(good_row), 139) == "its program ended with 139");
  CHECK(why(rows(""), 0) == "it has no rows");
  CHECK_THAT(why("", 0), ContainsSubstring("its file"));
  CHECK_THAT(why("{}", 0), ContainsSubstring("no key \"rows\""));
  CHECK_THAT(why(rows(R"({"value": 1})"), 0), ContainsSubstring("no key \"name\""));
}

TEST_CASE("the table names what is missed, failed and skipped") {
  Json parts;
  parts["tests"] =
      tested(head + entry("ops.add", "run") + entry("gpu.fit", "fail") + entry("gpu.x", "notrun"));
  parts["steps"] = failed("it is not part of this build");
  parts["steps"]["seconds"] = 61;
  parts["kernels"] = measured(rows(good_row + "," + bad_row + "," + free_row), 3);
  CHECK(table(parts) == R"(part     what                          value       wanted
tests    passed                            1
tests    failed                            1       0       missed
tests    skipped                           1       0       missed
tests    gpu.fit                                           failed
tests    gpu.x                                             skipped
steps    took                             61 s
steps    it is not part of this build                      failed
kernels  copy                            4.1 TB/s  ≥ 3.5
kernels  sum                              30 µs    ≤ 20    missed
kernels  peer                          31.25 µs
)");
}

TEST_CASE("what figures depend on: the GPU, its libraries, the commit") {
  gradus::test::emulate();
  REQUIRE(gradus::cuda::why_not(0) == "");
  const gradus::test::Environment commit("GRADUS_COMMIT", "1a2b3c4d");
  const Json m = machine(GRADUS_SOURCE_DIR);
  CHECK(m.at("gpu").string() == "NVIDIA Emulated");
  CHECK(m.at("compute_capability").string() == "9.0");
  CHECK(m.at("cuda").string() == gradus::cuda::version_words(CUDA_VERSION, 1000, 10));
  CHECK(m.at("commit").string() == "1a2b3c4d");
  CHECK(Json::parse(m.str(2)) == m);  // parts are joined where this is equal
  CHECK(today().size() == 10);
}

TEST_CASE("sources without a history have an unknown commit") {
  const gradus::test::Environment none("GRADUS_COMMIT", nullptr);
  CHECK(commit_of("/") == "unknown");
}

TEST_CASE("a GPU's file has a name that any system takes") {
  CHECK(file_name("NVIDIA H200") == "NVIDIA_H200.json");
  CHECK(file_name("NVIDIA GeForce RTX 4070 Ti/Max-Q") == "NVIDIA_GeForce_RTX_4070_Ti_Max-Q.json");
}
