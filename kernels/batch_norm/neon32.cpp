#include "kernels/batch_norm/batch_norm.inl"

namespace linnet::kernels::neon32 {

const BatchNormKernels batch_norm_kernels{scale_shift, moments, normalise, gradient_sums, input_gradient};

}  // namespace linnet::kernels::neon32
