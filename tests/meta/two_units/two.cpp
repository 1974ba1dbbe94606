// SPDX-License-Identifier: MIT
#include <gradus/gradus.hpp>

const char* other_unit();
const char* other_unit() { return "two"; }
