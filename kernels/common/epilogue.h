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

/// Of so many instructions that a loop of its own over what has been stored costs little beside it.
__attribute__((always_inline)) inline bool is_long(Activation activation) {
  return activation == Activation::hard_sigmoid || activation == Activation::silu ||
         activation == Activation::sigmoid || activation == Activation::gelu;
}

}  // namespace linnet::kernels
