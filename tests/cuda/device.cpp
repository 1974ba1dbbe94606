// SPDX-License-Identifier: MIT
// "cuda" as a device: why it cannot be used, several of them, memory that comes back. What is the same on a GPU is in
// tests/gpu.
#include <gradus/cuda.hpp>

#include "tests/cuda/child.hpp"
#include "tests/cuda/environment.hpp"
#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using emulator::settings;

namespace {

/// Outlives main(), and all that was made in it.
Array<float> immortal;

/// What "cuda" is refused with in a process of its own, in which prepare() has been called; "auto" gives the
/// CPU and says the same.
template <class F> std::string refusal(const F& prepare, const char* device = "cuda") {
  return in_child([&] {
    prepare();
    const std::string why = words<DeviceError>([&] { Device d(device); });
    const auto choice = Device::choose("auto");
    if (std::string_view(device) == "cuda" && (!choice.device.is_cpu() || choice.reason != "cpu: " + why))
      return "\"auto\" says " + choice.reason + ", but \"cuda\" " + why;
    return why;
  });
}

/// The driver, but cuInit fails.
template <CUresult error> void fail_init() {
  static cuda::Driver table = cuda::library<cuda::Driver>();
  table.Init = [](unsigned) { return error; };
  cuda::stand_in<cuda::Driver> = &table;
}

}  // namespace

// ---- why not

TEST_CASE("a GPU that cannot be used is refused in one sentence, with the remedy") {
  emulate();
  const std::string none = "cuda: no usable GPU: ";
  const Environment visible("CUDA_VISIBLE_DEVICES", nullptr);
  CHECK(refusal([] { settings().devices = 0; }) == none + "the driver sees no device");
  CHECK(refusal([] {
          settings().devices = 0;
          ::setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
        }) == none + "the driver sees no device (CUDA_VISIBLE_DEVICES is \"-1\")");
  const std::string built = std::to_string(CUDA_VERSION / 1000);
  CHECK(refusal([] { settings().driver_version = 11040; }) ==
        none + "the driver supports CUDA 11.4, this program was built for CUDA " + built +
            ".x (update the driver)");
  CHECK(refusal(fail_init<CUDA_ERROR_STUB_LIBRARY>) ==
        none +
            "libcuda.so.1 is the toolkit's stub for linking, not the driver (take .../lib64/stubs out of "
            "LD_LIBRARY_PATH)");
  CHECK(refusal(fail_init<CUDA_ERROR_SYSTEM_DRIVER_MISMATCH>) ==
        none + "the kernel module and libcuda.so.1 are of two versions (reboot after the driver's update)");
  CHECK(refusal(fail_init<CUDA_ERROR_UNKNOWN>) == none + "unknown error (CUDA_ERROR_UNKNOWN, 999)");
}

