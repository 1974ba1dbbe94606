// SPDX-License-Identifier: MIT
// Two units that both include everything must link: a function that is not inline would be defined twice.
#include <gradus/gradus.hpp>

const char* other_unit();

int main() { return other_unit() == nullptr; }
