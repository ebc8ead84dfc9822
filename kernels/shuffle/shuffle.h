// Moving values about within NHWC maps: channel shuffle, slice, concatenation; padding.
#pragma once

#include <span>

#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// Channel shuffle (ShuffleNet, section 3.1): the channels seen as [groups][channels / groups] are transposed, so
/// input channel g * (C/groups) + j goes to output channel j * groups + g. Dense rows; no aliasing. The inverse, and
/// so the gradient, is the shuffle with channels / groups groups.
void channel_shuffle(ThreadPool& pool, Index rows, Index channels, Index groups, const float* input, float* output);

/// Copies `channels` floats of each row; strides in floats. Concatenation and slicing are copies into or out of a
/// channel range of wider rows. No aliasing.
void copy_channels(ThreadPool& pool, Index rows, Index channels, const float* input, Index input_stride, float* output,
                   Index output_stride);

/// Concatenation and shuffle with two groups in one: output[row][2 * c] = a[row][c], output[row][2 * c + 1] =
/// b[row][c]. Rows of `channels` floats each, of 2 * channels in the output; strides of the inputs in floats. No
/// aliasing.
void interleave_channels(ThreadPool& pool, Index rows, Index channels, const float* a, Index a_stride, const float* b,
                         Index b_stride, float* output);

/// Zeros around maps [batch][height][width][channels]; negative amounts cut off.
struct PadArgs {
  Index batch = 0, height = 0, width = 0, channels = 0;  ///< of the input
  Index top = 0, left = 0, bottom = 0, right = 0;

  Index out_height() const { return top + height + bottom; }
  Index out_width() const { return left + width + right; }
  /// From the output back to the input; the gradient.
  PadArgs inverse() const { return {batch, out_height(), out_width(), channels, -top, -left, -bottom, -right}; }
};
/// Dense, no aliasing.
void zero_pad(ThreadPool& pool, const PadArgs& args, const float* input, float* output);

/// One instruction set's share of the work: single-threaded, on as many rows as it is given.
struct ShuffleKernels {
  void (*channel_shuffle)(Index rows, Index channels, Index groups, const float* input, float* output);
  void (*copy_channels)(Index rows, Index channels, const float* input, Index input_stride, float* output,
                        Index output_stride);
  void (*interleave_channels)(Index rows, Index channels, const float* a, Index a_stride, const float* b,
                              Index b_stride, float* output);
};

#define LINNET_VARIANT(isa)                    \
  namespace isa {                              \
  extern const ShuffleKernels shuffle_kernels; \
  }
#include "kernels/shuffle/variants.inc"

std::span<const Variant<ShuffleKernels>> shuffle_variants();

}  // namespace linnet::kernels
