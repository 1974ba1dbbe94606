// SPDX-License-Identifier: MIT
// The verdict on a run under compute-sanitizer: a tool that has seen nothing must not pass for one that found nothing.
#include <cstdlib>

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

#ifndef GRADUS_TEST_CMAKE
#define GRADUS_TEST_CMAKE "cmake"
#endif

namespace {

/// What the script says where the tool says `words` and ends with `status`: "passes", "fails" or "not tested".
std::string verdict(const std::string& tool, const std::string& wanted, const std::string& words,
                    int status) {
  const gradus_test::TemporaryFolder folder;
  const std::string fake =
      folder.write("fake", "echo \"" + words + "\"; exit " + std::to_string(status) + "\n");
  const std::string command =
      GRADUS_TEST_CMAKE " -DTOOL=" + tool + " -DWANTED=" + wanted + " \"-DSANITIZER=sh;" + fake +
      "\" -DREHEARSAL=OFF -P " GRADUS_SOURCE_DIR "/tests/cuda_check/sanitize.cmake -- program >" +
      folder.path("log") + " 2>&1";
  const bool passes = std::system(command.c_str()) == 0;
  if (folder.read("log").find("not tested: ") != std::string::npos) return "not tested";
  return passes ? "passes" : "fails";
}

}  // namespace

TEST_CASE("a program is clean where the tool has said so") {
  CHECK(verdict("memcheck", "clean", "========= ERROR SUMMARY: 0 errors", 0) == "passes");
  CHECK(verdict("racecheck", "clean", "========= RACECHECK SUMMARY: 0 hazards displayed", 0) == "passes");
  CHECK(verdict("memcheck", "clean", "========= ERROR SUMMARY: 3 errors", 86) == "fails");
  CHECK(verdict("racecheck", "clean", "========= RACECHECK SUMMARY: 1 hazard displayed", 0) == "fails");
  CHECK(verdict("memcheck", "clean", "========= ERROR SUMMARY: 0 errors", 1) ==
        "fails");  // the program's own
  CHECK(verdict("memcheck", "clean", "", 0) == "fails");
}

TEST_CASE("a planted mistake is caught where the tool ends with the status that it was given for that") {
  CHECK(verdict("memcheck", "caught", "========= ERROR SUMMARY: 1 error", 86) == "passes");
  CHECK(verdict("memcheck", "caught", "========= ERROR SUMMARY: 0 errors", 0) == "fails");
  CHECK(verdict("memcheck", "caught", "the program has crashed", 255) == "fails");
}

TEST_CASE("a tool that cannot look has not tested") {
  const std::string refused = "========= Error: Device not supported. Please refer to the documentation";
  for (const char* wanted : {"clean", "caught"})
    CHECK(verdict("memcheck", wanted, refused, 255) == "not tested");
}
