#include "kernels/conv/conv.inl"

namespace linnet::kernels::avx512 {

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::avx512
