// Matrix products in register tiles. NHWC rows are read in place, weights come in panels; see panels.h and tile.h.

#include "kernels/pointwise/columns.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/simd/activation.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Activations that take more than a few instructions run over the tile after it was stored.
LINNET_INLINE bool is_long(Activation activation) {
  return activation == Activation::hard_sigmoid || activation == Activation::silu ||
         activation == Activation::sigmoid || activation == Activation::gelu;
}

__attribute__((noinline)) void activate_rows(Activation activation, float* rows, Index stride, Index height,
                                             Index width) {
  with_activation(activation, [&](auto tag) {
    for (Index r = 0; r < height; ++r) {
      float* row = rows + r * stride;
      Index c = 0;
      for (; c + lanes <= width; c += lanes) store(row + c, activate<tag.activation>(load(row + c)));
      if (c < width) store_partial(row + c, activate<tag.activation>(load_partial(row + c, width - c)), width - c);
    }
  });
}

/// `count` tiles of the same height, one below the other.
template <Index height, Index vectors>
void run_tiles(const PointwiseArgs& args, const float* weights, const Columns& columns, Index row, Index count) {
  const Activation activation = args.epilogue.activation;
  Vec bias[vectors];
  unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { bias[v] = Vec(0.0f); });
  if (args.epilogue.bias) load_columns(args.epilogue.bias + columns.begin, columns.tail, bias);

  for (; count > 0; --count, row += height) {
    Tile<height, vectors> tile;
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = bias[v]; });
    });
    add_rows(tile, args.input + row * args.input_stride, args.input_stride, weights, args.in_channels);

    if (args.epilogue.residual) {
      const float* residual = args.epilogue.residual + row * args.epilogue.residual_stride + columns.begin;
      unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
        Vec values[vectors];
        load_columns(residual + r * args.epilogue.residual_stride, columns.tail, values);
        unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = Vec(tile.sum[r][v]) + values[v]; });
      });
    }
    if (activation == Activation::relu) {
      for_each_sum(tile, [](Vec x) LINNET_INLINE_LAMBDA { return activate<Activation::relu>(x); });
    } else if (activation == Activation::relu6) {
      for_each_sum(tile, [](Vec x) LINNET_INLINE_LAMBDA { return activate<Activation::relu6>(x); });
    } else if (activation == Activation::hard_swish) {
      for_each_sum(tile, [](Vec x) LINNET_INLINE_LAMBDA { return activate<Activation::hard_swish>(x); });
    }
    float* output = args.output + row * args.output_stride + columns.begin;
    store_tile(tile, output, args.output_stride, columns.tail);
    if (is_long(activation)) activate_rows(activation, output, args.output_stride, height, columns.width);
  }
}

template <Index height, Index vectors>
LINNET_INLINE void run_tiles_of(Index wanted, const PointwiseArgs& args, const float* weights, const Columns& columns,
                                Index row, Index count) {
  if (wanted == height) {
    run_tiles<height, vectors>(args, weights, columns, row, count);
  } else if constexpr (height > 1) {
    run_tiles_of<height - 1, vectors>(wanted, args, weights, columns, row, count);
  }
}

/// Rows in tiles whose heights differ by one at most.
template <Index vectors>
void run_panel(const PointwiseArgs& args, const float* weights, const Columns& columns, Range rows) {
  constexpr Index height = tile_heights[vectors];
  const Index size = rows.end - rows.begin, tiles = (size + height - 1) / height;
  if (tiles == 0) return;
  const Index low = size / tiles, high_tiles = size % tiles;
  if (high_tiles > 0) run_tiles_of<height, vectors>(low + 1, args, weights, columns, rows.begin, high_tiles);
  run_tiles_of<height, vectors>(low, args, weights, columns, rows.begin + high_tiles * (low + 1), tiles - high_tiles);
}

void run_panels(const PointwiseArgs& args, Range rows, Range panels) {
  for (Index panel = panels.begin; panel < panels.end; ++panel) {
    const Columns columns = columns_of(panel, args.out_channels);
    const float* weights = args.weights + columns.begin * args.in_channels;
    switch (panel_vectors(panel, args.out_channels, lanes)) {
      case 1:
        run_panel<1>(args, weights, columns, rows);
        break;
      case 2:
        run_panel<2>(args, weights, columns, rows);
        break;
      default:
        run_panel<3>(args, weights, columns, rows);
    }
  }
}

/// Blocks of rows whose input stays in the cache while the panels pass over it.
void run(const PointwiseArgs& args, Range rows, Range panels) {
  constexpr Index block_floats = 16 * 1024;
  Index block = block_floats / (args.in_channels + 1) / tile_heights[2] * tile_heights[2];
  if (block < tile_heights[2]) block = tile_heights[2];
  for (Index begin = rows.begin; begin < rows.end; begin += block) {
    const Index end = begin + block < rows.end ? begin + block : rows.end;
    run_panels(args, {begin, end}, panels);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
