// SPDX-License-Identifier: MIT
// "cuda" as a device: why it cannot be used, several of them, arrays on it, indices that it refuses, threads.
#include <atomic>
#include <chrono>
#include <thread>

#include <gradus/cuda.hpp>

#include "tests/cuda/child.hpp"
#include "tests/cuda/environment.hpp"
#include "tests/io/temporary.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
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

/// After each launch others have their turn: the worst that threads can do to each other, while it lives.
class Interleaved {
 public:
  Interleaved() {
    table() = *cuda::stand_in<cuda::Driver>;
    const_cast<cuda::Driver&>(*cuda::stand_in<cuda::Driver>)
        .LaunchKernel =  // the emulator's, which is not const
        [](auto... arguments) {
          const CUresult r = table().LaunchKernel(arguments...);
          std::this_thread::sleep_for(std::chrono::microseconds(50));
          return r;
        };
  }
  Interleaved(const Interleaved&) = delete;
  ~Interleaved() {
    const_cast<cuda::Driver&>(*cuda::stand_in<cuda::Driver>).LaunchKernel = table().LaunchKernel;
  }

 private:
  static cuda::Driver& table() {
    static cuda::Driver before;
    return before;
  }
};

Array<float> counted(Index n, float first = 0) {
  Array<float> a{Shape{n}};
  for (Index i = 0; i < n; ++i) a.mutable_data()[i] = first + float(i);
  return a;
}

}  // namespace

// ---- why not

TEST_CASE("a GPU that cannot be used is refused in one sentence, with the remedy") {
  if (!emulated()) return;
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
  if (!emulated()) return;
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
  if (!emulated()) return;
  const auto one = [] { settings().devices = 1; };
  const auto two = [] { settings().devices = 2; };
  CHECK(refusal(one, "cuda:1") == "cuda:1: there is one GPU, cuda:0");
  CHECK(refusal(two, "cuda:2") == "cuda:2: there are 2 GPUs, cuda:0 to cuda:1");
  CHECK(refusal(two, "cuda:1") == "no exception");
  CHECK(refusal(two, "cuda:one") ==
        "device \"cuda:one\": after the colon there should be a number, as in \"cuda:1\"");
}

TEST_CASE("\"auto\" takes the GPU that is there, and says so") {
  if (!emulated()) return;
  CHECK(in_child([] { return Device::choose("auto").reason; }) ==
        "cuda:0 (NVIDIA Emulated): found, and asked for by \"auto\"");
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
  if (!emulated()) return;
  const std::string reason = in_child([] {
    settings().capability = 52;
    return Device::choose("auto").reason;
  });
  CHECK_THAT(reason, Catch::Matchers::StartsWith("cpu: "));
  CHECK_THAT(reason, Catch::Matchers::Contains("compute capability 5.2"));
}

