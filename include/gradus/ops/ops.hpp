// SPDX-License-Identifier: MIT
// Every op. To add one: a file here, and its line below.
#pragma once

#include <gradus/ops/activation.hpp>
#include <gradus/ops/arithmetic.hpp>
#include <gradus/ops/compare.hpp>
#include <gradus/ops/cumsum.hpp>
#include <gradus/ops/dropout.hpp>
#include <gradus/ops/exponential.hpp>
#include <gradus/ops/gather.hpp>
#include <gradus/ops/grad.hpp>
#include <gradus/ops/hessian.hpp>
#include <gradus/ops/linear.hpp>
#include <gradus/ops/loss.hpp>
#include <gradus/ops/matmul.hpp>
#include <gradus/ops/normalize.hpp>
#include <gradus/ops/pointwise.hpp>
#include <gradus/ops/power.hpp>
#include <gradus/ops/product.hpp>
#include <gradus/ops/rectifier.hpp>
#include <gradus/ops/reduce.hpp>
#include <gradus/ops/rounding.hpp>
#include <gradus/ops/saturating.hpp>
#include <gradus/ops/shape.hpp>
#include <gradus/ops/softmax.hpp>
#include <gradus/ops/softmax_cross_entropy.hpp>
