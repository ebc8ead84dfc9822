#include "kernels/softmax/softmax.inl"

namespace linnet::kernels::neon32 {

const SoftmaxKernels softmax_kernels = {softmax, softmax_gradient, log_softmax};

}  // namespace linnet::kernels::neon32
