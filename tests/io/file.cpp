// SPDX-License-Identifier: MIT
#include <string>

#include <gradus/io/file.hpp>

#if defined(__unix__)
#include <csignal>
#include <sys/resource.h>
#endif

#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

using gradus::FileError;
using gradus::io::InputFile;
using gradus::io::OutputFile;
using gradus_test::TemporaryFolder;

TEST_CASE("a file is replaced as a whole") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  {
    OutputFile out(path, "test");
    out.write("new one", 7);
    CHECK(folder.read("a") == "old");
    out.commit();
  }
  CHECK(folder.read("a") == "new one");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that is not committed leaves what was there, and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  {
    OutputFile out(path, "test");
    out.write("new", 3);
    CHECK(folder.files() == 2);
  }
  CHECK(folder.read("a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("files that cannot be used are errors in words") {
  const TemporaryFolder folder;
  const std::string none = folder.path("none"), here = folder.path("");
  CHECK_THROWS_AS(InputFile(none, "test"), FileError);
  CHECK_THROWS_WITH(InputFile(none, "test"),
                    "test: " + none + ": cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(InputFile(here, "test"), "test: " + here + ": cannot be read: it is a directory");
  CHECK_THROWS_WITH(OutputFile(here, "test"), "test: " + here + ": cannot be written: it is a directory");
  CHECK_THROWS_WITH(OutputFile(none + "/a", "test"),
                    "test: " + none + "/a: cannot be written: No such file or directory");
#if defined(__unix__)
  // a rename would put a file in the place of the device
  CHECK_THROWS_WITH(OutputFile("/dev/null", "test"),
                    "test: /dev/null: cannot be written: it is not a regular file");
#endif

  InputFile short_one(folder.write("b", "abc"), "test");
  CHECK(short_one.size() == 3);
  char bytes[4];
  CHECK_THROWS_WITH(short_one.read(bytes, 4), ContainsSubstring("ended before its 3 bytes were read"));
}

#if defined(__unix__)
TEST_CASE("a disk that is full loses nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old"), much(1 << 20, 'x');
  struct rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit little { 4096, before.rlim_max };
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  std::string error;
  try {
    OutputFile out(path, "test");
    out.write(much.data(), much.size());
    out.commit();
  } catch (const FileError& e) { error = e.what(); }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(error == "test: " + path + ": cannot be written: File too large");
  CHECK(folder.read("a") == "old");
  CHECK(folder.files() == 1);
}
#endif
