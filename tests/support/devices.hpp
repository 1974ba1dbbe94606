// SPDX-License-Identifier: MIT
// The devices that tests run on: the CPU, and "cuda" where the toolkit's headers are. That is a GPU where
// there is one, else the emulator, which checks every access.
#pragma once

#include <string>
#include <vector>

#include <gradus/core/device.hpp>

namespace gradus::test {

const std::vector<Device>& devices();

/// What the emulator has found since the last call, a sentence each.
std::vector<std::string> device_findings();

}  // namespace gradus::test
