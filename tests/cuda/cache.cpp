// SPDX-License-Identifier: MIT
#include <csignal>
#include <filesystem>
#include <sys/resource.h>
#include <sys/wait.h>

#include <gradus/cuda/cache.hpp>

#include "tests/cuda/environment.hpp"
#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"

namespace fs = std::filesystem;
using gradus::cuda::CubinCache;
using gradus::test::Environment;
using gradus_test::TemporaryFolder;

namespace {

const std::string key = "gradus 0.1.0, NVRTC 13.0, sm_90\n__global__ void f() {}";
const std::string cubin = "\x7f" + std::string("ELF\0a cubin\n", 12);

/// A cache in a folder that is not there yet, in a temporary one.
struct Cache {
  TemporaryFolder base;
  CubinCache cache{base.path("a/b")};
  std::string entry() const { return cache.path(key); }
  std::string bytes() const { return base.read(fs::relative(entry(), base.path())); }
  void write(const std::string& bytes) const { base.write(fs::relative(entry(), base.path()), bytes); }
  int files() const {
    return static_cast<int>(std::distance(fs::directory_iterator(cache.folder()), fs::directory_iterator()));
  }
};

/// What f returns in a process of its own, where nobody is root. -1: that process could not be had.
template <class F> int as_nobody(const TemporaryFolder& folder, const F& f) {
  const unsigned nobody = 65534;
  if (::geteuid() == 0 && ::chown(folder.path().c_str(), nobody, nobody) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(255);
    int result = 254;
    try {
      result = f();
    } catch (...) {}
    ::_exit(result);
  }
  int status = -1;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 254;
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("what was put is what comes back") {
  const Cache c;
  CHECK_FALSE(c.cache.get(key));
  c.cache.put(key, cubin);
  CHECK(c.cache.get(key) == cubin);
  CHECK(CubinCache(c.cache.folder()).get(key) == cubin);
  c.cache.put(key, "another");
  CHECK(c.cache.get(key) == "another");
  c.cache.put(key, "");
  CHECK(c.cache.get(key) == "");
  CHECK(c.files() == 1);

  const std::string large(3 << 20, 'x');
  c.cache.put("", large);
  CHECK(c.cache.get("") == large);
  CHECK(c.files() == 2);
}

TEST_CASE("another version, compiler or architecture is another key") {
  const Cache c;
  c.cache.put(key, cubin);
  for (const std::string other : {"gradus 0.1.1, NVRTC 13.0, sm_90\n__global__ void f() {}",
                                  "gradus 0.1.0, NVRTC 13.1, sm_90\n__global__ void f() {}",
                                  "gradus 0.1.0, NVRTC 13.0, sm_80\n__global__ void f() {}"})
    CHECK_FALSE(c.cache.get(other));
  CHECK_FALSE(c.cache.get(key + " "));
  CHECK_FALSE(c.cache.get(key + '\0'));
}

TEST_CASE("an entry's name is the hash of its key") {
  const CubinCache cache("/f");  // FNV-1a, 128 bits: the published values
  CHECK(cache.path("") == "/f/6c62272e07bb014262b821756295c58d");
  CHECK(cache.path("a") == "/f/d228cb696f1a8caf78912b704e4a8964");
  CHECK(cache.path("foobar") == "/f/343e1662793c64bf6f0d3597ba446f18");
}

TEST_CASE("two keys of one name do not give each other's cubin") {
  const Cache c;
  c.cache.put(key, cubin);
  std::string other = key;
  other[7] = '9';  // of the same length
  fs::copy_file(c.entry(), c.cache.path(other));
  CHECK_FALSE(c.cache.get(other));
}

TEST_CASE("an entry that is not whole is not there, and is replaced") {
  const Cache c;
  c.cache.put(key, cubin);
  const std::string good = c.bytes();
  SECTION("any byte flipped") {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
      c.write(bad);
      CAPTURE(i);
      CHECK_FALSE(c.cache.get(key));
    }
  }
  SECTION("cut off anywhere") {
    for (std::size_t n = 0; n < good.size(); ++n) {
      c.write(good.substr(0, n));
      CAPTURE(n);
      CHECK_FALSE(c.cache.get(key));
    }
  }
  SECTION("more than there was") {
    c.write(good + "x");
    CHECK_FALSE(c.cache.get(key));
    c.write(good + good);
    CHECK_FALSE(c.cache.get(key));
  }
  SECTION("too long to be one") {
    fs::resize_file(c.entry(), std::uintmax_t(1) << 33);  // a hole: it takes no room
    CHECK_FALSE(c.cache.get(key));
  }
  SECTION("gone") {
    fs::remove(c.entry());
    CHECK_FALSE(c.cache.get(key));
  }
  c.cache.put(key, cubin);
  CHECK(c.cache.get(key) == cubin);
  CHECK(c.bytes() == good);
  CHECK(c.files() == 1);
}

TEST_CASE("something else in the entry's place is not an entry") {
  const Cache c;
  c.cache.put(key, cubin);
  fs::rename(c.entry(), c.base.path("moved"));
  SECTION("a pipe, on which nobody waits") {
    REQUIRE(::mkfifo(c.entry().c_str(), 0600) == 0);
    CHECK_FALSE(c.cache.get(key));
    c.cache.put(key, cubin);
    CHECK(c.cache.get(key) == cubin);
  }
  SECTION("a link, even to an entry") {
    fs::create_symlink(c.base.path("moved"), c.entry());
    CHECK_FALSE(c.cache.get(key));
    c.cache.put(key, cubin);
    CHECK(c.cache.get(key) == cubin);
    CHECK_FALSE(fs::is_symlink(c.entry()));
  }
  SECTION("a folder, which stays") {
    fs::create_directory(c.entry());
    CHECK_FALSE(c.cache.get(key));
    c.cache.put(key, cubin);
    CHECK_FALSE(c.cache.get(key));
  }
  CHECK(c.files() == 1);
}

TEST_CASE("something else in the folder's place is no cache") {
  const TemporaryFolder base;
  const CubinCache file(base.write("file", "text")), below(base.path("file/cubin-1"));
  for (const CubinCache* cache : {&file, &below}) {
    cache->put(key, cubin);
    CHECK_FALSE(cache->get(key));
  }
  REQUIRE(::mkfifo(base.path("pipe").c_str(), 0600) == 0);
  const CubinCache pipe(base.path("pipe"));
  pipe.put(key, cubin);
  CHECK_FALSE(pipe.get(key));
  CHECK(base.read("file") == "text");
  CHECK(base.files() == 2);
}

TEST_CASE("the folder is ours alone, or not used") {
  const Cache c;
  c.cache.put(key, cubin);
  const auto mode = [](const std::string& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  };
  CHECK(mode(c.base.path("a")) == 0700);
  CHECK(mode(c.cache.folder()) == 0700);
  CHECK(mode(c.entry()) == 0600);
  for (const mode_t bad : {0720u, 0702u, 0777u, 01777u}) {
    CAPTURE(bad);
    ::chmod(c.cache.folder().c_str(), bad);
    CHECK_FALSE(c.cache.get(key));
    c.cache.put("other", cubin);
    CHECK(c.files() == 1);
  }
  ::chmod(c.cache.folder().c_str(), 0755);  // others may read
  CHECK(c.cache.get(key) == cubin);
  ::chmod(c.entry().c_str(), 0606);
  CHECK_FALSE(c.cache.get(key));
  ::chmod(c.entry().c_str(), 0644);
  CHECK(c.cache.get(key) == cubin);

  if (::geteuid() != 0) return;  // only root can give things away
  REQUIRE(::chown(c.entry().c_str(), 12345, 12345) == 0);
  CHECK_FALSE(c.cache.get(key));
  REQUIRE(::chown(c.entry().c_str(), 0, 0) == 0);
  REQUIRE(::chown(c.cache.folder().c_str(), 12345, 12345) == 0);
  CHECK_FALSE(c.cache.get(key));
  c.cache.put("other", cubin);
  CHECK(c.files() == 1);
}

TEST_CASE("what may not be read or written is not there") {
  // permissions stop nobody who is root: a process that is not
  const TemporaryFolder base;
  const int step = as_nobody(base, [&] {
    const CubinCache cache(base.path("cache"));
    const char* const folder = cache.folder().c_str();
    cache.put(key, cubin);
    if (cache.get(key) != cubin) return 1;
    ::chmod(cache.path(key).c_str(), 0);
    if (cache.get(key)) return 2;
    ::chmod(cache.path(key).c_str(), 0600);
    ::chmod(folder, 0500);
    cache.put("other", cubin);
    if (cache.get("other") || cache.get(key) != cubin) return 3;
    ::chmod(folder, 0);
    cache.put("other", cubin);
    if (cache.get(key)) return 4;
    ::chmod(folder, 0700);
    ::chmod(base.path().c_str(), 0500);
    const CubinCache none(base.path("none"));
    none.put(key, cubin);
    if (none.get(key)) return 5;
    ::chmod(base.path().c_str(), 0700);
    return cache.get(key) == cubin ? 0 : 6;
  });
  if (step < 0)
    WARN("root, and cannot become anyone else here: not tested");
  else
    CHECK(step == 0);  // else the number of the line above that failed
}

TEST_CASE("a disk that is full keeps the old entry, and nothing half-written") {
  const Cache c;
  c.cache.put(key, cubin);
  struct rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit little { 4096, before.rlim_max };
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  c.cache.put(key, std::string(1 << 20, 'x'));
  c.cache.put("other", std::string(1 << 20, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(c.cache.get(key) == cubin);
  CHECK_FALSE(c.cache.get("other"));
  CHECK(c.files() == 1);
}

TEST_CASE("two processes that write and read one entry") {
  const Cache c;
  const std::string ours(200'000, 'p'), theirs(70'000, 'c');
  // after the first put() there is always an entry, whole, of one or the other
  const auto work = [&](const std::string& mine) {
    int wrong = 0;
    for (int i = 0; i < 200; ++i) {
      c.cache.put(key, mine);
      const auto got = c.cache.get(key);
      wrong += !got || (*got != ours && *got != theirs);
    }
    return wrong;
  };
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work(theirs) == 0 ? 0 : 1);
  const int wrong = work(ours);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(wrong == 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(c.files() == 1);
}

TEST_CASE("where the cache is") {
  const auto folder = [](const char* own, const char* xdg, const char* home) {
    const Environment a("GRADUS_CACHE_DIR", own), b("XDG_CACHE_HOME", xdg), c("HOME", home);
    return CubinCache::standard().folder();
  };
  CHECK(folder(nullptr, nullptr, "/h") == "/h/.cache/gradus/cubin-1");
  CHECK(folder(nullptr, "/x", "/h") == "/x/gradus/cubin-1");
  CHECK(folder("/g", "/x", "/h") == "/g/cubin-1");
  CHECK(folder("", "", "/h") == "/h/.cache/gradus/cubin-1");  // empty is as good as not set
  CHECK(folder(nullptr, "x", "/h") == "/h/.cache/gradus/cubin-1");
  CHECK(folder(nullptr, nullptr, "h") == "");
  CHECK(folder("off", "/x", "/h") == "");
  CHECK(folder("g", "/x", "/h") == "");  // asked for elsewhere: not in the home folder after all
}

TEST_CASE("without a home there is no cache, and no error") {
  const Environment a("GRADUS_CACHE_DIR", nullptr), b("XDG_CACHE_HOME", nullptr), c("HOME", nullptr);
  const CubinCache none = CubinCache::standard();
  CHECK(none.folder() == "");
  none.put(key, cubin);
  CHECK_FALSE(none.get(key));
  CHECK_FALSE(CubinCache().get(key));

  const TemporaryFolder base;
  const Environment home("HOME", base.path().c_str());
  CubinCache::standard().put(key, cubin);
  CHECK(CubinCache::standard().get(key) == cubin);
  CHECK(fs::exists(base.path(".cache/gradus/cubin-1")));
}
