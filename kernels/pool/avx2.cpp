#include "kernels/pool/pool.inl"

namespace linnet::kernels::avx2 {

const PoolKernels pool_kernels{max, max_gradient, average, average_gradient, global_average, global_average_gradient};

}  // namespace linnet::kernels::avx2
