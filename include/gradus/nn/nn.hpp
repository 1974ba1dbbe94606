// SPDX-License-Identifier: MIT
// Every layer. To add one: a file here, and its line below.
#pragma once

#include <gradus/nn/activation.hpp>
#include <gradus/nn/dense.hpp>
#include <gradus/nn/dropout.hpp>
#include <gradus/nn/flatten.hpp>
#include <gradus/nn/init.hpp>
#include <gradus/nn/module.hpp>
#include <gradus/nn/sequential.hpp>
#include <gradus/nn/summary.hpp>
