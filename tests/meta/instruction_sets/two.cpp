// SPDX-License-Identifier: MIT
#include <gradus/core/instruction_set.hpp>

int two();
int two() { return 0; }
