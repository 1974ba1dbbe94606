// SPDX-License-Identifier: MIT
// Every rule. To add one: a file here, and its line below.
#pragma once

#include <gradus/optim/adadelta.hpp>
#include <gradus/optim/adagrad.hpp>
#include <gradus/optim/adam.hpp>
#include <gradus/optim/adamax.hpp>
#include <gradus/optim/clip.hpp>
#include <gradus/optim/nadam.hpp>
#include <gradus/optim/optimizer.hpp>
#include <gradus/optim/rmsprop.hpp>
#include <gradus/optim/rule.hpp>
#include <gradus/optim/schedule.hpp>
#include <gradus/optim/sgd.hpp>
