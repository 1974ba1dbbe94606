// SPDX-License-Identifier: MIT
// A "cubin": the bytes of a shared object that the emulated NVRTC made, loaded from a file in memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <map>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <gradus/core/error.hpp>

#include "tests/support/emulator/prelude.hpp"
#include "tests/support/emulator/settings.hpp"

namespace gradus::test::emulator {

class Module {
 public:
  /// nullptr: not an image of this emulator's compiler, or one without the checks that are asked for.
  static std::unique_ptr<Module> load(const void* image) {
    if (std::strncmp(static_cast<const char*>(image), ELFMAG, SELFMAG) != 0) return nullptr;
    Elf64_Ehdr head;
    std::memcpy(&head, image, sizeof head);
    if (head.e_type != ET_DYN) return nullptr;
    auto module = std::unique_ptr<Module>(new Module);
    module->file_ = ::memfd_create("gradus-kernels", MFD_CLOEXEC);
    const std::size_t bytes = head.e_shoff + std::size_t{head.e_shnum} * head.e_shentsize;  // they stand last
    if (module->file_ < 0 || ::write(module->file_, image, bytes) != static_cast<ssize_t>(bytes))
      return nullptr;
    // By its descriptor, which stays open: dlopen takes an equal name for an equal file.
    module->path_ = gradus::detail::message("/proc/", ::getpid(), "/fd/", module->file_);
    module->library_ = ::dlopen(module->path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module->library_) return nullptr;
    module->parts_ = static_cast<const emulator_module*>(module->symbol("emulator_the_module"));
    if (!module->parts_ || module->parts_->version != prelude_version()) return nullptr;
    return !settings().checks || module->parts_->checked ? std::move(module) : nullptr;
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module() {
    if (library_) ::dlclose(library_);
    if (file_ >= 0) ::close(file_);
  }

  const emulator_module& parts() const { return *parts_; }
  const emulator_kernel* kernel(const std::string& name) const {
    return static_cast<const emulator_kernel*>(symbol("emulator_kernel_" + name));
  }

  /// "kernels:14" of an address in the code, where the module was compiled with checks.
  std::string line(const void* site) {
    const auto [at, is_new] = lines_.try_emplace(site);
    if (is_new) at->second = ask_addr2line(static_cast<const char*>(site) - parts_->image_begin - 1);
    return at->second;
  }

 private:
  Module() = default;
  void* symbol(const std::string& name) const { return ::dlsym(library_, name.c_str()); }
  std::string ask_addr2line(std::ptrdiff_t offset) const {
    char command[128], answer[512] = "";
    std::snprintf(command, sizeof command, "addr2line -e %s 0x%tx 2>/dev/null", path_.c_str(), offset);
    if (FILE* const pipe = ::popen(command, "r")) {
      if (!std::fgets(answer, sizeof answer, pipe)) answer[0] = 0;
      ::pclose(pipe);
    }
    std::string line = answer;
    line.erase(line.find_last_not_of(" \n") + 1);
    const std::size_t extra = line.find(" (disc");
    if (extra != std::string::npos) line.erase(extra);
    const std::size_t folder = line.rfind('/');
    if (folder != std::string::npos) line.erase(0, folder + 1);
    return line.empty() || line[0] == '?' ? "" : line;
  }

  int file_ = -1;
  std::string path_;
  void* library_ = nullptr;
  const emulator_module* parts_ = nullptr;
  std::map<const void*, std::string> lines_;
};

/// A kernel of a loaded module; what a CUkernel points to.
struct Kernel {
  Module* module = nullptr;
  std::string name;
  const emulator_kernel* code = nullptr;
  std::size_t dynamic_limit[2] = {48 << 10, 48 << 10};  // a device: raised by cuKernelSetAttribute

  /// Offset and size of a parameter, as the hardware's parameter space lays them out.
  std::size_t offset(unsigned parameter) const {
    std::size_t at = 0;
    for (unsigned i = 0;; ++i) {
      at = (at + code->alignments[i] - 1) / code->alignments[i] * code->alignments[i];
      if (i == parameter) return at;
      at += code->sizes[i];
    }
  }
};

/// What cuLibraryLoadData makes.
struct Library {
  std::unique_ptr<Module> module;
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
};

}  // namespace gradus::test::emulator
