// expect: the words that were expected
// SPDX-License-Identifier: MIT
// A planted fault: it fails for another reason.
int main() { return undeclared; }
