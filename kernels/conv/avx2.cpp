#include "kernels/conv/conv.inl"

namespace linnet::kernels::avx2 {

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::avx2
