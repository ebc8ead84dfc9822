// Weights as the kernels of this instruction set read them.
#pragma once

#include "linnet/tensor.h"

namespace linnet::compiler {

/// [outputs][inputs][...] of a 1x1 convolution, for kernels::pointwise.
Tensor pack_pointwise(const Tensor& weight);

/// [outputs][inputs][height][width], for kernels::conv.
Tensor pack_dense(const Tensor& weight);

}  // namespace linnet::compiler
