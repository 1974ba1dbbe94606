// expect: deleted
// SPDX-License-Identifier: MIT
// A tape is a scope: a second one would hold the same records.
#include <gradus/gradus.hpp>

int main() {
  gradus::Tape tape;
  const gradus::Tape other = tape;
}
