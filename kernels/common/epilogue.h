// What a convolution does to its sums before it stores them.
#pragma once

#include "linnet/types.h"

namespace linnet::kernels {

/// output = activation(sum + bias + residual)
struct Epilogue {
  const float* bias = nullptr;      ///< [out_channels], or null
  const float* residual = nullptr;  ///< as the output, with its own pixel stride; may be the output itself; or null
  Index residual_stride = 0;        ///< floats from one pixel of `residual` to the next
  Activation activation = Activation::none;
};

}  // namespace linnet::kernels
