// SPDX-License-Identifier: MIT
// Precompiled for all tests: only what seldom changes, so that editing a header of gradus rebuilds what
// includes it and no more.
#pragma once

#include <Eigen/Core>

#include "tests/support/catch.hpp"
