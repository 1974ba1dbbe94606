// SPDX-License-Identifier: MIT
// Compiled for one instruction set and two.cpp for another, in every order of linking: main() is not reached.
#include <cstdio>

#include <gradus/core/instruction_set.hpp>

int two();

int main() { return std::puts("main() runs") < 0 ? 1 : two(); }
