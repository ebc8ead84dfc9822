#include "kernels/shuffle/shuffle.inl"

namespace linnet::kernels::sse2 {

const ShuffleKernels shuffle_kernels = {channel_shuffle, copy_channels, interleave_channels};

}  // namespace linnet::kernels::sse2
