#include "kernels/softmax/softmax.inl"

namespace linnet::kernels::avx512 {

const SoftmaxKernels softmax_kernels = {softmax, softmax_gradient, log_softmax};

}  // namespace linnet::kernels::avx512
