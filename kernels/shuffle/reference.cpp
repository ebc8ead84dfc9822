#include "kernels/shuffle/shuffle.h"

namespace linnet::kernels::scalar {
namespace {

void channel_shuffle(Index rows, Index channels, Index groups, const float* input, float* output) {
  const Index size = channels / groups;
  for (Index row = 0; row < rows; ++row, input += channels, output += channels) {
    for (Index g = 0; g < groups; ++g) {
      for (Index j = 0; j < size; ++j) output[j * groups + g] = input[g * size + j];
    }
  }
}

void copy_channels(Index rows, Index channels, const float* input, Index input_stride, float* output,
                   Index output_stride) {
  for (Index row = 0; row < rows; ++row) {
    for (Index c = 0; c < channels; ++c) output[row * output_stride + c] = input[row * input_stride + c];
  }
}

void interleave_channels(Index rows, Index channels, const float* a, Index a_stride, const float* b, Index b_stride,
                         float* output) {
  for (Index row = 0; row < rows; ++row) {
    for (Index c = 0; c < channels; ++c) {
      *output++ = a[row * a_stride + c];
      *output++ = b[row * b_stride + c];
    }
  }
}

}  // namespace

const ShuffleKernels shuffle_kernels = {channel_shuffle, copy_channels, interleave_channels};

}  // namespace linnet::kernels::scalar
