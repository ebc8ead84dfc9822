// Blur pooling as what it is, a depthwise convolution with fixed weights.
#pragma once

#include "linnet/ops.h"
#include "linnet/tensor.h"

namespace linnet {

inline op::Conv2d blur_convolution(Index channels) {
  return {.out_channels = channels,
          .kernel = op::BlurPool::kernel,
          .stride = op::BlurPool::stride,
          .groups = channels,
          .padding = op::BlurPool::padding};
}

/// [channels, 1, 3, 3], each the outer product of (1, 2, 1) / 4 with itself.
Tensor blur_filter(Index channels);

}  // namespace linnet
