// Matrix products in register tiles. NHWC rows are read in place, weights come in panels; see panels.h and tile.h.

#include "kernels/pointwise/columns.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/simd/activation.h"
#if defined(__aarch64__)
#include "kernels/pointwise/tile_aarch64.h"
#endif

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Long activations are one function for all tiles.
__attribute__((noinline)) void activate_vectors(Activation activation, float* values, Index count) {
  with_activation(activation, [&](auto tag) {
    for (Index i = 0; i < count; ++i) store(values + i * lanes, activate<tag.activation>(load(values + i * lanes)));
  });
}

template <Index height, Index vectors>
LINNET_INLINE void activate_tile(Tile<height, vectors>& tile, Activation activation) {
  alignas(64) float values[height * vectors * lanes];
  unroll<height * vectors>(
      [&](auto i) LINNET_INLINE_LAMBDA { store(values + i * lanes, Vec(tile.sum[i / vectors][i % vectors])); });
  activate_vectors(activation, values, height * vectors);
  unroll<height * vectors>([&](auto i)
                               LINNET_INLINE_LAMBDA { tile.sum[i / vectors][i % vectors] = load(values + i * lanes); });
}

/// The epilogue of a tile whose first row is `row`.
template <Index height, Index vectors>
LINNET_INLINE void finish(Tile<height, vectors>& tile, const PointwiseArgs& args, const Columns& columns, Index row) {
  const Activation activation = args.epilogue.activation;
  if (args.epilogue.residual) {
    const float* residual = args.epilogue.residual + row * args.epilogue.residual_stride + columns.begin;
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
      Vec values[vectors];
      load_columns(residual + r * args.epilogue.residual_stride, columns.tail, values);
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = Vec(tile.sum[r][v]) + values[v]; });
    });
  }
  if (activation == Activation::relu || activation == Activation::relu6) {
    // One code for both: tiles are many.
    const float limit = activation == Activation::relu ? __builtin_inff() : 6.0f;
    for_each_sum(tile, [&](Vec x) LINNET_INLINE_LAMBDA { return clamp(x, 0.0f, limit); });
  } else if (activation == Activation::hard_swish) {
    for_each_sum(tile, [](Vec x) LINNET_INLINE_LAMBDA { return activate<Activation::hard_swish>(x); });
  } else if (is_long(activation)) {
    activate_tile(tile, activation);
  }
  const OutputBlocks& blocks = args.blocks;
  if (blocks.stride == 0) {
    store_tile(tile, args.output + row * args.output_stride + columns.begin, args.output_stride, columns.tail);
    return;
  }
  const auto position = [&](Index r) LINNET_INLINE_LAMBDA -> Index {
    return blocks.positions ? blocks.positions[row + r] : (row + r) * args.output_stride;
  };
  float* output = args.output + columns.begin / lanes * blocks.stride;
  const Index first = position(0);
  if (position(height - 1) - first == (height - 1) * lanes) {  // then so are those between
    store_side_by_side(tile, output + first, blocks.stride);
    return;
  }
  Index positions[height];
  for (Index r = 0; r < height; ++r) positions[r] = position(r);
  store_blocks(tile, output, positions, blocks.stride);
}

template <Index vectors>
LINNET_INLINE void load_bias(const PointwiseArgs& args, const Columns& columns, Vec (&bias)[vectors]) {
  if (args.epilogue.bias) {
    load_columns(args.epilogue.bias + columns.begin, columns.tail, bias);
  } else {
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { bias[v] = Vec(0.0f); });
  }
}

#if defined(__aarch64__)
/// As run_tiles(), by assembly. Pieces of the rows have at least four floats.
template <Rows layout, Index height>
void run_assembly(const PointwiseArgs& args, const Segments& pieces, const float* weights, const Columns& columns,
                  Index row, Index count, Prefetch& ahead) {
  constexpr Index width = 2 * lanes;
  const Index depth = args.in_channels;
  const Index stride = layout == Rows::in_blocks ? pieces.stride : args.input_stride;
  const Index piece = layout == Rows::in_blocks ? depth : pieces.size;
  Vec bias[2];
  load_bias(args, columns, bias);
  alignas(16) float biases[height * width], sums[height * width];
  for (Index i = 0; i < 2 * height; ++i) store(biases + i * lanes, bias[i % 2]);
  for (; count > 0; --count, row += height) {
    Tile<height, 2> tile;
    const float* input = args.input + row * args.input_stride;
    const float *b = weights, *start = biases;
    const bool fetches = ahead.take_all();
    for (Index left = depth;; left -= piece, input += pieces.stride) {
      const Index size = left < piece ? left : piece, whole = size / 4 * 4;
      if (fetches) {
        multiply_rows<layout, true>(tile, input, stride, b, whole, start, depth * width);
      } else {
        multiply_rows<layout, false>(tile, input, stride, b, whole, start, 0);
      }
      b += whole * width;
      if (whole < size) {
        const float* rest = input + (layout == Rows::in_blocks ? whole / lanes * stride : size - 4);
        add_rest<layout>(tile, rest, args.input_stride, b, size - whole);
        b += (size - whole) * width;
      }
      if (left <= piece) break;
      store_tile(tile, sums, width, 0);
      start = sums;
    }
    finish(tile, args, columns, row);
  }
}
#endif

