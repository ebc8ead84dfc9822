#include "kernels/conv/conv.inl"

namespace linnet::kernels::sse2 {

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::sse2
