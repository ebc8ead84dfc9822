// One matrix product for each point, on the register tile of the pointwise family.

#include "kernels/pointwise/tile.h"
#include "kernels/winograd/tiles.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

template <Index height, Index vectors>
LINNET_INLINE void multiply_rows(const float* rows, Index stride, const float* weights, Index depth, float* products) {
  Tile<height, vectors> tile;
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = Vec(0.0f); });
  });
  NoPrefetch nothing;
  add_rows(tile, rows, stride, 0, weights, depth, nothing);
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    unroll<vectors>([&](auto v)
                        LINNET_INLINE_LAMBDA { store(products + (r * vectors + v) * lanes, Vec(tile.sum[r][v])); });
  });
}

/// The rows of every point in `high` tiles of `height` rows, then `low` tiles of one row less.
template <Index height, Index vectors>
void multiply_points(const WinogradProduct& product, Index high, Index low) {
  const Index depth = product.in_channels, stride = whole_vectors(depth, lanes), width = vectors * lanes;
  for (Index point = 0; point < WinogradTiles::points; ++point) {
    const float* rows = product.transforms + point * winograd_point_stride(product.tiles, stride);
    const float* weights = product.weights + point * depth * width;
    float* products = product.products + point * winograd_point_stride(product.tiles, width);
    for (Index i = 0; i < high; ++i, rows += height * stride, products += height * width) {
      multiply_rows<height, vectors>(rows, stride, weights, depth, products);
    }
    if constexpr (height > 1) {
      for (Index i = 0; i < low; ++i, rows += (height - 1) * stride, products += (height - 1) * width) {
        multiply_rows<height - 1, vectors>(rows, stride, weights, depth, products);
      }
    }
  }
}

template <Index height, Index vectors>
LINNET_INLINE void multiply_points_of(Index wanted, const WinogradProduct& product, Index high, Index low) {
  if (wanted == height) {
    multiply_points<height, vectors>(product, high, low);
  } else if constexpr (height > 1) {
    multiply_points_of<height - 1, vectors>(wanted, product, high, low);
  }
}

/// Register tiles whose heights differ by one at most.
template <Index vectors>
void multiply_panel(const WinogradProduct& product) {
  constexpr Index most = tile_heights[vectors];
  const Index count = (product.tiles + most - 1) / most, height = (product.tiles + count - 1) / count;
  const Index low = count * height - product.tiles;
  multiply_points_of<most, vectors>(height, product, count - low, low);
}

void multiply(const WinogradProduct& product) {
  if (product.tiles == 0) return;
  switch (product.vectors) {
    case 1:
      return multiply_panel<1>(product);
    case 2:
      return multiply_panel<2>(product);
    default:
      return multiply_panel<3>(product);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
