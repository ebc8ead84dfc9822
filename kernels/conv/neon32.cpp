#include "kernels/conv/conv.inl"

namespace linnet::kernels::neon32 {

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::neon32
