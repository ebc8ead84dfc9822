// Tiles: neighbouring outputs of one row, their sums in registers, a vector of channels at a time.
//
// A row's weights are loaded once per tile, and each input once per row. Columns that are padding are left out by a
// test per column, in tiles at the edges only; rows that are padding are never listed.
#pragma once

#include "kernels/common/unroll.h"
#include "kernels/simd/activation.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Which tap joins column j of a tile to its output t: a convolution,
template <Index size, Index stride>
struct ForwardTaps {
  static constexpr Index kernel = size;
  template <Index width>
  static constexpr Index columns = (width - 1) * stride + kernel;
  static constexpr Index tap(Index j, Index t) { return j - t * stride; }
};

/// and the transposed convolution of stride 2, whose first output lies under tap kernel - 1 of its first column.
template <Index size>
struct TransposedTaps {
  static constexpr Index kernel = size;
  template <Index width>
  static constexpr Index columns = (width + kernel - 1) / 2;
  static constexpr Index tap(Index j, Index t) { return t + kernel - 1 - 2 * j; }
};

/// Half-open ranges of what exists; only tiles at an edge look at those of columns and outputs.
struct TileEdges {
  Index first_column, last_column;
  Index first_output, last_output;
};

/// A tile and a block of channels. Pointers are at the first channel of the block.
template <Index kernel>
struct Tile {
  Index rows;                    ///< of input, at most `kernel`
  const float* inputs[kernel];   ///< of each row, at the tile's first column
  const float* weights[kernel];  ///< of each row, at its first tap
  Index input_column;            ///< floats from one column to the next
  Index tap;                     ///< floats from one tap to the next
  const float* bias;
  const float* residual;  ///< or null
  Index residual_column;
  float* output;
  Index output_column;
  Index channels;
  Activation activation;
  TileEdges edges;
};

/// Activations that do not come down to a clamp. One copy: their code is long, and a call costs little beside it.
__attribute__((noinline)) void activate_sums(Activation activation, Vec* sums, Index count) {
  with_activation(
      activation, [=](auto tag) __attribute__((always_inline)) {
        for (Index i = 0; i < count; ++i) sums[i] = activate<decltype(tag)::activation>(sums[i]);
      });
}

template <Index width>
LINNET_INLINE void activate_tile(Activation activation, Vec (&sums)[width]) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) sums[t] = activate<Activation::relu>(sums[t]);
      return;
    case Activation::relu6:
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) sums[t] = activate<Activation::relu6>(sums[t]);
      return;
    default: {
      Vec values[width];
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) values[t] = sums[t];
      activate_sums(activation, values, width);
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) sums[t] = values[t];
    }
  }
}

/// The vector of channels that starts at c. `count` is that of a partial vector's channels.
template <class Taps, Index width, bool edge, bool partial>
LINNET_INLINE void tile_vector(const Tile<Taps::kernel>& tile, Index c, Index count) {
  const auto read = [=](const float* p) __attribute__((always_inline)) {
    return partial ? load_partial(p, count) : load(p);
  };
  constexpr Index kernel = Taps::kernel;
  const TileEdges& edges = tile.edges;
  Vec sums[width];
  const Vec bias = read(tile.bias + c);
  LINNET_UNROLL
  for (Index t = 0; t < width; ++t) sums[t] = bias;
  for (Index row = 0; row < tile.rows; ++row) {
    const float* input = tile.inputs[row] + c;
    const float* weights = tile.weights[row] + c;
    Vec taps[kernel];
    LINNET_UNROLL
    for (Index k = 0; k < kernel; ++k) taps[k] = read(weights + k * tile.tap);
    LINNET_UNROLL
    for (Index j = 0; j < Taps::template columns<width>; ++j) {
      if (edge && (j < edges.first_column || j >= edges.last_column)) continue;
      const Vec x = read(input + j * tile.input_column);
      LINNET_UNROLL
      for (Index t = 0; t < width; ++t) {
        const Index k = Taps::tap(j, t);
        if (k >= 0 && k < kernel) sums[t] = multiply_add(x, taps[k], sums[t]);
      }
    }
  }
  if (tile.residual) {
    LINNET_UNROLL
    for (Index t = 0; t < width; ++t) {
      if (edge && (t < edges.first_output || t >= edges.last_output)) continue;
      sums[t] += read(tile.residual + t * tile.residual_column + c);
    }
  }
  activate_tile(tile.activation, sums);
  LINNET_UNROLL
  for (Index t = 0; t < width; ++t) {
    if (edge && (t < edges.first_output || t >= edges.last_output)) continue;
    float* output = tile.output + t * tile.output_column + c;
    if (partial) {
      store_partial(output, sums[t], count);
    } else {
      store(output, sums[t]);
    }
  }
}

template <class Taps, Index width, bool edge>
__attribute__((noinline)) void tile_vectors(const Tile<Taps::kernel>& shared_tile) {
  const Tile<Taps::kernel> tile = shared_tile;  // a copy that stores cannot alias
  for (Index c = 0; c + lanes <= tile.channels; c += lanes) tile_vector<Taps, width, edge, false>(tile, c, lanes);
}

/// The channels that do not fill a vector. With vectors of four they are rare and few, and masked loads many
/// instructions: there the code is kept small.
template <class Taps, Index width>
__attribute__((noinline)) void tile_tail(const Tile<Taps::kernel>& tile) {
  const Index c = tile.channels / lanes * lanes, count = tile.channels - c;
  if constexpr (lanes > 4) {
    tile_vector<Taps, width, true, true>(tile, c, count);
  } else {
    const TileEdges& edges = tile.edges;
    for (Index t = edges.first_output; t < edges.last_output; ++t) {
      Vec sum = load_partial(tile.bias + c, count);
      for (Index row = 0; row < tile.rows; ++row) {
        for (Index j = edges.first_column; j < edges.last_column; ++j) {
          const Index k = Taps::tap(j, t);
          if (k < 0 || k >= Taps::kernel) continue;
          const Vec x = load_partial(tile.inputs[row] + j * tile.input_column + c, count);
          sum = multiply_add(x, load_partial(tile.weights[row] + k * tile.tap + c, count), sum);
        }
      }
      if (tile.residual) sum += load_partial(tile.residual + t * tile.residual_column + c, count);
      activate_sums(tile.activation, &sum, 1);
      store_partial(tile.output + t * tile.output_column + c, sum, count);
    }
  }
}

template <class Taps, Index width>
LINNET_INLINE void run_tile(const Tile<Taps::kernel>& tile) {
  const TileEdges& edges = tile.edges;
  const bool inner = edges.first_column == 0 && edges.last_column == Taps::template columns<width> &&
                     edges.first_output == 0 && edges.last_output == width;
  // Narrow tiles are the last of a row: not worth a second copy of the code.
  constexpr bool always_edge = width < 8;
  if (inner) {
    tile_vectors<Taps, width, always_edge>(tile);
  } else {
    tile_vectors<Taps, width, true>(tile);
  }
  if (tile.channels % lanes != 0) tile_tail<Taps, width>(tile);
}

/// [begin, end) of the positions start, start + 1, ..., start + count - 1 that lie in [0, size), as offsets.
LINNET_INLINE Range inside(Index start, Index count, Index size) {
  return {start < 0 ? -start : 0, size - start < count ? size - start : count};
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
