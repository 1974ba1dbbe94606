// SPDX-License-Identifier: MIT
// All of gradus/data.
#pragma once

#include <gradus/data/batches.hpp>
#include <gradus/data/csv.hpp>
#include <gradus/data/dataset.hpp>
#include <gradus/data/scale.hpp>
#include <gradus/data/synthetic.hpp>
#include <gradus/data/table.hpp>