/// `count` tiles of the same height, one below the other.
template <Index height, Index vectors>
void run_tiles(const PointwiseArgs& args, const Segments& segments, const float* weights, const Columns& columns,
               Index row, Index count, Prefetch& ahead) {
  const Index depth = args.in_channels;
  const bool in_blocks = segments.size == lanes;
  const Index piece = segments.size == 0 || in_blocks ? depth : segments.size;
  const Index jump = in_blocks ? segments.stride - lanes : 0;
#if defined(__aarch64__)
  if constexpr (has_assembly<height, vectors>) {
    if (in_blocks && args.input_stride == lanes && depth >= 4) {
      return run_assembly<Rows::in_blocks, height>(args, segments, weights, columns, row, count, ahead);
    }
    if (!in_blocks && piece >= 4 && (depth % piece == 0 || depth % piece >= 4)) {
      return run_assembly<Rows::apart, height>(args, {piece, segments.stride}, weights, columns, row, count, ahead);
    }
  }
#endif
  Vec bias[vectors];
  load_bias(args, columns, bias);
  for (; count > 0; --count, row += height) {
    Tile<height, vectors> tile;
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = bias[v]; });
    });
    const float* input = args.input + row * args.input_stride;
    for (Index k = 0; k < depth; k += piece, input += segments.stride) {
      const Index size = depth - k < piece ? depth - k : piece;
      add_rows(tile, input, args.input_stride, jump, weights + k * vectors * lanes, size, ahead);
    }
    finish(tile, args, columns, row);
  }
}

/// One row, whole panels from channel `begin` on. A row times one panel has too few sums to keep the units busy.
template <Index panels>
void run_row(const PointwiseArgs& args, Index begin, Index row) {
  constexpr Index vectors = 2 * panels;
  const Columns columns{begin, vectors * lanes, 0};
  const Index depth = args.in_channels, panel_size = 2 * lanes * depth;
  const float* input = args.input + row * args.input_stride;
  const float* weights = args.weights + begin * depth;
  Vec bias[vectors];
  load_bias(args, columns, bias);
  Tile<1, vectors> tile;
  unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[0][v] = bias[v]; });
#pragma GCC unroll 2
  for (Index k = 0; k < depth; ++k, weights += 2 * lanes) {
    const Register a = broadcast(input + k);
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA {
      add_product(tile.sum[0][v], a, load_register(weights + v / 2 * panel_size + v % 2 * lanes));
    });
  }
  finish(tile, args, columns, row);
}

template <Index height, Index vectors>
LINNET_INLINE void run_tiles_of(Index wanted, const PointwiseArgs& args, const Segments& segments, const float* weights,
                                const Columns& columns, Index row, Index count, Prefetch& ahead) {
  if (wanted == height) {
    run_tiles<height, vectors>(args, segments, weights, columns, row, count, ahead);
  } else if constexpr (height > 1) {
    run_tiles_of<height - 1, vectors>(wanted, args, segments, weights, columns, row, count, ahead);
  }
}

/// Rows in tiles whose heights differ by one at most.
template <Index vectors>
void run_panel(const PointwiseArgs& args, const Segments& segments, const float* weights, const Columns& columns,
               Range rows) {
  constexpr Index height = tile_heights[vectors];
  const Index size = rows.end - rows.begin, tiles = (size + height - 1) / height;
  if (tiles == 0) return;
  const Index low = size / tiles, high_tiles = size % tiles;
  constexpr Index far_floats = 64 * 1024;  // weights that do not stay in a second-level cache
  const Index panel_floats = args.in_channels * vectors * lanes;
  Prefetch ahead(weights + panel_floats, args.in_channels * args.out_channels > far_floats ? panel_floats : 0);
  if (high_tiles > 0) {
    run_tiles_of<height, vectors>(low + 1, args, segments, weights, columns, rows.begin, high_tiles, ahead);
  }
  run_tiles_of<height, vectors>(low, args, segments, weights, columns, rows.begin + high_tiles * (low + 1),
                                tiles - high_tiles, ahead);
}

void run_panels(const PointwiseArgs& args, const Segments& segments, Range rows, Range panels) {
  if (rows.end - rows.begin == 1 && segments.size == 0) {
    const Index whole = args.out_channels / (2 * lanes);  // the last panel may be one of them
    constexpr Index together = 4;
    while (panels.begin + together <= panels.end && panels.begin + together <= whole &&
           panel_vectors(panels.begin + together - 1, args.out_channels, lanes) == 2) {
      run_row<together>(args, panel_begin(panels.begin, lanes), rows.begin);
      panels.begin += together;
    }
  }
  for (Index panel = panels.begin; panel < panels.end; ++panel) {
    const Columns columns = columns_of(panel, args.out_channels);
    const float* weights = args.weights + columns.begin * args.in_channels;
    switch (panel_vectors(panel, args.out_channels, lanes)) {
      case 1:
        run_panel<1>(args, segments, weights, columns, rows);
        break;
      case 2:
        run_panel<2>(args, segments, weights, columns, rows);
        break;
      default:
        run_panel<3>(args, segments, weights, columns, rows);
    }
  }
}

/// Blocks of rows whose input stays in the cache while the panels pass over it.
void run(const PointwiseArgs& args, const Segments& segments, Range rows, Range panels) {
  constexpr Index block_floats = 16 * 1024;
  const Index size = rows.end - rows.begin;
  constexpr Index fewest_tiles = 4;  // see Prefetch
  Index block = block_floats / (args.in_channels + 1) / tile_heights[2] * tile_heights[2];
  if (block < fewest_tiles * tile_heights[2]) block = fewest_tiles * tile_heights[2];
  const Index blocks = (size + block - 1) / block;
  for (Index i = 0, begin = rows.begin; i < blocks; ++i) {
    const Index end = begin + size / blocks + (i < size % blocks ? 1 : 0);
    run_panels(args, segments, {begin, end}, panels);
    begin = end;
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
