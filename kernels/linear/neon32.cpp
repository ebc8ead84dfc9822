#include "kernels/linear/linear.inl"

namespace linnet::kernels::neon32 {

const LinearKernels linear_kernels = {run, column_sums};

}  // namespace linnet::kernels::neon32