TEST_CASE("a GPU of any age that NVRTC compiles for works") {
  if (!emulated()) return;
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
  if (!emulated()) return;
  CHECK(in_child([]() -> std::string {
          settings().devices = 2;
          const Array<float> x = counted(70);
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
  if (!emulated()) return;
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

// ---- arrays

TEST_CASE("arrays on a GPU: made, copied, sliced, read, owned") {
  const Device gpu = devices().back();
  const Array<float> x = counted(12), a = x.to(gpu);
  CHECK(a.device() == gpu);
  CHECK(a.to(gpu).data() == a.data());  // it is there already
  CHECK(a.copy().data() != a.data());
  CHECK(a.to("cpu") == x);
  CHECK(a.copy().to("cpu") == x);
  CHECK(a.slice(3, 7).to("cpu") == counted(4, 3));
  CHECK(a.reshape({3, 4})[1].copy().to("cpu") == counted(4, 4));
  CHECK(a.slice(11, 12).item() == 11);
  CHECK(zeros<float>({5}, gpu).to("cpu") == Array<float>{0, 0, 0, 0, 0});
  CHECK(full<float>({2}, 7, gpu).to("cpu") == Array<float>{7, 7});
  CHECK(Array<double>{1, 2}.to(gpu).to("cpu") == Array<double>{1, 2});
  CHECK(Array<std::int32_t>{1, -2}.to(gpu).to("cpu") == Array<std::int32_t>{1, -2});

  CHECK(words<OwnershipError>([&] {
          Array<float> shared = a;
          shared.mutable_data();
        }) != "no exception");
  Array<float> owned = a.copy();
  CHECK(words<OwnershipError>([&] { owned.mutable_data(); }) == "no exception");
  CHECK(words<DeviceError>([&] { a.values(); }) ==
        "values: the array [12] is on " + gpu.name() + "; move it with .to(\"cpu\")");
  CHECK(words<DeviceError>([&] { a(1); }) ==
        "element access: the array [12] is on " + gpu.name() + "; move it with .to(\"cpu\")");
  CHECK(device_findings().empty());
}

TEST_CASE("arrays of nothing on a GPU") {
  const Device gpu = devices().back();
  for (const Shape& shape : {Shape{0}, Shape{3, 0}, Shape{0, 2}}) {
    const Array<float> x(shape), a = x.to(gpu);
    CHECK(a.shape() == shape);
    CHECK(a.to("cpu") == x);
    CHECK(a.copy().to("cpu") == x);
    CHECK(Array<float>(shape, gpu).to("cpu") == x);
    CHECK(relu(a).array().to("cpu") == x);
    CHECK(sum(a).item() == 0);
  }
  CHECK(counted(3).to(gpu).slice(1, 1).to("cpu") == Array<float>(Shape{0}));
  CHECK(device_findings().empty());
}

TEST_CASE("memory comes back, and an array may outlive everything") {
  if (!emulated()) return;
  const Device gpu = devices().back();
  immortal = counted(5).to(gpu);
  const auto before = emulator::leaks();
  for (int i = 0; i < 3; ++i) {
    const Array<float> a = counted(100).to(gpu), b = a, c = a.copy(), d = b.slice(2, 50);
    CHECK(d.to("cpu") == counted(48, 2));
    CHECK(emulator::leaks() == before + 2);
  }
  CHECK(emulator::leaks() == before);
  CHECK(immortal.to("cpu") == counted(5));
  CHECK(device_findings().empty());
}

// ---- bad indices

TEST_CASE("an index outside is an error in the CPU's words, once, at the next download") {
  const Device gpu = devices().back();
  const Array<float> table = counted(10).reshape({5, 2}), on_gpu = table.to(gpu);
  const Array<std::int32_t> good{0, 4, 2}, bad{0, 4, 1, 7, -1, 9};
  const auto fails_as_on_the_cpu = [&](const auto& f) {
    const std::string said = words<IndexError>([&] { f(Device()); });
    CAPTURE(said);
    CHECK(said != "no exception");
    const auto y = f(gpu);  // nobody has looked yet
    CHECK(words<IndexError>([&] { y.array().to("cpu"); }) == said);
    CHECK(words<IndexError>([&] { on_gpu.to("cpu"); }) == "no exception");
    CHECK(take(on_gpu, good.to(gpu)).array().to("cpu") == take(table, good).array());
  };
  CHECK(words<IndexError>([&] { take(on_gpu, bad.to(gpu)).array().to("cpu"); }) ==
        "take: index 7 at place 3 is outside 0 to 4");
  fails_as_on_the_cpu([&](Device d) { return take(table.to(d), bad.to(d)); });
  fails_as_on_the_cpu([&](Device d) { return one_hot<float>(bad.to(d), 5); });
  const Array<std::int32_t> negative{3, -2147483647 - 1, 8};
  fails_as_on_the_cpu([&](Device d) { return take(table.to(d), negative.to(d)); });
  fails_as_on_the_cpu([&](Device d) { return one_hot<float>(negative.to(d), 5); });
  const Array<float> logits = counted(12).reshape({6, 2});
  fails_as_on_the_cpu([&](Device d) { return softmax_cross_entropy(logits.to(d), bad.to(d)); });
  CHECK(device_findings().empty());
}

TEST_CASE("two kinds of bad indices: each is told of") {
  const Device gpu = devices().back();
  const Array<float> table = counted(5).to(gpu);
  const auto y = take(table, Array<std::int32_t>{5}.to(gpu));
  const auto z = one_hot<float>(Array<std::int32_t>{1, 6}.to(gpu), 4);
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "take: index 5 at place 0 is outside 0 to 4");
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "one_hot: label 6 at place 1 is outside 0 to 3");
  CHECK(words<IndexError>([&] { table.to("cpu"); }) == "no exception");
}

// ---- threads

TEST_CASE("threads that share a model and a GPU get the right bits") {
  if (!emulated()) return;
  const Device gpu = devices().back();
  nn::Sequential<float> model{nn::Dense{40, 48}, nn::Relu{}, nn::Dense{48, 3}, nn::Softmax{}};
  model.to(gpu);
  // the sum of 9,000 is had in parts, through memory that all threads share
  const Array<float> long_ones[] = {numbers({9000}).to<float>().to(gpu),
                                    numbers({9000}, 1, 2).to<float>().to(gpu)};
  const float totals[] = {sum(long_ones[0]).item(), sum(long_ones[1]).item()};
  const auto input = [](int i) { return numbers({40, 40}, -1, 1, std::uint64_t(i)).to<float>(); };
  std::vector<Array<float>> expected;
  for (int i = 0; i < 4; ++i) expected.push_back(predict(model, input(i)));
  const Interleaved launches;
  const auto work = [&](int which, std::string& wrong) {
    try {
      for (int i = 0; i < 8; ++i) {
        const int k = (2 * which + i) % 4;
        if (!same_bits(predict(model, input(k)), expected[std::size_t(k)])) wrong += "other outputs; ";
      }
      std::vector<Tensor<float>> sums;  // nobody waits: the launches of both threads meet in the stream
      for (int i = 0; i < 100; ++i) sums.push_back(sum(long_ones[which]));
      for (const auto& y : sums)
        if (y.item() != totals[which]) wrong += "another sum; ";
    } catch (const std::exception& e) { wrong += e.what(); }
  };
  std::string wrong[2];
  std::thread one(work, 0, std::ref(wrong[0])), two(work, 1, std::ref(wrong[1]));
  one.join(), two.join();
  CHECK(wrong[0] == "");
  CHECK(wrong[1] == "");
  CHECK(device_findings().empty());
}

TEST_CASE("one thread trains while another infers: each as if it were alone") {
  if (!emulated()) return;
  const Device gpu = devices().back();
  nn::Sequential<float> idle{nn::Dense{4, 8}, nn::Tanh{}, nn::Dense{8, 3}};
  idle.to(gpu);
  const Array<float> x = numbers({16, 4}).to<float>();
  const Array<float> expected = predict(idle, x);
  const auto trained = [&] {
    nn::Sequential<float> model{nn::Dense{4, 8}, nn::Tanh{}, nn::Dropout{0.2}, nn::Dense{8, 3},
                                nn::Softmax{}};
    FitOptions<float> o;
    o.loss = "softmax_cross_entropy", o.epochs = 4, o.batch_size = 8, o.device = gpu.name();
    o.metrics = {"accuracy"}, o.verbose = Verbose::silent;
    fit(model, data::blobs(60, {.features = 4, .seed = 1}), o);
    return model.named_parameters()[0].value().copy();
  };
  const Array<float> alone = trained();
  const Interleaved launches;
  std::atomic<bool> done = false;
  std::string wrong;
  std::thread other([&] {
    try {
      while (!done)
        if (!same_bits(predict(idle, x), expected)) wrong += "other outputs; ";
    } catch (const std::exception& e) { wrong += e.what(); }
  });
  std::vector<Array<float>> results;
  std::string failed;
  try {
    for (int i = 0; i < 3; ++i) results.push_back(trained());
  } catch (const std::exception& e) { failed = e.what(); }
  done = true, other.join();
  CHECK(failed == "");
  CHECK(wrong == "");
  for (const auto& r : results) CHECK(same_bits(r, alone));
  CHECK(device_findings().empty());
}

TEST_CASE("whole numbers are summed as they are") {
  devices();
  const Array<std::int64_t> wide = {1, 2, 3, std::int64_t(1) << 60};
  CHECK(sum(wide.to("cuda")).array().item() == (std::int64_t(1) << 60) + 6);
  CHECK(sum(Array<std::int32_t>{{1, 2}, {30, 40}}.to("cuda"), 0).array().to("cpu") ==
        Array<std::int32_t>{31, 42});
  CHECK(words<DeviceError>([] {
          sum(Array<std::uint8_t>{1, 2}.to("cuda"));
        }) == "sum: uint8 is not summed on a GPU; convert on the CPU, with array.to<float>()");
  for (const auto& found : device_findings()) FAIL_CHECK(found);
}
