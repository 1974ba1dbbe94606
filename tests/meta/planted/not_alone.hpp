// SPDX-License-Identifier: MIT
// A planted fault: <vector> is missing.
#pragma once

inline std::vector<int> planted();
