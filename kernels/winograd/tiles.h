// Tiles of 4x4 outputs, and what an instruction set does with them.
//
// Tiles are numbered through the batch in row-major order; those at the bottom and right edge may overhang. A tile sees
// 6x6 inputs. Their transform has 36 points, each the row of a matrix product of its own: the transforms of some tiles
// are [36][tiles][channels], channels rounded up to whole vectors, and so are their products with the weights.
#pragma once

#include <span>

#include "kernels/common/range.h"
#include "kernels/dispatch/dispatch.h"
#include "kernels/winograd/winograd.h"

namespace linnet::kernels {

struct WinogradTiles {
  static constexpr Index size = 4, window = 6, points = window * window;

  __attribute__((always_inline)) explicit WinogradTiles(const Window& w)
      : rows((w.out_height + size - 1) / size),
        columns((w.out_width + size - 1) / size),
        count(w.batch * rows * columns) {}

  Index rows, columns;  ///< of tiles, in an image
  Index count;
};

/// Channels rounded up to whole vectors.
__attribute__((always_inline)) inline Index whole_vectors(Index channels, Index lanes) {
  return (channels + lanes - 1) / lanes * lanes;
}

/// Floats from one point to the next. One more cache line than needed: a power of two would put all points of a tile
/// into the same few places of the cache.
__attribute__((always_inline)) inline Index winograd_point_stride(Index tiles, Index channels) {
  return tiles * channels + 16;
}

/// Products of some tiles' transforms with one panel of weights.
struct WinogradProduct {
  Index tiles = 0;
  Index in_channels = 0;
  Index vectors = 0;  ///< of output channels: 1 to 3
  const float* transforms = nullptr;
  const float* weights = nullptr;  ///< [36][in_channels][vectors]
  float* products = nullptr;
};

struct WinogradKernels {
  Index lanes;      ///< floats per vector
  Index tile_rows;  ///< tiles that a register tile covers

  /// `zeros`: in_channels of them, that stand for pixels outside of the map.
  void (*transform_input)(const ConvArgs& args, Range tiles, const float* zeros, float* transforms);
  void (*multiply)(const WinogradProduct& product);
  /// From products with some of the output channels to these outputs.
  void (*transform_output)(const ConvArgs& args, Range tiles, Range channels, const float* products);
};

#define LINNET_VARIANT(isa)                      \
  namespace isa {                                \
  extern const WinogradKernels winograd_kernels; \
  }
#include "kernels/winograd/variants.inc"

std::span<const Variant<WinogradKernels>> winograd_variants();

/// The one in use.
const WinogradKernels& winograd_kernels();

/// Packing for a given instruction set.
std::size_t winograd_packed_size(const WinogradKernels& kernels, Index in_channels, Index out_channels);
void winograd_pack(const WinogradKernels& kernels, const float* weights, Index in_channels, Index out_channels,
                   float* packed);

}  // namespace linnet::kernels
