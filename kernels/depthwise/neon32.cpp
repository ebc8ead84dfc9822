#include "kernels/depthwise/depthwise.inl"

namespace linnet::kernels::neon32 {

const DepthwiseKernels depthwise_kernels{forward, input_gradient, weight_gradient, block, to_blocks};

}  // namespace linnet::kernels::neon32
