// SPDX-License-Identifier: MIT
// Files that tests write: gone when the test is.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gradus_test {

/// An empty folder of the test's own.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int count = 0;
    const auto base = std::filesystem::temp_directory_path();
    do
      path_ = base / ("gradus_test_" + std::to_string(std::hash<const void*>()(this)) + "_" +
                      std::to_string(count++));
    while (!std::filesystem::create_directory(path_));
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name = "") const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int files() const {
    const std::filesystem::directory_iterator all(path_);
    return static_cast<int>(std::distance(begin(all), end(all)));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace gradus_test
