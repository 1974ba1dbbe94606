// SPDX-License-Identifier: MIT
// Compiled kernels on disk, so that only the first run of a program waits for the compiler. It promises
// nothing: whatever is wrong with the folder or with an entry, the answer is "not there", never an error.
//
// An entry: the line "gradus cubin 1", the lengths of key and cubin (8 bytes each), the key, the cubin, and
// 16 bytes of hash over all of these.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace gradus::cuda {

/// Any number of threads and processes may use one folder at once.
class CubinCache {
 public:
  CubinCache() = default;  ///< holds nothing, ever
  /// Entries lie in `folder`, an absolute path, made at the first put().
  explicit CubinCache(std::string folder) : folder_(std::move(folder)) {}

  /// $GRADUS_CACHE_DIR where that is set ("off", or any path that is not absolute: no cache); else
  /// $XDG_CACHE_HOME/gradus; else $HOME/.cache/gradus; else none: /tmp belongs to everyone.
  static CubinCache standard() {
    const auto below = [](const char* variable, const char* folder) {
      const char* const path = std::getenv(variable);
      return path && *path == '/' ? path + std::string(folder) + "/cubin-1" : std::string();
    };
    const char* const chosen = std::getenv("GRADUS_CACHE_DIR");
    if (chosen && *chosen) return CubinCache(below("GRADUS_CACHE_DIR", ""));
    std::string folder = below("XDG_CACHE_HOME", "/gradus");
    if (folder.empty()) folder = below("HOME", "/.cache/gradus");
    return CubinCache(std::move(folder));
  }

  const std::string& folder() const { return folder_; }  ///< "": no cache

  /// Where the entry of `key` lies: the name is a hash, so that any key is a name.
  std::string path(std::string_view key) const {
    std::string path = folder_ + "/";
    for (const unsigned char byte : hash(key)) {
      path += "0123456789abcdef"[byte >> 4];
      path += "0123456789abcdef"[byte & 15];
    }
    return path;
  }

  /// What was put under `key`. The key is everything that the cubin depends on, and is compared as a whole.
  std::optional<std::string> get(std::string_view key) const {
    if (!usable()) return {};
    const std::string entry = contents(path(key));
    const std::size_t around = head(key, 0).size() + sizeof(Hash);
    if (entry.size() < around) return {};
    const std::size_t size = entry.size() - around;
    const std::string expected = head(key, size);
    if (!entry.starts_with(expected) || !entry.ends_with(hashed(expected.size() + size, entry))) return {};
    return entry.substr(expected.size(), size);
  }

  /// Replaces the entry as a whole: who reads at the same time sees the old one or the new one.
  void put(std::string_view key, std::string_view cubin) const {
    if (cubin.size() > most || folder_.empty()) return;
    make_folder();
    if (!usable()) return;
    std::string entry = head(key, cubin.size());
    entry += cubin;
    entry += hashed(entry.size(), entry);
    const std::string place = path(key);
    std::string temporary = place + ".XXXXXX";  // in the same folder: a rename cannot leave its file system
    const bool written = write(File{::mkostemp(temporary.data(), O_CLOEXEC)}, entry);
    if (!written || ::rename(temporary.c_str(), place.c_str()) != 0) ::unlink(temporary.c_str());
  }

 private:
  using Hash = std::array<unsigned char, 16>;
  static constexpr std::size_t most = std::size_t(1) << 30;  // a longer file is none of ours

  struct File {
    explicit File(int number) : descriptor(number) {}
    ~File() {
      if (descriptor >= 0) ::close(descriptor);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    const int descriptor;
  };

  /// FNV-1a of 128 bits, the first byte the highest. It finds accidents; against malice there is ours().
  static Hash hash(std::string_view text) {
    __extension__ typedef unsigned __int128 Wide;
    const Wide prime = (Wide(1) << 88) + 0x13b;
    Wide h = (Wide(0x6c62272e07bb0142) << 64) + 0x62b821756295c58d;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * prime;
    Hash bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(h >> (120 - 8 * i));
    return bytes;
  }
  /// The hash of the first `size` bytes, as the bytes that follow them.
  static std::string hashed(std::size_t size, std::string_view entry) {
    const Hash bytes = hash(entry.substr(0, size));
    return {bytes.begin(), bytes.end()};
  }

  static std::string head(std::string_view key, std::size_t cubin_size) {
    std::string text = "gradus cubin 1\n";
    for (const std::uint64_t length : {std::uint64_t(key.size()), std::uint64_t(cubin_size)})
      for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(length >> shift & 255);
    return text += key;
  }

  /// A cubin is code: nobody else may have put it there, or be able to.
  static bool ours(const struct ::stat& info) {
    return info.st_uid == ::geteuid() && !(info.st_mode & (S_IWGRP | S_IWOTH));
  }
  bool usable() const {
    struct ::stat info;
    return !folder_.empty() && ::stat(folder_.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && ours(info);
  }
  void make_folder() const {
    for (std::size_t end = 0; end != std::string::npos;) {
      end = folder_.find('/', end + 1);
      ::mkdir(folder_.substr(0, end).c_str(), 0700);  // whether it is there then, usable() says
    }
  }

  /// The file's bytes, or none.
  static std::string contents(const std::string& path) {
    // not blocking: opening a pipe would wait for somebody to write into it
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)};
    struct ::stat info;
    if (file.descriptor < 0 || ::fstat(file.descriptor, &info) != 0) return {};
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (!S_ISREG(info.st_mode) || !ours(info) || size > most) return {};
    std::string bytes(size, '\0');
    for (std::size_t done = 0; done < bytes.size();) {
      const auto n = ::read(file.descriptor, bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return {};
      done += static_cast<std::size_t>(n);
    }
    return bytes;
  }
  static bool write(const File& file, std::string_view bytes) {
    if (file.descriptor < 0) return false;
    while (!bytes.empty()) {
      const auto n = ::write(file.descriptor, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  std::string folder_;
};

}  // namespace gradus::cuda
