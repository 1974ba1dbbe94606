// SPDX-License-Identifier: MIT
// Libraries that are there, that are not, and that are too old. Everything but library<>() asks load<>(): the
// former keeps what it found for the whole process.
#include <bit>
#include <filesystem>
#include <vector>

#include <gradus/cuda/driver.hpp>

#include "tests/cuda/environment.hpp"
#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

#ifndef GRADUS_TEST_COMPILER
#define GRADUS_TEST_COMPILER "c++"
#endif

namespace fs = std::filesystem;
using namespace gradus::cuda;
using gradus::DeviceError;
using gradus::test::Environment;
using gradus_test::TemporaryFolder;

namespace {

template <class Table> std::vector<std::string> names() {
  std::vector<std::string> all;
  Table().each([&](const char* name, auto&) { all.push_back(name); });
  return all;
}

/// A library whose functions return 100, 101, …
void compile_library(const TemporaryFolder& folder, const std::string& file,
                     const std::vector<std::string>& functions) {
  std::string text;
  for (std::size_t i = 0; i < functions.size(); ++i)
    text += "extern \"C\" int " + functions[i] + "() { return " + std::to_string(100 + i) + "; }\n";
  const std::string source = folder.write("library.cpp", text), library = folder.path(file);
  fs::create_directories(fs::path(library).parent_path());
  const std::string command = GRADUS_TEST_COMPILER " -shared -fPIC -o " + library + " " + source;
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

template <class F> int call(F* function) { return std::bit_cast<int (*)()>(function)(); }

std::string toolkit() { return std::to_string(CUDA_VERSION / 1000); }
const std::string remedy = "(install the CUDA " + toolkit() + " toolkit, or set CUDA_HOME to where it is)";

/// A table of the test's own, so that library<>() may keep it.
struct Tiny {
  int (*first)() = nullptr;
  int (*second)() = nullptr;
  static std::string file() { return "libgradus_tiny.so.1"; }
  static std::string remedy() { return "as it should be"; }
  template <class F> void each(const F& slot) {
    slot("tiny_first", first);
    slot("tiny_second", second);
  }
};

}  // namespace

TEST_CASE("a library that is not there is an error in words") {
  const TemporaryFolder empty;
  const Environment only("GRADUS_CUDA_LIBRARY_PATH", empty.path().c_str());
  const std::string none = "cuda: no usable GPU: ";
  CHECK_THROWS_AS(load<Driver>(), DeviceError);
  CHECK_THROWS_WITH(load<Driver>(), none + "libcuda.so.1 not found (is the NVIDIA driver installed?)");
  CHECK_THROWS_WITH(load<Nvrtc>(), none + "libnvrtc.so." + toolkit() + " not found " + remedy);
  CHECK_THROWS_WITH(load<CublasLt>(),
                    none + "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR) + " not found " + remedy);
}

TEMPLATE_TEST_CASE("every place of a table holds the function of its name", "", Driver, Nvrtc, CublasLt) {
  const TemporaryFolder folder;
  const Environment only("GRADUS_CUDA_LIBRARY_PATH", folder.path().c_str());
  compile_library(folder, TestType::file(), names<TestType>());
  auto table = load<TestType>();
  int expected = 100;
  table.each([&](const char* name, auto& function) {
    CAPTURE(name);
    CHECK(call(function) == expected++);
  });
  CHECK(expected > 100);
}

TEMPLATE_TEST_CASE("a library that lacks a function is an error in words", "", Driver, Nvrtc, CublasLt) {
  const TemporaryFolder folder;
  const Environment only("GRADUS_CUDA_LIBRARY_PATH", folder.path().c_str());
  std::vector<std::string> older = names<TestType>();
  const std::string newest = older.back();
  older.pop_back();
  compile_library(folder, TestType::file(), older);
  CHECK_THROWS_AS(load<TestType>(), DeviceError);
  CHECK_THROWS_WITH(load<TestType>(),
                    "cuda: no usable GPU: " + TestType::file() + " has no " + newest +
                        " (it is older than the headers this program was built with; update it)");
}

TEST_CASE("the symbols are those that the headers' macros rename functions to") {
  const auto all = names<Driver>();
  const auto has = [&](const char* name) { return std::count(all.begin(), all.end(), name) == 1; };
  CHECK(has("cuInit"));
  CHECK(has("cuMemcpyHtoDAsync_v2"));
  CHECK_FALSE(has("cuMemcpyHtoDAsync"));
  CHECK(has("cuGraphInstantiateWithFlags"));
}

TEST_CASE("where libraries are looked for") {
  const TemporaryFolder one, two, empty;
  const std::string file = "libgradus_place.so.1";
  compile_library(one, "lib64/" + file, {"place_one"});
  compile_library(two, "lib64/" + file, {"place_two"});
  const auto found = [&](const char* only, const char* home, const char* path) -> std::string {
    const Environment a("GRADUS_CUDA_LIBRARY_PATH", only), b("CUDA_HOME", home), c("CUDA_PATH", path);
    void* const library = open_library(file);
    return !library ? "nowhere" : ::dlsym(library, "place_one") ? "one" : "two";
  };
  const std::string first = one.path(), second = two.path(), within = two.path("lib64"), none = empty.path();
  CHECK(found(nullptr, nullptr, nullptr) == "nowhere");
  CHECK(found(nullptr, first.c_str(), second.c_str()) == "one");
  CHECK(found(nullptr, nullptr, second.c_str()) == "two");
  CHECK(found(nullptr, none.c_str(), second.c_str()) == "two");
  CHECK(found(within.c_str(), first.c_str(), nullptr) == "two");
  CHECK(found(none.c_str(), first.c_str(), second.c_str()) == "nowhere");  // alone where it is set

  const Environment a("GRADUS_CUDA_LIBRARY_PATH", nullptr);
  CHECK(open_library("libc.so.6"));  // where the system looks
}

TEST_CASE("a library that failed is tried again, one that was found is kept") {
  const TemporaryFolder folder, empty;
  const auto at = [](const TemporaryFolder& place) {
    return Environment("GRADUS_CUDA_LIBRARY_PATH", place.path().c_str());
  };
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Environment only = at(empty);
    CHECK_THROWS_WITH(library<Tiny>(),
                      "cuda: no usable GPU: libgradus_tiny.so.1 not found (as it should be)");
  }
  compile_library(folder, Tiny::file(), {"tiny_first", "tiny_second"});
  {
    const Environment only = at(folder);
    CHECK(library<Tiny>().second() == 101);
  }
  const Environment only = at(empty);
  CHECK(library<Tiny>().first() == 100);

  Tiny other;
  stand_in<Tiny> = &other;
  CHECK(&library<Tiny>() == &other);
  stand_in<Tiny> = nullptr;
  CHECK(library<Tiny>().first() == 100);
}

TEST_CASE("the toolkit's own stub of the driver has every function, and no device") {
  const char* const home = std::getenv("CUDA_HOME");
  const fs::path stub = fs::path(home ? home : "/usr/local/cuda") / "lib64/stubs/libcuda.so";
  if (!fs::exists(stub)) {
    WARN(stub << " is not here: not tested");
    return;
  }
  const TemporaryFolder folder;
  fs::create_symlink(stub, folder.path(Driver::file()));
  const Environment only("GRADUS_CUDA_LIBRARY_PATH", folder.path().c_str());
  CHECK(load<Driver>().Init(0) == CUDA_ERROR_STUB_LIBRARY);

  // its soname is the driver's: while it is loaded, the loader takes it for the driver
  void* const library = ::dlopen(folder.path(Driver::file()).c_str(), RTLD_NOW | RTLD_NOLOAD);
  ::dlclose(library);
  ::dlclose(library);
  CHECK_FALSE(::dlopen(folder.path(Driver::file()).c_str(), RTLD_NOW | RTLD_NOLOAD));
}

TEST_CASE("NVRTC compiles a kernel without a GPU") {
  if (!open_library(Nvrtc::file())) {
    WARN(Nvrtc::file() << " is not here: not tested");
    return;
  }
  const Nvrtc nvrtc = load<Nvrtc>();
  int major = 0, minor = 0, count = 0;
  REQUIRE(nvrtc.Version(&major, &minor) == NVRTC_SUCCESS);
  CHECK(major == CUDA_VERSION / 1000);
  REQUIRE(nvrtc.GetNumSupportedArchs(&count) == NVRTC_SUCCESS);
  REQUIRE(count > 0);
  std::vector<int> architectures(static_cast<std::size_t>(count));
  REQUIRE(nvrtc.GetSupportedArchs(architectures.data()) == NVRTC_SUCCESS);

  nvrtcProgram program = nullptr;
  const char* const text = "extern \"C\" __global__ void one(float* x) { x[threadIdx.x] = 1; }";
  REQUIRE(nvrtc.CreateProgram(&program, text, "one.cu", 0, nullptr, nullptr) == NVRTC_SUCCESS);
  const std::string option = "--gpu-architecture=sm_" + std::to_string(architectures.front());
  const char* const options[] = {option.c_str()};
  CHECK(nvrtc.CompileProgram(program, 1, options) == NVRTC_SUCCESS);
  std::size_t size = 0;
  REQUIRE(nvrtc.GetCUBINSize(program, &size) == NVRTC_SUCCESS);
  std::string cubin(size, '\0');
  REQUIRE(nvrtc.GetCUBIN(program, cubin.data()) == NVRTC_SUCCESS);
  CHECK(cubin.substr(1, 3) == "ELF");
  CHECK(nvrtc.DestroyProgram(&program) == NVRTC_SUCCESS);
}

TEST_CASE("cublasLt is the headers' version") {
  if (!open_library(CublasLt::file())) {
    WARN(CublasLt::file() << " is not here: not tested");
    return;
  }
  CHECK(load<CublasLt>().GetVersion() / 10000 == CUBLAS_VER_MAJOR);
}
