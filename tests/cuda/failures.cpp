// SPDX-License-Identifier: MIT
// Whatever fails, fails cleanly: each call of a training made to fail in turn, memory that is full, a GPU
// that is lost. Each in a process of its own, for a GPU is opened once.
#include <array>
#include <bit>
#include <cmath>
#include <iostream>
#include <sstream>

#include <gradus/cuda.hpp>

#include "tests/cuda/child.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/emulator/emulator.hpp"
#include "tests/support/words.hpp"

using namespace gradus;
using namespace gradus::test;
using detail::message;
using emulator::settings;

namespace {

/// Counts the calls of one place of a table that succeed (what destroys always does).
template <auto slot> struct Calls;
template <class Table, class R, class... A, R (*Table::*slot)(A...)> struct Calls<slot> {
  static inline R (*real)(A...) = nullptr;
  static inline long n = 0;
  static R counted(A... a) {
    const R r = real(a...);
    n += r == R{};
    return r;
  }
  static void count() {
    if (real) return;
    auto& place = const_cast<Table&>(cuda::library<Table>()).*slot;  // the emulator's, which is not const
    real = std::exchange(place, &counted);
  }
};
template <auto makes, auto destroys> long alive() { return Calls<makes>::n - Calls<destroys>::n; }

/// What a GPU and its libraries hold.
struct Ledger {
  static constexpr const char* names[] = {"bytes",   "allocations",        "pinned",    "streams", "events",
                                          "graphs",  "programs of graphs", "libraries", "texts",   "products",
                                          "layouts", "preferences"};
  std::array<long, std::size(names)> lines{};
  /// Plans of products stay, as kernels do; this must come back.
  std::string memory() const {
    return message(lines[0], " bytes, ", lines[1], " allocations, ", lines[2], " pinned");
  }
  std::string str() const {
    std::string all;
    for (const long n : lines) all += message(n, " ");
    return all;
  }
};
Ledger ledger() {
  using D = cuda::Driver;
  using N = cuda::Nvrtc;
  using L = cuda::CublasLt;
  long bytes = 0;  // without those whose free is in a queue
  emulator::heap().each_live([&](const auto& a) { bytes += a.leaving ? 0 : long(a.size); });
  return {{bytes, long(emulator::leaks()), alive<&D::MemHostAlloc, &D::MemFreeHost>(),
           alive<&D::StreamCreate, &D::StreamDestroy>(), alive<&D::EventCreate, &D::EventDestroy>(),
           alive<&D::StreamEndCapture, &D::GraphDestroy>(),
           alive<&D::GraphInstantiate, &D::GraphExecDestroy>(),
           alive<&D::LibraryLoadData, &D::LibraryUnload>(), alive<&N::CreateProgram, &N::DestroyProgram>(),
           alive<&L::MatmulDescCreate, &L::MatmulDescDestroy>(),
           alive<&L::MatrixLayoutCreate, &L::MatrixLayoutDestroy>(),
           alive<&L::MatmulPreferenceCreate, &L::MatmulPreferenceDestroy>()}};
}
template <auto... slots> void count() { (Calls<slots>::count(), ...); }
void open_ledger() {
  using D = cuda::Driver;
  using N = cuda::Nvrtc;
  using L = cuda::CublasLt;
  count<&D::MemHostAlloc, &D::MemFreeHost, &D::StreamCreate, &D::StreamDestroy, &D::EventCreate,
        &D::EventDestroy, &D::StreamEndCapture, &D::GraphDestroy, &D::GraphInstantiate, &D::GraphExecDestroy,
        &D::LibraryLoadData, &D::LibraryUnload, &N::CreateProgram, &N::DestroyProgram, &L::MatmulDescCreate,
        &L::MatmulDescDestroy, &L::MatrixLayoutCreate, &L::MatrixLayoutDestroy, &L::MatmulPreferenceCreate,
        &L::MatmulPreferenceDestroy>();
}
/// Empty, or what there is more of than is allowed.
std::string surplus(const Ledger& now, const Ledger& allowed) {
  std::string all;
  for (std::size_t i = 0; i < now.lines.size(); ++i)
    if (const long n = now.lines[i] - allowed.lines[i]; n > 0)
      all += message(", ", n, " ", Ledger::names[i], " too many");
  return all;
}

template <std::size_t bytes> using Bits = std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>;
using Model = nn::Sequential<float>;

/// 64 · 32 · 32 is what cublasLt is asked for. Two whole batches and a part, two epochs: steps by the host,
/// steps that are recorded one by one, and two of them together.
struct Training {
  data::Dataset<float> samples = data::blobs(71, {.features = 64, .centers = 4, .seed = 5});
  Model model{nn::Dense{64, 32}, nn::Relu{}, nn::Dropout{0.25}, nn::Dense{32, 4}, nn::Softmax{}};
  FitOptions<float> options = [] {
    FitOptions<float> o;
    o.loss = "softmax_cross_entropy", o.metrics = {"accuracy"};
    o.epochs = 2, o.device = "cuda", o.verbose = Verbose::silent;
    return o;
  }();
  History history{};
  std::string error{};  // its words

