// SPDX-License-Identifier: MIT
// Operands of several shapes as loops over memory.
#pragma once

#include <gradus/core/shape.hpp>

namespace gradus::detail {

/// The loops of a broadcast: neighbouring axes along which every operand moves alike are one, axes of size 1
/// none.
struct Broadcast {
  static constexpr int most = 4;  // operands
  int rank = 0;
  Index size[Shape::max_rank] = {};
  Index stride[most][Shape::max_rank] = {};

  Broadcast(const Shape& y, const Shape* const* x, int operands) {
    Index step[most] = {1, 1, 1, 1};
    for (int axis = y.rank() - 1; axis >= 0; --axis) {  // from the innermost, which is loop 0
      if (y[axis] == 1) continue;
      Index now[most] = {};
      bool joins = rank > 0;
      for (int k = 0; k < operands; ++k) {
        const int own = axis - (y.rank() - x[k]->rank());
        const Index n = own < 0 ? 1 : (*x[k])[own];
        now[k] = n == 1 ? 0 : step[k];
        step[k] *= n;
        joins = joins && now[k] == stride[k][rank - 1] * size[rank - 1];
      }
      if (!joins) {
        for (int k = 0; k < operands; ++k) stride[k][rank] = now[k];
        size[rank++] = y[axis];
      } else {
        size[rank - 1] *= y[axis];
      }
    }
    if (rank == 0) size[rank++] = 1;
  }

  /// Where row r, a run of loop 0, begins in operand k.
  Index offset(int k, Index r) const {
    Index at = 0;
    for (int loop = 1; loop < rank; r /= size[loop++]) at += r % size[loop] * stride[k][loop];
    return at;
  }
};

}  // namespace gradus::detail
