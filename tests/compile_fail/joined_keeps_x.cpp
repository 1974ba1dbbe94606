// expect: joined
// SPDX-License-Identifier: MIT
// A layer keeps its result y: an activation whose slope needs x cannot be joined to it.
#include <gradus/gradus.hpp>

int main() { return gradus::ops::joined<gradus::ops::Gelu, float>.name[0]; }
