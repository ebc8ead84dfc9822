#pragma once

#include "linnet/types.h"

namespace linnet::kernels {

/// A half-open range of work units: rows, pixels, images.
struct Range {
  Index begin = 0, end = 0;
  Index size() const { return end - begin; }
};

}  // namespace linnet::kernels
