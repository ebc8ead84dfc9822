#include "kernels/conv/conv.inl"

namespace linnet::kernels::neon {

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::neon