  explicit Training(int epochs = 2) { options.epochs = epochs; }
  Training& run() {
    try {
      history = fit(model, samples, options);
    } catch (const Error& e) { error = e.what(); }
    return *this;
  }
  /// A hash of what it has learnt.
  std::string bits() const {
    std::uint64_t h = 0;
    const auto add = [&h](const auto& x) { h = (h ^ std::bit_cast<Bits<sizeof x>>(x)) * 0x9e3779b97f4a7c15; };
    for (const auto& s : history.series)
      for (const double x : s.values) add(x);
    for (const auto& p : model.named_parameters())
      for (const float x : p.value()) add(x);
    return message(h);
  }
  /// Empty, or what is wrong with the model after an error.
  std::string complaint() const {
    if (!model.device().is_cpu()) return ", the model is on " + model.device().name();
    for (const auto& p : model.named_parameters())
      for (const float x : p.value())
        if (!std::isfinite(x)) return ", parameter " + p.name + " is not finite";
    return {};
  }
};

}  // namespace

TEST_CASE("each call of a training fails in turn") {
  emulate();
  open_ledger(), emulator::heap();  // made once, for all children
  // of a process that nothing disturbs
  std::istringstream reference(in_child([] {
    emulator::clear();
    const Training first = Training().run();
    const auto calls = emulator::calls();
    const Training second = Training(1).run();
    return message(calls, " ", ledger(), first.bits(), " ", second.bits(), " ", first.error, second.error);
  }));
  std::size_t calls = 0;
  Ledger allowed;
  std::string bits, bits_again, error;
  reference >> calls;
  for (long& n : allowed.lines) reference >> n;
  reference >> bits >> bits_again >> error;
  REQUIRE(error.empty());
  REQUIRE(calls > 0);

  std::size_t exceptions = 0, overcome = 0, leaks = 0;
  for (std::size_t n = 1; n <= calls; ++n) {
    // "exception" or "overcome", then all that is wrong, then a line with what happened
    const std::string result = in_child([&] {
      settings().checks = n % 3 == 0;  // of kernels: they take the most time
      emulator::clear(), emulator::fail_call(n);
      const Training t = Training().run();
      const std::string failed = emulator::failed();
      emulator::fail_call(0);
      std::string wrong = failed.empty() ? ", no call failed" : "";
      wrong += t.complaint() + surplus(ledger(), allowed);
      if (t.error.empty() && t.bits() != bits) wrong += ", other numbers";
      const Training again = Training(1).run();
      wrong += surplus(ledger(), allowed);
      if (again.bits() != bits_again) wrong += ", other numbers afterwards: " + again.error;
      for (const auto& r : emulator::reports()) wrong += ", " + r;
      return message(t.error.empty() ? "overcome" : "exception", wrong, "\n", failed, ": ", t.error);
    });
    exceptions += result.starts_with("exception\n"), overcome += result.starts_with("overcome\n");
    leaks += result.find("too many") != result.npos;
    INFO("call " << n << ": " << result);
    CHECK((result.starts_with("exception\n") || result.starts_with("overcome\n")));
  }
  std::cout << calls << " calls failed in turn, " << exceptions << " clean exceptions, " << overcome
            << " overcome with the same result, " << leaks << " leaks\n";
}

TEST_CASE("memory that is full is an exception, after which a smaller batch fits") {
  emulate();
  open_ledger(), emulator::heap();
  const auto training = [](Index batch) {
    settings().checks = false;
    Training t(1);
    t.samples = data::blobs(512, {.features = 16, .centers = 4, .seed = 5});
    t.model = Model{nn::Dense{16, 512}, nn::Relu{}, nn::Dense{512, 4}, nn::Softmax{}};
    t.options.batch_size = batch;
    return t;
  };
  const std::string bits = in_child([&] { return training(64).run().bits(); });
  const auto full = [&] {
    const Array<float> held = zeros<float>({3, 5}, "cuda");
    std::string wrong;
    if (const auto t = training(64).run(); t.bits() != bits) wrong += ", other numbers before: " + t.error;
    const std::string before = ledger().memory();
    settings().capacity = emulator::used() + (std::size_t(1) << 20);
    Training large = training(512);
    const std::string said = words<OutOfMemory>([&] { fit(large.model, large.samples, large.options); });
    if (!said.starts_with("cuda:0: out of memory: ") || !said.ends_with(" free (a smaller batch needs less)"))
      wrong += ", it says: " + said;
    wrong += large.complaint();
    if (ledger().memory() != before) wrong += message(", ", ledger().memory(), " after ", before);
    large.options.batch_size = 64;  // the same model goes on
    if (large.run().bits() != bits) wrong += ", other numbers: " + large.error;
    if (ledger().memory() != before) wrong += message(", ", ledger().memory(), " at the end, after ", before);
    if (!(held.to("cpu") == Array<float>(Shape{3, 5}))) wrong += ", what was there has changed";
    for (const auto& r : emulator::reports()) wrong += ", " + r;
    return wrong;
  };
  CHECK(in_child(full) == "");
}

