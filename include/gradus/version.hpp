// SPDX-License-Identifier: MIT
// The one place that holds the version: CMakeLists.txt reads it from here.
#pragma once

#define GRADUS_VERSION_MAJOR 0
#define GRADUS_VERSION_MINOR 1
#define GRADUS_VERSION_PATCH 0
#define GRADUS_VERSION "0.1.0"
