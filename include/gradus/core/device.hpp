// SPDX-License-Identifier: MIT
// Where numbers live: a run-time value that every array carries. "cpu" is always there; a header such as
// gradus/cuda.hpp adds more. Moving is .to(device); mixing two devices in one op is an error in words.
#pragma once

#include <string>
#include <string_view>

#include <gradus/core/error.hpp>

namespace gradus {

namespace kernels {
struct Table;
}
struct Repeating;

/// What a device other than the CPU offers to arrays. Backends live for ever: a Device is a pointer to one.
struct Backend {
  virtual ~Backend() = default;
  virtual std::string name() const = 0;                    ///< "cuda:1"
  virtual std::string describe() const { return name(); }  ///< "cuda:1 (NVIDIA H200)"
  virtual void* allocate(std::size_t bytes) = 0;           ///< aligned to 256 bytes
  virtual void release(void* data, std::size_t bytes) = 0;
  virtual void upload(void* to, const void* host, std::size_t bytes) = 0;
  virtual void download(void* host, const void* from, std::size_t bytes) = 0;  ///< waits for what is pending
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  virtual void zero(void* data, std::size_t bytes) = 0;
  virtual kernels::Table* kernels() { return nullptr; }  ///< kernels/table.hpp; nullptr: it only stores
  virtual Repeating* repeating() { return nullptr; }     ///< nullptr: every kernel is called by the host
};

/// What a device can do without the host, as CUDA graphs do: kernels recorded once and run any number of
/// times, numbers that travel meanwhile. The host waits for marks only.
struct Repeating {
  virtual ~Repeating() = default;
  /// From here on kernels are recorded, and not run, until finish() makes them a program, or abandon().
  virtual void record() = 0;
  virtual void* finish() = 0;
  virtual void abandon() noexcept = 0;
  virtual void run(void* program) = 0;
  virtual void forget(void* program) noexcept = 0;

  virtual void* allocate_host(std::size_t bytes) = 0;  ///< memory that the device reads and writes by itself
  virtual void release_host(void* data) noexcept = 0;
  virtual void upload_later(void* to, const void* host, std::size_t bytes) = 0;
  virtual void download_later(void* host, const void* from, std::size_t bytes) = 0;
  virtual void check() = 0;           ///< waits, and throws what kernels have found wrong: a bad index, say
  virtual void* mark() = 0;           ///< of everything that has been asked for so far
  virtual void wait(void* mark) = 0;  ///< and forgets the mark
};

/// A kind of device that a header adds to the program by one inline variable of this type.
struct DeviceKind {
  const char* name;  ///< "cuda"
  std::string (*why_not)(
      int index);  ///< empty where the device can be used, else the sentence that says why not
  Backend& (*open)(int index);
  std::string (*about)();  ///< lines for gradus::about(); nullptr: none

  DeviceKind(const char* n, std::string (*w)(int), Backend& (*o)(int), std::string (*a)() = nullptr)
      : name(n), why_not(w), open(o), about(a), next(first) {
    first = this;
  }
  DeviceKind* next;
  static inline DeviceKind* first = nullptr;
};

/// A small handle. Default: the CPU.
class Device {
 public:
  constexpr Device() = default;
  explicit constexpr Device(Backend& backend) : backend_(&backend) {}

  /// "cpu", "cuda", "cuda:1" or "auto" (the first device that works, else the CPU). Throws DeviceError with
  /// the reason where the device cannot be used: nothing falls back in silence.
  Device(std::string_view text);
  Device(const char* text) : Device(std::string_view(text)) {}
  Device(const std::string& text) : Device(std::string_view(text)) {}

  struct Choice;
  /// As the constructor, with one sentence that says why it is this device.
  static Choice choose(std::string_view text);

  constexpr bool is_cpu() const { return !backend_; }
  Backend& backend() const { return *backend_; }  ///< not for the CPU
  std::string name() const { return backend_ ? backend_->name() : "cpu"; }
  friend constexpr bool operator==(Device, Device) = default;

 private:
  Backend* backend_ = nullptr;
};

struct Device::Choice {
  Device device;
  std::string reason;
};

inline Device::Device(std::string_view text) : Device(choose(text).device) {}

namespace detail {

inline Device::Choice choose_auto() {
  std::string reasons;
  for (auto* kind = DeviceKind::first; kind; kind = kind->next) {
    std::string why_not = kind->why_not(0);
    if (why_not.empty()) {
      try {
        const Device device(kind->open(0));
        return {device, message(device.backend().describe(), ": found, and asked for by \"auto\"")};
      } catch (const DeviceLost&) { throw; } catch (const DeviceError& e) {
        why_not = e.what();
      }
    }
    reasons.append(reasons.empty() ? "" : "; ").append(why_not);
  }
  return {Device(), message("cpu: ", reasons,
                            reasons.empty() ? "no other kind of device is part of this program" : "")};
}

}  // namespace detail

inline Device::Choice Device::choose(std::string_view text) {
  if (text == "cpu") return {Device(), "cpu: asked for"};
  if (text == "auto") return detail::choose_auto();
  const auto colon = text.find(':');
  const auto kind_name = text.substr(0, colon);
  int index = 0;
  if (colon != text.npos) {
    index = detail::whole_number(text.data() + colon + 1, text.data() + text.size(), 1 << 20);
    if (index < 0)
      detail::fail<DeviceError>("device \"", text,
                                "\": after the colon there should be a number, as in \"cuda:1\"");
  }
  for (auto* kind = DeviceKind::first; kind; kind = kind->next) {
    if (kind_name != kind->name) continue;
    if (const std::string why_not = kind->why_not(index); !why_not.empty()) throw DeviceError(why_not);
    const Device device(kind->open(index));
    return {device, detail::message(device.backend().describe(), ": asked for")};
  }
  if (kind_name == "cuda")
    detail::fail<DeviceError>("device \"cuda\" is not part of this program (#include <gradus/cuda.hpp>)");
  std::string known = "\"auto\", \"cpu\"";
  for (auto* kind = DeviceKind::first; kind; kind = kind->next)
    known.append(", \"").append(kind->name).append("\"");
  detail::fail<DeviceError>("device \"", text, "\" is unknown; known are ", known);
}

}  // namespace gradus
