#include "kernels/linear/linear.inl"

namespace linnet::kernels::sse2 {

const LinearKernels linear_kernels = {run, column_sums};

}  // namespace linnet::kernels::sse2
