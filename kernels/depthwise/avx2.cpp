#include "kernels/depthwise/depthwise.inl"

namespace linnet::kernels::avx2 {

const DepthwiseBlockKernels depthwise_block_kernels{block, to_blocks};
const DepthwiseKernels depthwise_kernels{forward, input_gradient, weight_gradient};

}  // namespace linnet::kernels::avx2
