// SPDX-License-Identifier: MIT
// planted TOOL: launches the kernel whose mistake that tool of compute-sanitizer finds. 86 where the emulator has found
// it; on a GPU always 0, so that another exit status is the tool's.
#include "tests/cuda_check/planted.hpp"

#include <cstdio>

#include "tests/support/devices.hpp"

int main(int argc, char** argv) {
  using namespace gradus;
  test::devices();
  for (const check::Planted& p : check::planted) {
    if (argc != 2 || std::string(argv[1]) != p.tool) continue;
    try {
      check::launch(p);
    } catch (const DeviceError& e) { std::puts(e.what()); }
    const auto found = test::device_findings();
    for (const auto& sentence : found) std::puts(sentence.c_str());
    return found.empty() ? 0 : 86;
  }
  return std::fputs("usage: planted memcheck|racecheck|initcheck|synccheck\n", stderr), 2;
}
