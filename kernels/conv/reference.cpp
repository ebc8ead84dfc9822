#include <algorithm>

#include "kernels/conv/patches.h"

namespace linnet::kernels::scalar {
namespace {

void gather(const PatchGrid& grid, Range positions, float* patches) {
  for (Index position = positions.begin; position < positions.end; ++position) {
    const Index image = position / (grid.height * grid.width);
    const Index row = position / grid.width % grid.height, column = position % grid.width;
    for (Index ty = 0; ty < grid.taps_y; ++ty) {
      for (Index tx = 0; tx < grid.taps_x; ++tx, patches += grid.channels) {
        const Index y = row * grid.step + grid.top + ty * grid.tap_step;
        const Index x = column * grid.step + grid.left + tx * grid.tap_step;
        if (y < 0 || y >= grid.in_height || x < 0 || x >= grid.in_width) {
          std::fill_n(patches, grid.channels, 0.0f);
        } else {
          std::copy_n(grid.input + ((image * grid.in_height + y) * grid.in_width + x) * grid.pixel_stride,
                      grid.channels, patches);
        }
      }
    }
  }
}

}  // namespace

const ConvKernels conv_kernels = {gather};

}  // namespace linnet::kernels::scalar
