// expect: an array's elements are plain numbers
// SPDX-License-Identifier: MIT
// Arrays are copied as bytes, and to other devices.
#include <string>

#include <gradus/gradus.hpp>

int main() { const gradus::Array<std::string> names; }
