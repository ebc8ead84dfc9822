// Moving channels about, for any vector width. The compiler turns the loops of known stride into permutations.
#include "kernels/shuffle/shuffle.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// output[j * groups + g] = input[g * size + j]
template <Index groups>
void interleave(Index size, const float* __restrict input, float* __restrict output) {
  for (Index j = 0; j < size; ++j) {
    for (Index g = 0; g < groups; ++g) output[j * groups + g] = input[g * size + j];
  }
}

/// The inverse: output[g * size + j] = input[j * groups + g]
template <Index groups>
void deinterleave(Index size, const float* __restrict input, float* __restrict output) {
  for (Index j = 0; j < size; ++j) {
    for (Index g = 0; g < groups; ++g) output[g * size + j] = input[j * groups + g];
  }
}

void transpose(Index groups, Index size, const float* __restrict input, float* __restrict output) {
  for (Index j = 0; j < size; ++j) {
    for (Index g = 0; g < groups; ++g) output[j * groups + g] = input[g * size + j];
  }
}

template <Index groups>
void interleave_rows(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row)
    interleave<groups>(size, input + row * groups * size, output + row * groups * size);
}

template <Index groups>
void deinterleave_rows(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row)
    deinterleave<groups>(size, input + row * groups * size, output + row * groups * size);
}

void channel_shuffle(Index rows, Index channels, Index groups, const float* input, float* output) {
  const Index size = channels / groups;
  if (groups == 2) return interleave_rows<2>(rows, size, input, output);
  if (groups == 3) return interleave_rows<3>(rows, size, input, output);
  if (groups == 4) return interleave_rows<4>(rows, size, input, output);
  if (groups == 8) return interleave_rows<8>(rows, size, input, output);
  if (size == 2) return deinterleave_rows<2>(rows, groups, input, output);
  if (size == 3) return deinterleave_rows<3>(rows, groups, input, output);
  if (size == 4) return deinterleave_rows<4>(rows, groups, input, output);
  if (size == 8) return deinterleave_rows<8>(rows, groups, input, output);
  for (Index row = 0; row < rows; ++row) transpose(groups, size, input + row * channels, output + row * channels);
}

void copy_channels(Index rows, Index channels, const float* input, Index input_stride, float* output,
                   Index output_stride) {
  for (Index row = 0; row < rows; ++row, input += input_stride, output += output_stride) {
    Index c = 0;
    for (; c + lanes <= channels; c += lanes) store(output + c, load(input + c));
    if (c < channels) store_partial(output + c, load_partial(input + c, channels - c), channels - c);
  }
}

void interleave_two(Index size, const float* __restrict a, const float* __restrict b, float* __restrict output) {
  for (Index j = 0; j < size; ++j) {
    output[2 * j] = a[j];
    output[2 * j + 1] = b[j];
  }
}

void interleave_channels(Index rows, Index channels, const float* a, Index a_stride, const float* b, Index b_stride,
                         float* output) {
  for (Index row = 0; row < rows; ++row) {
    interleave_two(channels, a + row * a_stride, b + row * b_stride, output + row * 2 * channels);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
