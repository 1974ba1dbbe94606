// SPDX-License-Identifier: MIT
#pragma once

#include <gradus/train/checks.hpp>
#include <gradus/train/feed.hpp>
#include <gradus/train/fit.hpp>
#include <gradus/train/history.hpp>
#include <gradus/train/loss.hpp>
#include <gradus/train/metrics.hpp>
#include <gradus/train/progress.hpp>
#include <gradus/train/repeat.hpp>
#include <gradus/train/repeater.hpp>
#include <gradus/train/scores.hpp>
