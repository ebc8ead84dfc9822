#include "kernels/linear/linear.inl"

namespace linnet::kernels::avx512 {

const LinearKernels linear_kernels = {run, column_sums};

}  // namespace linnet::kernels::avx512
