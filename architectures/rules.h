// Rules that several families share.
#pragma once

#include <algorithm>
#include <vector>

#include "linnet/types.h"

namespace linnet::architectures {

/// The nearest multiple of `divisor`, at least `divisor`, and one multiple more if that lost over 1 - round_limit of
/// the value. The channel rule of MobileNetV1 to V4 and EfficientNet.
constexpr Index make_divisible(double value, Index divisor = 8, double round_limit = 0.9) {
  const Index nearest = static_cast<Index>(value + double(divisor) / 2) / divisor * divisor;
  const Index rounded = std::max(divisor, nearest);
  return double(rounded) < round_limit * value ? rounded + divisor : rounded;
}

/// Symmetric padding as PyTorch's definitions have it: (kernel - 1) / 2 on odd kernels, for every stride.
constexpr Index symmetric_padding(Index kernel, Index stride, Index dilation = 1) {
  return (stride - 1 + dilation * (kernel - 1)) / 2;
}

/// How often each row of a stage is repeated when the stage is `depth` times as deep: ceil(total * depth) in all,
/// shared out from the last row to the first in proportion (ties to even). timm's rule, of which EfficientNet's is the
/// case of one row.
std::vector<Index> scale_repeats(std::vector<Index> repeats, double depth);

}  // namespace linnet::architectures
