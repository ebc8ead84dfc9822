// The forward pass: columns of tiles, row by row, for a block of channels, so that the input rows that two outputs
// share are still in the first-level cache.
#pragma once

#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/tile.inl"

namespace linnet::kernels::LINNET_ISA {
namespace {

LINNET_INLINE void copy(const float* from, Index count, float* to) {
  Index i = 0;
  for (; i + lanes <= count; i += lanes) store(to + i, load(from + i));
  if (i < count) store_partial(to + i, load_partial(from + i, count - i), count - i);
}

template <Index kernel, Index stride>
struct ForwardShape {
  static constexpr Index wide = 8, narrow = 4;            ///< outputs in a tile
  static constexpr Index block = kernel == 3 ? 128 : 64;  ///< channels
};

/// Copies of the input rows under the kernel, and of the weights.
///
/// Where the distance of two pixels is a large power of two, the lines of a tile would all compete for the few places
/// of one set of the first-level cache; in the copy they do not.
template <Index kernel, Index stride>
struct RowRing {
  using Shape = ForwardShape<kernel, stride>;
  static constexpr Index columns = ForwardTaps<kernel, stride>::template columns<Shape::wide>;
  alignas(64) float weights[kernel * kernel][Shape::block];
  alignas(64) float rows[kernel][columns][Shape::block];

  static bool helps(Index channels) { return channels % 256 == 0; }
};

/// The outputs [ox, ox + width) of all these rows, for some of the channels. Reads its input through the ring if there
/// is one, and then the weights that it holds.
template <Index kernel, Index stride, Index width>
void forward_column(const DepthwiseArgs& args, Index tap, Range rows, Index ox, Range channels,
                    RowRing<kernel, stride>* ring) {
  using Taps = ForwardTaps<kernel, stride>;
  constexpr Index block = ForwardShape<kernel, stride>::block;
  alignas(64) static constexpr float no_bias[block] = {};
  const Window& window = args.window;
  const Epilogue& epilogue = args.epilogue;
  const Index x = ox * stride - window.pad_left;
  const Range columns = inside(x, Taps::template columns<width>, window.in_width);
  Tile<kernel> tile;
  tile.edges = {columns.begin, columns.end, 0, inside(ox, width, window.out_width).end};
  tile.input_column = ring ? block : args.channels;
  tile.tap = ring ? block : tap;
  tile.bias = epilogue.bias ? epilogue.bias + channels.begin : no_bias;
  tile.residual_column = epilogue.residual_stride;
  tile.output_column = args.channels;
  tile.channels = channels.size();
  tile.activation = epilogue.activation;
  Index copied = 0;  // the ring holds the rows before this one, counted over all images
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / window.out_height;
    const Index y = (row - image * window.out_height) * stride - window.pad_top;
    const Range under_kernel = inside(y, kernel, window.in_height);
    tile.rows = 0;
    for (Index ky = under_kernel.begin; ky < under_kernel.end; ++ky) {
      const Index in_row = image * window.in_height + y + ky;
      const float* input = args.input + (in_row * window.in_width + x) * args.channels + channels.begin;
      const float* weights = args.weights + ky * kernel * tap + channels.begin;
      if (ring) {
        float(*slot)[block] = ring->rows[in_row % kernel];
        for (Index j = columns.begin; in_row >= copied && j < columns.end; ++j) {
          copy(input + j * args.channels, channels.size(), slot[j]);
        }
        copied = in_row < copied ? copied : in_row + 1;
        input = slot[0];
        weights = ring->weights[ky * kernel];
      }
      tile.inputs[tile.rows] = input;
      tile.weights[tile.rows++] = weights;
    }
    const Index pixel = row * window.out_width + ox;
    tile.residual = epilogue.residual ? epilogue.residual + pixel * epilogue.residual_stride + channels.begin : nullptr;
    tile.output = args.output + pixel * args.channels + channels.begin;
    run_tile<Taps, width>(tile);
  }
}

/// The weights of tap k are at args.weights + k * tap.
template <Index kernel, Index stride>
void forward_rows(const DepthwiseArgs& args, Index tap, Range rows) {
  using Shape = ForwardShape<kernel, stride>;
  RowRing<kernel, stride> memory;
  RowRing<kernel, stride>* ring = memory.helps(args.channels) ? &memory : nullptr;
  for (Index begin = 0; begin < args.channels; begin += Shape::block) {
    const Range channels{begin, begin + Shape::block < args.channels ? begin + Shape::block : args.channels};
    for (Index k = 0; ring && k < kernel * kernel; ++k) {
      copy(args.weights + k * tap + begin, channels.size(), ring->weights[k]);
    }
    for (Index ox = 0; ox < args.window.out_width;) {
      if (args.window.out_width - ox <= Shape::narrow) {
        forward_column<kernel, stride, Shape::narrow>(args, tap, rows, ox, channels, ring);
        ox += Shape::narrow;
      } else {
        forward_column<kernel, stride, Shape::wide>(args, tap, rows, ox, channels, ring);
        ox += Shape::wide;
      }
    }
  }
}

void forward(const DepthwiseArgs& args, Range rows, Index tap) {
  const bool strided = args.window.stride == 2;
  switch (args.window.kernel_height) {
    case 3:
      return strided ? forward_rows<3, 2>(args, tap, rows) : forward_rows<3, 1>(args, tap, rows);
    case 5:
      return strided ? forward_rows<5, 2>(args, tap, rows) : forward_rows<5, 1>(args, tap, rows);
    default:
      return strided ? forward_rows<7, 2>(args, tap, rows) : forward_rows<7, 1>(args, tap, rows);
  }
}

void forward(const DepthwiseArgs& args, Range output_rows) { forward(args, output_rows, args.channels); }

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
