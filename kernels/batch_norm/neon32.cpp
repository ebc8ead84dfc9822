#include "kernels/batch_norm/batch_norm.inl"

namespace linnet::kernels::neon32 {

const ScaleShiftKernels scale_shift_kernels{scale_shift};
const BatchNormKernels batch_norm_kernels{moments, normalise, gradient_sums, input_gradient};

}  // namespace linnet::kernels::neon32
