// Where the sums of a register tile go. Included by .inl files only; see kernels/simd/simd.h.
#pragma once

#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/tile.h"

namespace linnet::kernels::LINNET_ISA {

/// One panel's columns of a matrix.
struct Columns {
  Index begin;  ///< first channel of the panel
  Index width;  ///< channels, without padding
  Index tail;   ///< channels in the last vector if it is not full, else 0
};

LINNET_INLINE Columns columns_of(Index panel, Index channels) {
  const Index begin = panel_begin(panel, lanes), vectors = panel_vectors(panel, channels, lanes);
  const Index width = begin + vectors * lanes <= channels ? vectors * lanes : channels - begin;
  return {begin, width, width % lanes};
}

template <Index vectors>
LINNET_INLINE void load_columns(const float* p, Index tail, Vec (&values)[vectors]) {
  unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA {
    values[v] = v + 1 == vectors && tail != 0 ? load_partial(p + v * lanes, tail) : load(p + v * lanes);
  });
}

template <Index height, Index vectors, class Function>
LINNET_INLINE void for_each_sum(Tile<height, vectors>& tile, Function&& f) {
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = f(Vec(tile.sum[r][v])); });
  });
}

template <Index height, Index vectors>
LINNET_INLINE void store_tile(const Tile<height, vectors>& tile, float* output, Index stride, Index tail) {
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA {
      float* p = output + r * stride + v * lanes;
      if (v + 1 == vectors && tail != 0) {
        store_partial(p, Vec(tile.sum[r][v]), tail);
      } else {
        store(p, Vec(tile.sum[r][v]));
      }
    });
  });
}

/// Rows side by side, vectors `stride` floats apart.
template <Index height, Index vectors>
LINNET_INLINE void store_side_by_side(const Tile<height, vectors>& tile, float* output, Index stride) {
  unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA {
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA { store(output + r * lanes, Vec(tile.sum[r][v])); });
    output += stride;
  });
}

/// Row r goes to output + positions[r], its vectors `stride` floats apart.
template <Index height, Index vectors>
LINNET_INLINE void store_blocks(const Tile<height, vectors>& tile, float* output, const Index (&positions)[height],
                                Index stride) {
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    float* row = output + positions[r];
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { store(row + v * stride, Vec(tile.sum[r][v])); });
  });
}

}  // namespace linnet::kernels::LINNET_ISA
