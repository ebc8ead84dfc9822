#include "kernels/elementwise/elementwise.inl"

namespace linnet::kernels::neon32 {

const ElementwiseKernels elementwise_kernels = {activate_array, activate_gradient,      add, multiply, accumulate,
                                                scale_channels, scale_channels_gradient};

}  // namespace linnet::kernels::neon32
