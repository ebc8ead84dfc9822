// Gathering of patches; see patches.h.

#include "kernels/conv/patches.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Writes exactly `count` floats. The last vector overlaps the one before.
LINNET_INLINE void copy(const float* from, Index count, float* to) {
  if (count < lanes) {
    if (count > 0) store_partial(to, load_partial(from, count), count);
    return;
  }
  Index i = 0;
  for (; i + lanes < count; i += lanes) store(to + i, load(from + i));
  store(to + count - lanes, load(from + count - lanes));
}

LINNET_INLINE void clear(float* to, Index count) {
  if (count < lanes) {
    if (count > 0) store_partial(to, Vec(0.0f), count);
    return;
  }
  Index i = 0;
  for (; i + lanes < count; i += lanes) store(to + i, Vec(0.0f));
  store(to + count - lanes, Vec(0.0f));
}

/// Taps [begin, end) of one row of taps lie inside the map.
struct Inside {
  Index begin, end;
};

LINNET_INLINE Inside inside(Index first, Index step, Index taps, Index size) {
  Index begin = first < 0 ? (-first + step - 1) / step : 0;
  Index end = first < size ? (size - first + step - 1) / step : 0;
  if (end > taps) end = taps;
  if (begin > end) begin = end;
  return {begin, end};
}

void gather(const PatchGrid& grid, Range positions, float* patches) {
  const Index channels = grid.channels;
  const bool dense = grid.tap_step == 1 && grid.pixel_stride == channels;
  Index image = positions.begin / (grid.height * grid.width);
  Index row = positions.begin / grid.width % grid.height, column = positions.begin % grid.width;
  for (Index position = positions.begin; position < positions.end; ++position) {
    const Index x = column * grid.step + grid.left;
    const Inside taps = inside(x, grid.tap_step, grid.taps_x, grid.in_width);
    for (Index ty = 0; ty < grid.taps_y; ++ty, patches += grid.taps_x * channels) {
      const Index y = row * grid.step + grid.top + ty * grid.tap_step;
      if (y < 0 || y >= grid.in_height) {
        clear(patches, grid.taps_x * channels);
        continue;
      }
      const float* pixels = grid.input + ((image * grid.in_height + y) * grid.in_width + x) * grid.pixel_stride;
      clear(patches, taps.begin * channels);
      if (dense) {
        copy(pixels + taps.begin * channels, (taps.end - taps.begin) * channels, patches + taps.begin * channels);
      } else {
        for (Index tx = taps.begin; tx < taps.end; ++tx) {
          copy(pixels + tx * grid.tap_step * grid.pixel_stride, channels, patches + tx * channels);
        }
      }
      clear(patches + taps.end * channels, (grid.taps_x - taps.end) * channels);
    }
    if (++column < grid.width) continue;
    column = 0;
    if (++row < grid.height) continue;
    row = 0;
    ++image;
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
