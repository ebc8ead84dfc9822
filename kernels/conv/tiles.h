#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/pointwise/pointwise.h"

namespace linnet::kernels {

/// Pixels whose patches are gathered at a time: they stay in the cache, and give whole register tiles.
inline Index tile_pixels(const PointwiseKernels& kernels, Index patch_size) {
  constexpr Index floats = 16 * 1024, most_tiles = 8;
  return std::clamp<Index>(floats / std::max<Index>(patch_size, 1) / kernels.tile_rows, 1, most_tiles) *
         kernels.tile_rows;
}

/// Rounded up, so that what follows in the same allocation stays 64-byte aligned.
inline std::size_t aligned_size(Index floats) { return (static_cast<std::size_t>(floats) + 15) / 16 * 16; }

}  // namespace linnet::kernels
