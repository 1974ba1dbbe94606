// SPDX-License-Identifier: MIT
// All assembly of the headers, for programs that are compiled with -masm=intel.
#include <gradus/about.hpp>

int main() { return gradus::about().empty(); }
