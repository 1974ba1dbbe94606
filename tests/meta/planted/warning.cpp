// SPDX-License-Identifier: MIT
// A planted fault: a conversion that loses digits.
float planted(double x);
float planted(double x) { return x; }
