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

/// Steps [begin, end) of `count` steps from `first` lie in [0, size).
struct Inside {
  Index begin, end;
};

LINNET_INLINE Inside inside(Index first, Index step, Index count, Index size) {
  Index begin = first < 0 ? (-first + step - 1) / step : 0;
  Index end = first < size ? (size - first + step - 1) / step : 0;
  if (end > count) end = count;
  if (begin > end) begin = end;
  return {begin, end};
}

/// `count` copies of `size` floats, each a step further.
LINNET_INLINE void copy_runs(const float* from, Index from_step, Index size, float* to, Index to_step, Index count) {
  if (size < lanes) {
    for (Index i = 0; i < count; ++i) store_partial(to + i * to_step, load_partial(from + i * from_step, size), size);
  } else if (size <= 2 * lanes) {
    for (Index i = 0; i < count; ++i) {
      const Vec first = load(from + i * from_step), last = load(from + i * from_step + size - lanes);
      store(to + i * to_step, first);
      store(to + i * to_step + size - lanes, last);
    }
  } else {
    for (Index i = 0; i < count; ++i) copy(from + i * from_step, size, to + i * to_step);
  }
}

/// Positions of one row of the grid, from `column` on.
struct Row {
  Index image, row, column, count;
};

/// One row of taps for one position, some of them outside of the map.
void gather_border(const PatchGrid& grid, const float* pixels, Index x, float* patch) {
  const Index channels = grid.channels;
  const Inside taps = inside(x, grid.tap_step, grid.taps_x, grid.in_width);
  clear(patch, taps.begin * channels);
  for (Index tx = taps.begin; tx < taps.end; ++tx) {
    copy(pixels + (x + tx * grid.tap_step) * grid.pixel_stride, channels, patch + tx * channels);
  }
  clear(patch + taps.end * channels, (grid.taps_x - taps.end) * channels);
}

/// One row of taps for positions all of whose taps lie inside.
void gather_inside(const PatchGrid& grid, const float* pixels, Index x, Index count, float* patches) {
  const Index channels = grid.channels, stride = grid.pixel_stride, patch_size = grid.patch_size();
  pixels += x * stride;
  if (grid.tap_step == 1 && stride == channels) {
    copy_runs(pixels, grid.step * stride, grid.taps_x * channels, patches, patch_size, count);
    return;
  }
  for (Index tx = 0; tx < grid.taps_x; ++tx) {
    copy_runs(pixels + tx * grid.tap_step * stride, grid.step * stride, channels, patches + tx * channels, patch_size,
              count);
  }
}

void gather_row(const PatchGrid& grid, const Row& row, float* patches) {
  const Index patch_size = grid.patch_size(), x = row.column * grid.step + grid.left;
  // Positions whose first and whose last tap lie inside the map.
  const Inside first = inside(x, grid.step, row.count, grid.in_width);
  const Inside last = inside(x + (grid.taps_x - 1) * grid.tap_step, grid.step, row.count, grid.in_width);
  const Index begin = first.begin, end = last.end > begin ? last.end : begin;
  for (Index ty = 0; ty < grid.taps_y; ++ty) {
    const Index y = row.row * grid.step + grid.top + ty * grid.tap_step, run = grid.taps_x * grid.channels;
    float* to = patches + ty * run;
    if (y < 0 || y >= grid.in_height) {
      for (Index i = 0; i < row.count; ++i) clear(to + i * patch_size, run);
      continue;
    }
    const float* pixels = grid.input + (row.image * grid.in_height + y) * grid.in_width * grid.pixel_stride;
    for (Index i = 0; i < begin; ++i) gather_border(grid, pixels, x + i * grid.step, to + i * patch_size);
    gather_inside(grid, pixels, x + begin * grid.step, end - begin, to + begin * patch_size);
    for (Index i = end; i < row.count; ++i) gather_border(grid, pixels, x + i * grid.step, to + i * patch_size);
  }
}

void gather(const PatchGrid& grid, Range positions, float* patches) {
  for (Index position = positions.begin; position < positions.end;) {
    Row row;
    row.image = position / (grid.height * grid.width);
    row.row = position / grid.width % grid.height;
    row.column = position % grid.width;
    row.count = grid.width - row.column;
    if (row.count > positions.end - position) row.count = positions.end - position;
    gather_row(grid, row, patches);
    patches += row.count * grid.patch_size();
    position += row.count;
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
