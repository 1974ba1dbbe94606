// expect: this must not compile
// SPDX-License-Identifier: MIT
// A planted fault: it does.
int main() {}
