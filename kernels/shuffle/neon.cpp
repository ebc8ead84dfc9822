#include "kernels/shuffle/shuffle.inl"

namespace linnet::kernels::neon {

const ShuffleKernels shuffle_kernels = {channel_shuffle, copy_channels, interleave_channels};

}  // namespace linnet::kernels::neon
