// SPDX-License-Identifier: MIT
// A planted fault: a function in a header that is not inline.
#pragma once

namespace gradus {
int planted() { return 1; }
}  // namespace gradus
