// Transformed weights: [panel][36][in_channels][panel width]; the channels beyond the last are 0.
#include <algorithm>

#include "kernels/pointwise/panels.h"
#include "kernels/winograd/points.h"
#include "kernels/winograd/tiles.h"

namespace linnet::kernels {
namespace {

constexpr Index window = WinogradTiles::window, points = WinogradTiles::points;

/// Powers 0, 1 and 2 of each point over the product of its distances from the others; the last point is infinity.
struct PointWeights {
  double rows[window][3] = {};

  PointWeights() {
    using namespace winograd_points;
    const double finite[] = {0, near, -near, far, -far};
    for (Index i = 0; i < window - 1; ++i) {
      double distances = 1;
      for (Index j = 0; j < window - 1; ++j) distances *= i == j ? 1 : finite[i] - finite[j];
      rows[i][0] = 1 / distances;
      rows[i][1] = finite[i] / distances;
      rows[i][2] = finite[i] * finite[i] / distances;
    }
    rows[window - 1][2] = 1;
  }
};

/// A filter [3][3] to 36 floats, `step` apart.
void transform(const PointWeights& of, const float* filter, float* result, Index step) {
  for (Index y = 0; y < window; ++y) {
    double row[3] = {};
    for (Index ky = 0; ky < 3; ++ky) {
      for (Index kx = 0; kx < 3; ++kx) row[kx] += of.rows[y][ky] * filter[ky * 3 + kx];
    }
    for (Index x = 0; x < window; ++x, result += step) {
      *result = static_cast<float>(of.rows[x][0] * row[0] + of.rows[x][1] * row[1] + of.rows[x][2] * row[2]);
    }
  }
}

}  // namespace

std::size_t winograd_packed_size(const WinogradKernels& kernels, Index in_channels, Index out_channels) {
  return static_cast<std::size_t>(points * in_channels * whole_vectors(out_channels, kernels.lanes));
}

std::size_t winograd_packed_size(Index in_channels, Index out_channels) {
  return winograd_packed_size(winograd_kernels(), in_channels, out_channels);
}

void winograd_pack(const WinogradKernels& kernels, const float* weights, Index in_channels, Index out_channels,
                   float* packed) {
  const PointWeights of;
  const Index lanes = kernels.lanes;
  std::fill_n(packed, winograd_packed_size(kernels, in_channels, out_channels), 0.0f);
  for (Index panel = 0; panel < panel_count(out_channels, lanes); ++panel) {
    const Index begin = panel_begin(panel, lanes), width = panel_vectors(panel, out_channels, lanes) * lanes;
    for (Index column = 0; column < std::min(width, out_channels - begin); ++column) {
      for (Index i = 0; i < in_channels; ++i) {
        transform(of, weights + ((begin + column) * in_channels + i) * 9, packed + i * width + column,
                  in_channels * width);
      }
    }
    packed += points * in_channels * width;
  }
}

void winograd_pack(const float* weights, Index in_channels, Index out_channels, float* packed) {
  winograd_pack(winograd_kernels(), weights, in_channels, out_channels, packed);
}

}  // namespace linnet::kernels