TEST_CASE("an array that is too large is an exception that says how much there is") {
  emulate();
  CHECK(
      in_child([]() -> std::string {
        settings().capacity = std::size_t(8) << 20;
        const Array<float> five = zeros<float>({5, 1 << 18}, "cuda");
        const std::string said = words<OutOfMemory>([] { zeros<float>({12, 1 << 18}, "cuda"); });
        return zeros<float>({2, 1 << 18}, "cuda").slice(1, 2)[0].slice(7, 8).item() == 0 ? said : "not zero";
      }) == "cuda:0: out of memory: 12 MiB asked for, 2 of 8 MiB free (a smaller batch needs less)");
}

namespace {

const std::string lost =
    "an illegal memory access was encountered (CUDA_ERROR_ILLEGAL_ADDRESS, 700)"
    "; the GPU and all that is in its memory are lost to this process";

/// Empty, or what is wrong after the GPU has been lost with these words.
std::string complaint_of_lost(const std::string& said, const std::string& cpu_bits) {
  std::string wrong;
  if (!said.starts_with("cuda:0: ") || !said.ends_with(lost)) wrong += ", it says: " + said;
  const auto says_so = [&](const char* what, const auto& f) {
    if (const auto now = words<DeviceLost>(f); now != said) wrong += message(", ", what, ": ", now);
  };
  const Array<float> x{1, 2, 3};
  says_so("to the GPU", [&] { x.to("cuda"); });
  says_so("zeros", [&] { zeros<float>({2}, "cuda:0"); });
  Training again(1);
  says_so("training", [&] { fit(again.model, again.samples, again.options); });
  if (const auto c = again.complaint(); !c.empty()) wrong += ", of another model" + c;
  Training on_cpu(1);
  on_cpu.options.device = "cpu";
  if (on_cpu.run().bits() != cpu_bits) wrong += ", the CPU: " + on_cpu.error;
  return wrong;
}

/// The GPU fails in the middle of a launch, after so many: later calls will tell.
long launches = 0;
template <auto slot> struct Fault;
template <class Table, class R, class... A, R (*Table::*slot)(A...)> struct Fault<slot> {
  static inline R (*real)(A...) = nullptr;
  static void plant() {
    auto& place = const_cast<Table&>(cuda::library<Table>()).*slot;
    real = place;
    place = [](A... a) {
      const R r = real(a...);
      if (--launches == 0) emulator::lose_device();
      return r;
    };
  }
};

}  // namespace

TEST_CASE("a GPU that is lost says so at once and for ever after; the CPU goes on") {
  emulate();
  emulator::heap();
  const std::string cpu_bits = in_child([] {
    Training t(1);
    t.options.device = "cpu";
    return t.run().bits();
  });
  // a fault in each of the launches
  const auto fault = [&](long n) {
    Fault<&cuda::Driver::LaunchKernel>::plant(), Fault<&cuda::Driver::GraphLaunch>::plant();
    Fault<&cuda::CublasLt::Matmul>::plant();
    launches = n, settings().checks = false;
    const Array<float> held = zeros<float>({3}, "cuda");
    Training t;
    const auto said = words<DeviceLost>([&] { fit(t.model, t.samples, t.options); });
    if (n == 0) return said + message(-launches);
    std::string wrong = complaint_of_lost(said, cpu_bits);
    if (words<DeviceLost>([&] { held.item(); }) == "no exception") wrong += ", an array can be read";
    return wrong;  // held and t.model go, with what they hold on the GPU
  };
  const std::string undisturbed = in_child([&] { return fault(0); });
  REQUIRE(undisturbed.starts_with("no exception"));
  const long all = std::stol(undisturbed.substr(12));
  REQUIRE(all > 0);
  for (long n = 1; n <= all; ++n) {
    CAPTURE(n);
    CHECK(in_child([&] { return fault(n); }) == "");
  }
  std::cout << "a fault in each of " << all << " launches: the GPU is lost, the CPU goes on\n";
}

TEST_CASE("a GPU that is lost between two calls, and where nobody asks it anything") {
  emulate();
  CHECK(in_child([]() -> std::string {
          Training t;
          t.options.after_epoch = [](Epoch<float>&) { emulator::lose_device(); };
          const Array<float> held = Array<float>{1, 2}.to("cuda"), copy = held.copy();
          const auto said = words<DeviceLost>([&] { fit(t.model, t.samples, t.options); });
          const auto again = words<DeviceLost>([&] { copy.copy(); });
          const auto moved = words<DeviceLost>([&] { t.model.to("cpu"); });
          return said == again && said == moved ? said : said + " / " + again + " / " + moved;
        }).ends_with(lost));
}
