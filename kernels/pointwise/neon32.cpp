#include "kernels/pointwise/pointwise.inl"
#include "kernels/pointwise/weight_gradient.inl"

namespace linnet::kernels::neon32 {

const PointwiseKernels pointwise_kernels = {lanes, tile_heights[2], run};
const PointwiseGradientKernels pointwise_gradient_kernels = {lanes, weight_gradient};

}  // namespace linnet::kernels::neon32
