// The forward pass on one block of channels, its padding copied with it: tiles without a test.
#pragma once

#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/tile.inl"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Short activations are a clamp: one code for all, without a test.
struct Limits {
  Vec low, high;
  LINNET_INLINE explicit Limits(Activation activation)
      : low(activation == Activation::relu || activation == Activation::relu6 ? 0.0f : -__builtin_inff()),
        high(activation == Activation::relu6 ? 6.0f : __builtin_inff()) {}
};

LINNET_INLINE bool is_clamp(Activation activation) {
  return activation == Activation::none || activation == Activation::relu || activation == Activation::relu6;
}

/// Neighbouring outputs of one row, clamped; `inputs` are the rows under the kernel, at the first tap of the tile.
template <Index kernel, Index stride, Index width>
LINNET_INLINE void block_tile(const DepthwiseBlockArgs& args, const float* const (&inputs)[kernel], Index x,
                              const Limits& limits, Vec (&sums)[width]) {
  const Vec bias = load(args.bias);
  LINNET_UNROLL
  for (Index t = 0; t < width; ++t) sums[t] = bias;
  const float* weights = args.weights;
  for (Index ky = 0; ky < kernel; ++ky, weights += kernel * lanes) {
    const float* input = inputs[ky] + x * stride * lanes;
    asm("" : "+r"(input));  // or the rows' offsets would be computed once for all of them, instead of constants
    Vec taps[kernel];
    LINNET_UNROLL
    for (Index k = 0; k < kernel; ++k) taps[k] = load(weights + k * lanes);
    LINNET_UNROLL
    for (Index j = 0; j < (width - 1) * stride + kernel; ++j) {
      const Vec value = load(input + j * lanes);
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) {
        const Index k = j - t * stride;
        if (k >= 0 && k < kernel) sums[t] = multiply_add(value, taps[k], sums[t]);
      }
    }
  }
  LINNET_UNROLL
  for (Index t = 0; t < width; ++t) sums[t] = min(limits.high, max(limits.low, sums[t]));
}

__attribute__((noinline)) void activate_row(Activation activation, Index vectors, float* row) {
  with_activation(
      activation, [=](auto tag) __attribute__((always_inline)) {
        for (Index i = 0; i < vectors; ++i) {
          store(row + i * lanes, activate<decltype(tag)::activation>(load(row + i * lanes)));
        }
      });
}

/// Sums to pixels that lie apart, of which the last block has fewer channels.
__attribute__((noinline)) void store_pixels(const DepthwiseBlockArgs& args, Index count, float* sums, float* output) {
  if (!is_clamp(args.activation)) activate_row(args.activation, count, sums);
  for (Index t = 0; t < count; ++t) {
    float* pixel = output + t * args.output_pixel;
    if (args.channels == lanes) {
      store(pixel, load(sums + t * lanes));
    } else {
      store_partial(pixel, load(sums + t * lanes), args.channels);
    }
  }
}

/// Rows in tiles of one width; the last one covers outputs of the one before it again where the width does not divide.
template <Index kernel, Index stride, Index width>
void block_rows(const DepthwiseBlockArgs& shared_args) {
  const DepthwiseBlockArgs args = shared_args;  // a copy that stores cannot alias
  const Limits limits(args.activation);
  const bool side_by_side = args.output_pixel == lanes && args.channels == lanes;
  Index slot = args.slot;
  for (Index y = 0; y < args.rows; ++y) {
    const float* inputs[kernel];
    for (Index ky = 0; ky < kernel; ++ky) {
      inputs[ky] = args.input + (slot + ky < args.ring ? slot + ky : slot + ky - args.ring) * args.input_row;
    }
    slot = slot + stride < args.ring ? slot + stride : slot + stride - args.ring;
    float* output = args.output + y * args.output_row;
    for (Index begin = 0; begin < args.width; begin += width) {
      const Index x = begin + width <= args.width ? begin : args.width - width;
      Vec sums[width];
      block_tile<kernel, stride, width>(args, inputs, x, limits, sums);
      if (side_by_side) {
        LINNET_UNROLL
        for (Index t = 0; t < width; ++t) store(output + (x + t) * lanes, sums[t]);
      } else {
        alignas(64) float values[width * lanes];
        LINNET_UNROLL
        for (Index t = 0; t < width; ++t) store(values + t * lanes, sums[t]);
        store_pixels(shared_args, width, values, output + x * args.output_pixel);
      }
    }
    if (side_by_side && !is_clamp(args.activation)) activate_row(args.activation, args.width, output);
  }
}

template <Index kernel, Index stride>
void block_of(const DepthwiseBlockArgs& args) {
  const Index by_eight = (args.width + 7) / 8 * 8, by_seven = (args.width + 6) / 7 * 7;
  if (args.width >= 8 && by_eight <= by_seven) {
    block_rows<kernel, stride, 8>(args);
  } else if (args.width >= 7) {
    block_rows<kernel, stride, 7>(args);
  } else if (args.width >= 4) {
    block_rows<kernel, stride, 4>(args);
  } else {
    block_rows<kernel, stride, 1>(args);
  }
}

/// In an order that depends on the number of outputs alone.
void sum_outputs(const DepthwiseBlockArgs& args) {
  Vec totals[4] = {Vec(0.0f), Vec(0.0f), Vec(0.0f), Vec(0.0f)};
  for (Index y = 0; y < args.rows; ++y) {
    const float* output = args.output + y * args.output_row;
    Index x = 0;
    for (; x + 4 <= args.width; x += 4) {
      LINNET_UNROLL
      for (Index i = 0; i < 4; ++i) totals[i] += load(output + (x + i) * args.output_pixel);
    }
    for (; x < args.width; ++x) totals[0] += load(output + x * args.output_pixel);
  }
  store(args.sums, (totals[0] + totals[1]) + (totals[2] + totals[3]));
}

void to_blocks(const ToBlocksArgs& args) {
  const float* pixel = args.pixels;
  const Index whole = args.channels / lanes * lanes, left = args.channels - whole;
  for (Index i = 0; i < args.count; ++i, pixel += args.stride) {
    float* to = args.blocks + i * lanes;
    for (Index c = 0; c < whole; c += lanes, to += args.block_stride) store(to, load(pixel + c));
    if (args.next) __builtin_prefetch(pixel + args.channels, 0, 2);
    if (left > 0) store(to, load_partial(pixel + whole, left));
  }
}

void block_outputs(const DepthwiseBlockArgs& args) {
  const bool strided = args.stride == 2;
  switch (args.kernel) {
    case 3:
      return strided ? block_of<3, 2>(args) : block_of<3, 1>(args);
    case 5:
      return strided ? block_of<5, 2>(args) : block_of<5, 1>(args);
    default:
      return strided ? block_of<7, 2>(args) : block_of<7, 1>(args);
  }
}

void block(const DepthwiseBlockArgs& args) {
  block_outputs(args);
  if (args.sums) sum_outputs(args);
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
