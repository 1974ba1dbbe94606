// SPDX-License-Identifier: MIT
// The devices that tests run on: the CPU, and "cuda" where the toolkit's headers are. That is the emulator, which
// checks every access, on machines with a GPU as well; a GPU where the environment says GRADUS_TEST_GPU=1.
#pragma once

#include <string>
#include <vector>

#include <gradus/core/device.hpp>

namespace gradus::test {

/// Throws DeviceError where a GPU is asked for and cannot be used.
const std::vector<Device>& devices();

/// What the emulator has found since the last call, a sentence each; of a GPU nothing.
std::vector<std::string> device_findings();

/// The emulator in place, whatever the environment says, but no GPU of its opened: for tests in tests/cuda.
void emulate();

}  // namespace gradus::test
