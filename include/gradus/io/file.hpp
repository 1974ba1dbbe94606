// SPDX-License-Identifier: MIT
// Files of bytes: read with every failure said, replaced as a whole or not at all.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <gradus/core/error.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/stat.h>
#include <unistd.h>
#define GRADUS_POSIX_FILES 1
#endif

namespace gradus::io {

namespace detail {
using gradus::detail::fail;

/// Empty, or what hinders `path` from being used as a file: it is there and is a directory, a device, a pipe
/// …
template <int = 0> std::string not_a_file([[maybe_unused]] const std::string& path) {
#ifdef GRADUS_POSIX_FILES
  struct ::stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return S_ISDIR(info.st_mode) ? "it is a directory" : "it is not a regular file";
#endif
  return {};
}

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using Handle = std::unique_ptr<std::FILE, Close>;

}  // namespace detail

/// A file to be read. Every member throws FileError with the reason, in the name of `who`.
template <int = 0> class BasicInputFile {
 public:
  BasicInputFile(const std::string& path, std::string who) : name_(std::move(who) + ": " + path) {
    if (const std::string why = detail::not_a_file(path); !why.empty()) fail("cannot be read: " + why);
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) fail(std::string("cannot be opened: ") + std::strerror(errno));
    if (std::fseek(file_.get(), 0, SEEK_END) != 0 || (size_ = std::ftell(file_.get())) < 0 ||
        std::fseek(file_.get(), 0, SEEK_SET) != 0)
      fail(std::string("cannot be read: ") + std::strerror(errno));
  }

  std::int64_t size() const { return size_; }  ///< bytes

  void read(void* to, std::size_t bytes) {
    if (bytes && std::fread(to, 1, bytes, file_.get()) != bytes)
      fail(std::ferror(file_.get()) ? std::string("cannot be read: ") + std::strerror(errno)
                                    : "ended before its " + std::to_string(size_) + " bytes were read");
  }

  [[noreturn]] void fail(const std::string& what) const { detail::fail<FileError>(name_, ": ", what); }

 private:
  std::string name_;
  detail::Handle file_;
  std::int64_t size_ = 0;
};
using InputFile = BasicInputFile<>;

/// A file that appears under `path` when commit() is called, complete and on the disk, in place of what was
/// there. Until then, and where anything fails (a full disk, a crash), what was there stays. Throws
/// FileError.
template <int = 0> class BasicOutputFile {
 public:
  BasicOutputFile(const std::string& path, std::string who)
      : path_(path), name_(std::move(who) + ": " + path) {
    if (const std::string why = detail::not_a_file(path); !why.empty()) fail("cannot be written: " + why);
    static std::atomic<unsigned> count{0};  // in the same folder, as a rename cannot leave its file system
#ifdef GRADUS_POSIX_FILES
    const long process = ::getpid();
#else
    const long process = 0;
#endif
    for (int attempt = 0; attempt < 100 && !file_; ++attempt) {  // "x": a name that nobody has
      temporary_ = path + ".tmp" + std::to_string(process) + "_" + std::to_string(count++);
      file_.reset(std::fopen(temporary_.c_str(), "wbx"));
      if (!file_ && errno != EEXIST) break;
    }
    if (!file_) fail(std::string("cannot be written: ") + std::strerror(errno));
  }
  ~BasicOutputFile() {
    if (temporary_.empty()) return;
    file_.reset();
    std::remove(temporary_.c_str());
  }
  BasicOutputFile(const BasicOutputFile&) = delete;
  BasicOutputFile& operator=(const BasicOutputFile&) = delete;

  void write(const void* from, std::size_t bytes) {
    if (bytes && std::fwrite(from, 1, bytes, file_.get()) != bytes) fail_writing();
  }

  void commit() {
    if (std::fflush(file_.get()) != 0) fail_writing();
#ifdef GRADUS_POSIX_FILES
    if (::fsync(::fileno(file_.get())) != 0 && errno != EINVAL)
      fail_writing();  // EINVAL: no such thing there
#endif
    if (std::fclose(file_.release()) != 0) fail_writing();
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_writing();
    temporary_.clear();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { detail::fail<FileError>(name_, ": ", what); }
  [[noreturn]] void fail_writing() const { fail(std::string("cannot be written: ") + std::strerror(errno)); }

  std::string path_, name_, temporary_;
  detail::Handle file_;
};
using OutputFile = BasicOutputFile<>;

}  // namespace gradus::io

#undef GRADUS_POSIX_FILES
