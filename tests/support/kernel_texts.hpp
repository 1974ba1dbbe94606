// SPDX-License-Identifier: MIT
// The texts of kernels that tests ask for, kept in a folder of the build: cuda.texts gives them to the
// compiler that users have.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <unistd.h>

#include <gradus/cuda/cache.hpp>

namespace gradus::test {

namespace fs = std::filesystem;

/// A text's file; its name is a hash of the text.
inline fs::path text_file(const fs::path& folder, const std::string& text) {
  return cuda::CubinCache(folder.string()).path(text) + ".cu";
}

/// A file that is there already becomes a new one: its age says when the text was last asked for.
inline void keep_text(const fs::path& folder, const std::string& text) {
  const fs::path file = text_file(folder, text);
  std::error_code missing;
  fs::last_write_time(file, fs::file_time_type::clock::now(), missing);
  if (!missing) return;
  fs::create_directories(folder);
  const fs::path draft = file.string() + "." + std::to_string(::getpid());
  std::ofstream(draft, std::ios::binary) << text;
  fs::rename(draft, file);
}

/// What has been asked for since `when`. Older texts may be those of kernels that are no more: they are
/// removed.
inline std::set<std::string> kept_texts(const fs::path& folder, fs::file_time_type when) {
  std::set<std::string> texts;
  if (!fs::exists(folder)) return texts;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".cu") continue;
    if (entry.last_write_time() < when) {
      fs::remove(entry.path());
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    texts.emplace(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

}  // namespace gradus::test
