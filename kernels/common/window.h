// The geometry of a sliding window over NHWC maps.
#pragma once

#include "linnet/types.h"

namespace linnet::kernels {

/// Output (oy, ox) looks at input (oy * stride - pad_top + ky * dilation, ox * stride - pad_left + kx * dilation).
/// Positions outside the input are padding; bottom and right padding follow from the output size.
struct Window {
  Index batch = 1;
  Index in_height = 0, in_width = 0;
  Index out_height = 0, out_width = 0;
  Index kernel_height = 1, kernel_width = 1;
  Index stride = 1;
  Index dilation = 1;
  Index pad_top = 0, pad_left = 0;

  Index in_pixels() const { return batch * in_height * in_width; }
  Index out_pixels() const { return batch * out_height * out_width; }
  Index kernel_area() const { return kernel_height * kernel_width; }
};

}  // namespace linnet::kernels
