// Patches: the inputs that a window sees, gathered into dense rows, so that a convolution is a matrix product.
//
// Positions (image, row, column) of a grid are numbered in row-major order. Tap (ty, tx) of position (n, y, x) is the
// pixel (y * step + top + ty * tap_step, x * step + left + tx * tap_step) of image n, or zeros outside of the map.
// A patch is [taps_y][taps_x][channels].
#pragma once

#include <span>

#include "kernels/common/range.h"
#include "kernels/common/window.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet::kernels {

struct PatchGrid {
  const float* input = nullptr;
  Index pixel_stride = 0;  ///< floats from one pixel of `input` to the next
  Index channels = 0;      ///< of each pixel, that are copied
  Index in_height = 0, in_width = 0;
  Index height = 0, width = 0;  ///< of the grid
  Index step = 1;
  Index top = 0, left = 0;
  Index taps_y = 1, taps_x = 1;
  Index tap_step = 1;

  Index patch_size() const { return taps_y * taps_x * channels; }
};

/// The patches of a convolution's output pixels.
inline PatchGrid patch_grid(const Window& window, const float* input, Index pixel_stride, Index channels) {
  PatchGrid grid;
  grid.input = input;
  grid.pixel_stride = pixel_stride;
  grid.channels = channels;
  grid.in_height = window.in_height;
  grid.in_width = window.in_width;
  grid.height = window.out_height;
  grid.width = window.out_width;
  grid.step = window.stride;
  grid.top = -window.pad_top;
  grid.left = -window.pad_left;
  grid.taps_y = window.kernel_height;
  grid.taps_x = window.kernel_width;
  grid.tap_step = window.dilation;
  return grid;
}

struct ConvKernels {
  /// Writes the patches of some positions one after the other.
  void (*gather)(const PatchGrid& grid, Range positions, float* patches);
};

#define LINNET_VARIANT(isa)              \
  namespace isa {                        \
  extern const ConvKernels conv_kernels; \
  }
#include "kernels/conv/variants.inc"

std::span<const Variant<ConvKernels>> conv_variants();

/// The one in use.
const ConvKernels& conv_kernels();

}  // namespace linnet::kernels
