// SPDX-License-Identifier: MIT
// A library needs one unit: it carries the precompiled header.
