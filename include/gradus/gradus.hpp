// SPDX-License-Identifier: MIT
// gradus: tensors, reverse-mode automatic differentiation, and the training of neural networks. The one
// include.
#pragma once

#include <gradus/about.hpp>
#include <gradus/core/eigen.hpp>
#include <gradus/core/print.hpp>
#include <gradus/data/data.hpp>
#include <gradus/fwd.hpp>
#include <gradus/io/io.hpp>
#include <gradus/nn/nn.hpp>
#include <gradus/ops/ops.hpp>
#include <gradus/optim/optim.hpp>
#include <gradus/tape/tape.hpp>
#include <gradus/train/train.hpp>
#include <gradus/version.hpp>
