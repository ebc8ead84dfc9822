// The gradient of the weights: a few output rows at a time, small enough that they and the input rows above them stay
// in the first-level cache while each vector of channels and each kernel row passes over them.
#pragma once

#include "kernels/common/unroll.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

constexpr Index max_group_rows = 32;
constexpr Index group_pixels = 112;  // of a cache line each, for both tensors

/// An output row, and the input row that kernel row 0 meets there (which may be padding).
struct RowPair {
  const float* output_gradient;
  const float* input;  ///< at the column that tap 0 meets in the row's first output
  Range kernel_rows;   ///< that are not padding
};

template <Index kernel>
constexpr Index sum_columns = kernel == 3 ? 3 : 2;  ///< neighbouring outputs with sums of their own

/// Adds what these rows give to sums[ky][kx], for the vector of channels that starts at c.
template <Index kernel, Index stride, bool partial>
__attribute__((noinline)) void add_weight_gradient(const DepthwiseWeightGradientArgs& args, const RowPair* pairs,
                                                   Index rows, Index c, float* sums) {
  const Window& window = args.window;
  const Index channels = args.channels, count = channels - c;
  const auto read = [=](const float* p) __attribute__((always_inline)) {
    return partial ? load_partial(p, count) : load(p);
  };
  constexpr Index width = sum_columns<kernel>;
  const Index input_row = window.in_width * channels;
  const Index out_width = window.out_width, in_width = window.in_width, pad = window.pad_left;
  // Outputs whose whole window lies inside of the row: [begin, end).
  const Index begin = (pad + stride - 1) / stride < out_width ? (pad + stride - 1) / stride : out_width;
  const Index room = in_width + pad - kernel;
  const Index last = room < 0 ? 0 : room / stride + 1;
  const Index end = last < begin ? begin : last < out_width ? last : out_width;
  for (Index ky = 0; ky < kernel; ++ky) {
    Vec partial_sums[width][kernel];
    LINNET_UNROLL
    for (Index t = 0; t < width; ++t) {
      LINNET_UNROLL
      for (Index kx = 0; kx < kernel; ++kx) partial_sums[t][kx] = Vec(0.0f);
    }
    for (Index row = 0; row < rows; ++row) {
      const RowPair& pair = pairs[row];
      if (ky < pair.kernel_rows.begin || ky >= pair.kernel_rows.end) continue;
      const float* gradient = pair.output_gradient + c;
      const float* input = pair.input + ky * input_row + c;
      const auto add_edge = [&](Index ox) __attribute__((always_inline)) {
        const Vec g = read(gradient + ox * channels);
        LINNET_UNROLL
        for (Index kx = 0; kx < kernel; ++kx) {
          const Index x = ox * stride + kx;
          if (x < pad || x >= in_width + pad) continue;
          partial_sums[0][kx] = multiply_add(g, read(input + x * channels), partial_sums[0][kx]);
        }
      };
      Index ox = 0;
      for (; ox < begin; ++ox) add_edge(ox);
      for (; ox + width <= end; ox += width) {
        Vec g[width];
        LINNET_UNROLL
        for (Index t = 0; t < width; ++t) g[t] = read(gradient + (ox + t) * channels);
        LINNET_UNROLL
        for (Index j = 0; j < (width - 1) * stride + kernel; ++j) {
          const Vec x = read(input + (ox * stride + j) * channels);
          LINNET_UNROLL
          for (Index t = 0; t < width; ++t) {
            const Index kx = j - t * stride;
            if (kx >= 0 && kx < kernel) partial_sums[t][kx] = multiply_add(g[t], x, partial_sums[t][kx]);
          }
        }
      }
      for (; ox < out_width; ++ox) add_edge(ox);
    }
    LINNET_UNROLL
    for (Index kx = 0; kx < kernel; ++kx) {
      Vec sum = partial_sums[0][kx];
      LINNET_UNROLL
      for (Index t = 1; t < width; ++t) sum += partial_sums[t][kx];
      float* to = sums + (ky * kernel + kx) * channels + c;
      if (partial) {
        store_partial(to, load_partial(to, count) + sum, count);
      } else {
        store(to, load(to) + sum);
      }
    }
  }
}

template <Index kernel, Index stride>
void weight_gradient_rows(const DepthwiseWeightGradientArgs& args, Range output_rows, float* sums) {
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index i = 0; i < kernel * kernel * channels; ++i) sums[i] = 0.0f;
  Index group = group_pixels / window.out_width;
  group = group < 1 ? 1 : group > max_group_rows ? max_group_rows : group;
  for (Index begin = output_rows.begin; begin < output_rows.end; begin += group) {
    const Index rows = output_rows.end - begin < group ? output_rows.end - begin : group;
    RowPair pairs[max_group_rows];
    for (Index i = 0; i < rows; ++i) {
      const Index row = begin + i, image = row / window.out_height;
      const Index y = (row - image * window.out_height) * stride - window.pad_top;
      pairs[i].output_gradient = args.output_gradient + row * window.out_width * channels;
      pairs[i].input = args.input + ((image * window.in_height + y) * window.in_width - window.pad_left) * channels;
      pairs[i].kernel_rows = {y < 0 ? -y : 0, window.in_height - y < kernel ? window.in_height - y : kernel};
    }
    Index c = 0;
    for (; c + lanes <= channels; c += lanes) {
      add_weight_gradient<kernel, stride, false>(args, pairs, rows, c, sums);
    }
    if (c < channels) add_weight_gradient<kernel, stride, true>(args, pairs, rows, c, sums);
  }
}

void weight_gradient(const DepthwiseWeightGradientArgs& args, Range output_rows, float* sums) {
  const bool strided = args.window.stride == 2;
  switch (args.window.kernel_height) {
    case 3:
      return strided ? weight_gradient_rows<3, 2>(args, output_rows, sums)
                     : weight_gradient_rows<3, 1>(args, output_rows, sums);
    case 5:
      return strided ? weight_gradient_rows<5, 2>(args, output_rows, sums)
                     : weight_gradient_rows<5, 1>(args, output_rows, sums);
    default:
      return strided ? weight_gradient_rows<7, 2>(args, output_rows, sums)
                     : weight_gradient_rows<7, 1>(args, output_rows, sums);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
