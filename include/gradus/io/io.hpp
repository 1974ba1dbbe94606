// SPDX-License-Identifier: MIT
// All of gradus/io.
#pragma once

#include <gradus/io/checkpoint.hpp>
#include <gradus/io/entry.hpp>
#include <gradus/io/file.hpp>
#include <gradus/io/json.hpp>
#include <gradus/io/json_reader.hpp>
#include <gradus/io/safetensors.hpp>
