// SPDX-License-Identifier: MIT
// Why no GPU can be used here, in one line; nothing where one can.
#include <cstdio>

#include <gradus/cuda/context.hpp>

int main() { std::fputs(gradus::cuda::why_not(0).c_str(), stdout); }