TEST_CASE("a library that is missing is named, with the remedy") {
  emulate();
  const gradus_test::TemporaryFolder empty;
  const Environment only("GRADUS_CUDA_LIBRARY_PATH", empty.path().c_str());
  const std::string none = "cuda: no usable GPU: ", toolkit = std::to_string(CUDA_VERSION / 1000);
  const std::string remedy =
      " not found (install the CUDA " + toolkit + " toolkit, or set CUDA_HOME to where it is)";
  CHECK(refusal([] { cuda::stand_in<cuda::Driver> = nullptr; }) ==
        none + "libcuda.so.1 not found (is the NVIDIA driver installed?)");
  CHECK(refusal([] { cuda::stand_in<cuda::Nvrtc> = nullptr; }) == none + "libnvrtc.so." + toolkit + remedy);
  CHECK(refusal([] { cuda::stand_in<cuda::CublasLt> = nullptr; }) ==
        none + "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR) + remedy);
}

TEST_CASE("a GPU that is not there, and what is no number") {
  emulate();
  const auto one = [] { settings().devices = 1; };
  const auto two = [] { settings().devices = 2; };
  CHECK(refusal(one, "cuda:1") == "cuda:1: there is one GPU, cuda:0");
  CHECK(refusal(two, "cuda:2") == "cuda:2: there are 2 GPUs, cuda:0 to cuda:1");
  CHECK(refusal(two, "cuda:1") == "no exception");
  CHECK(refusal(two, "cuda:one") ==
        "device \"cuda:one\": after the colon there should be a number, as in \"cuda:1\"");
}

TEST_CASE("\"auto\" takes the GPU that is there, and says so") {
  emulate();
  CHECK(in_child([] { return Device::choose("auto").reason; }) ==
        "cuda:0 (NVIDIA Emulated): found, and asked for by \"auto\"");
}

TEST_CASE("an environment in which strict is not strict is named") {
  emulate();
  CHECK(in_child([] {
          ::setenv("NVIDIA_TF32_OVERRIDE", "1", 1);
          return Device::choose("cuda").reason;
        }) ==
        "cuda:0 (NVIDIA Emulated; NVIDIA_TF32_OVERRIDE=1 makes cublasLt's strict float32 tf32): asked for");
}

TEST_CASE("machine code where NVRTC knows the GPU or its family, else PTX") {
  const std::vector<int> all{75, 80, 86, 89, 90, 100, 103, 120, 121};
  const auto option = [](int gpu, const std::vector<int>& known) {
    return cuda::architecture_for(gpu, known).option();
  };
  for (const int gpu : all) CHECK(option(gpu, all) == "--gpu-architecture=sm_" + std::to_string(gpu));
  CHECK(option(86, {80, 90}) == "--gpu-architecture=sm_80");
  CHECK(option(87, all) == "--gpu-architecture=sm_86");
  CHECK(option(90, {80, 100}) == "--gpu-architecture=compute_80");
  CHECK(option(130, all) == "--gpu-architecture=compute_121");
  CHECK(words<DeviceError>([&] { option(70, all); }) ==
        "cuda: the GPU has compute capability 7.0; this toolkit's NVRTC compiles for 7.5 and later");
}

TEST_CASE("\"auto\" passes over a GPU that cannot be opened, and says why") {
  emulate();
  const std::string reason = in_child([] {
    settings().capability = 52;
    return Device::choose("auto").reason;
  });
  CHECK_THAT(reason, Catch::Matchers::StartsWith("cpu: "));
  CHECK_THAT(reason, Catch::Matchers::Contains("compute capability 5.2"));
}

TEST_CASE("a GPU of any age that NVRTC compiles for works") {
  emulate();
  const auto on = [](int capability) {
    return in_child([&] {
      settings().capability = capability;
      return words<DeviceError>([] {
        const Array<float> y = relu(Array<float>{-1, 2}.to("cuda")).array().to("cpu");
        detail::require<DeviceError>(y == Array<float>{0, 2}, "wrong numbers");
      });
    });
  };
  for (const int capability : {75, 86, 121, 130}) CHECK(on(capability) == "no exception");
  CHECK(on(70) ==
        "cuda: the GPU has compute capability 7.0; this toolkit's NVRTC compiles for 7.5 and later");
}

// ---- several GPUs

TEST_CASE("two GPUs: each its own numbers, one after the other and mixed up") {
  emulate();
  CHECK(in_child([]() -> std::string {
          settings().devices = 2;
          const Array<float> x = arange<float>(70);
          const Array<float> a = x.to("cuda:1");  // opened after the first use of another, and before it
          const Array<float> b = x.to("cuda:0");
          const auto y0 = sum(square(b)), y1 = sum(square(a));
          const auto z0 = relu(b), z1 = relu(a);
          if (a.device().name() != "cuda:1" || b.device().name() != "cuda:0") return "other devices";
          if (y0.item() != y1.item() || y0.item() != 111895) return "other sums";
          if (!(z0.array().to("cuda:1").to("cpu") == x && z1.array().to("cuda:0").to("cpu") == x))
            return "other numbers";
          if (emulator::used(0) == 0 || emulator::used(1) == 0) return "one of them is not used";
          const auto found = emulator::reports();
          return found.empty() ? words<DeviceError>([&] { a + b; }) : found.front();
        }) == "add: operands on cuda:1 and cuda:0; use .to(device)");
}

TEST_CASE("a model is trained on the second GPU as on the first") {
  emulate();
  CHECK(in_child([]() -> std::string {
          settings().devices = 2;
          const auto trained = [](const char* device) {
            nn::Sequential<float> model{nn::Dense{4, 8}, nn::Tanh{}, nn::Dense{8, 3}, nn::Softmax{}};
            FitOptions<float> o;
            o.loss = "softmax_cross_entropy", o.epochs = 2, o.batch_size = 8, o.device = device;
            o.verbose = Verbose::silent;
            fit(model, data::blobs(20, {.features = 4, .seed = 1}), o);
            return model.named_parameters()[0].value().copy();
          };
          const auto first = trained("cuda:0"), second = trained("cuda:1"), third = trained("cuda:0");
          const auto found = emulator::reports();
          if (!found.empty()) return found.front();
          return same_bits(first, second) && same_bits(first, third) ? "the same bits" : "other bits";
        }) == "the same bits");
}

// ---- memory

TEST_CASE("memory comes back, and an array may outlive everything") {
  emulate();
  const Device gpu("cuda");
  immortal = arange<float>(5).to(gpu);
  const auto before = emulator::leaks();
  for (int i = 0; i < 3; ++i) {
    const Array<float> a = arange<float>(100).to(gpu), b = a, c = a.copy(), d = b.slice(2, 50);
    CHECK(d.to("cpu") == arange<float>(50).slice(2, 50));
    CHECK(emulator::leaks() == before + 2);
  }
  CHECK(emulator::leaks() == before);
  CHECK(immortal.to("cpu") == arange<float>(5));
  CHECK(device_findings().empty());
}
