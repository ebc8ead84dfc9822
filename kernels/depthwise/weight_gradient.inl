// The gradient of the weights: patches of a few output rows, one cache line of channels at a time.
//
// The patch of both tensors is copied side by side, with zeros for the padding: sixteen channels of a pixel are a small
// part of a memory page, and passing over them once per kernel row where they lie would be all waiting for address
// translation and for lines that compete for the same cache sets.
#pragma once

#include "kernels/common/unroll.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

constexpr Index line = 16;  ///< floats

template <Index kernel, Index stride>
struct GradientPatch {
  static constexpr Index width = kernel == 3 ? 3 : 2;  ///< neighbouring outputs that have sums of their own
  static constexpr Index max_columns = 56 / stride;
  static constexpr Index max_outputs = 128;
  static constexpr Index enough_inputs = 288;  // pixels; half of a small first-level cache
  static constexpr Index max_inputs = kernel * ((max_columns + width) * stride + kernel);

  alignas(64) float gradient[max_outputs][line];
  alignas(64) float input[max_inputs > enough_inputs ? max_inputs : enough_inputs][line];
};

/// Where a patch lies, and how large it is with its zeros.
struct PatchShape {
  Index rows, columns;   ///< of output, without zeros
  Index padded_columns;  ///< of output, a multiple of the patch's width
  Index input_columns;
  Index image, y, x;  ///< its first output
  Index in_y, in_x;   ///< the first input it meets, which may be padding
};

/// Copies a line of channels of one pixel, the first `count` of them; zeros follow.
LINNET_INLINE void copy_line(const float* from, Index count, float* to) {
  LINNET_UNROLL
  for (Index c = 0; c < line; c += lanes) {
    const Vec v = c + lanes <= count ? load(from + c) : c < count ? load_partial(from + c, count - c) : Vec(0.0f);
    v.store_aligned(to + c);
  }
}

LINNET_INLINE void clear_lines(float (*lines)[line], Index count) {
  for (Index i = 0; i < count; ++i) copy_line(nullptr, 0, lines[i]);
}

template <Index kernel, Index stride>
__attribute__((noinline)) void copy_patch(const DepthwiseWeightGradientArgs& args, const PatchShape& shape, Index c,
                                          Index count, GradientPatch<kernel, stride>& patch) {
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index row = 0; row < shape.rows; ++row) {
    float(*to)[line] = patch.gradient + row * shape.padded_columns;
    const Index pixel = (shape.image * window.out_height + shape.y + row) * window.out_width + shape.x;
    const float* from = args.output_gradient + pixel * channels + c;
    for (Index i = 0; i < shape.columns; ++i) copy_line(from + i * channels, count, to[i]);
    clear_lines(to + shape.columns, shape.padded_columns - shape.columns);
  }
  const Index left = shape.in_x < 0 ? -shape.in_x : 0;
  const Index needed = (shape.columns - 1) * stride + kernel, room = window.in_width - shape.in_x;
  const Index right = room < needed ? room : needed;
  for (Index row = 0; row < (shape.rows - 1) * stride + kernel; ++row) {
    const Index y = shape.in_y + row;
    if (y < 0 || y >= window.in_height) continue;
    float(*to)[line] = patch.input + row * shape.input_columns;
    const float* from =
        args.input + ((shape.image * window.in_height + y) * window.in_width + shape.in_x) * channels + c;
    clear_lines(to, left);
    for (Index i = left; i < right; ++i) copy_line(from + i * channels, count, to[i]);
    clear_lines(to + right, shape.input_columns - right);
  }
}

/// Adds what the patch gives to one vector of channels to sums[ky][kx], `tap` floats apart.
template <Index kernel, Index stride>
__attribute__((noinline)) void add_patch(const GradientPatch<kernel, stride>& patch, const PatchShape& shape,
                                         Index in_height, Index c, Index count, float* sums, Index tap) {
  constexpr Index width = GradientPatch<kernel, stride>::width;
  for (Index ky = 0; ky < kernel; ++ky) {
    Vec partial_sums[width][kernel];
    LINNET_UNROLL
    for (Index t = 0; t < width; ++t) {
      LINNET_UNROLL
      for (Index kx = 0; kx < kernel; ++kx) partial_sums[t][kx] = Vec(0.0f);
    }
    for (Index row = 0; row < shape.rows; ++row) {
      const Index y = shape.in_y + row * stride + ky;
      if (y < 0 || y >= in_height) continue;
      const float* gradient = patch.gradient[row * shape.padded_columns] + c;
      const float* input = patch.input[(row * stride + ky) * shape.input_columns] + c;
      for (Index x = 0; x < shape.padded_columns; x += width) {
        Vec g[width];
        LINNET_UNROLL
        for (Index t = 0; t < width; ++t) g[t] = Vec::load_aligned(gradient + t * line);
        LINNET_UNROLL
        for (Index j = 0; j < (width - 1) * stride + kernel; ++j) {
          const Vec value = Vec::load_aligned(input + j * line);
          LINNET_UNROLL
          for (Index t = 0; t < width; ++t) {
            const Index kx = j - t * stride;
            if (kx >= 0 && kx < kernel) partial_sums[t][kx] = multiply_add(g[t], value, partial_sums[t][kx]);
          }
        }
        gradient += width * line;
        input += width * stride * line;
      }
    }
    LINNET_UNROLL
    for (Index kx = 0; kx < kernel; ++kx) {
      Vec sum = partial_sums[0][kx];
      LINNET_UNROLL
      for (Index t = 1; t < width; ++t) sum += partial_sums[t][kx];
      float* to = sums + (ky * kernel + kx) * tap;
      if (count >= lanes) {
        store(to, load(to) + sum);
      } else {
        store_partial(to, load_partial(to, count) + sum, count);
      }
    }
  }
}

template <Index kernel, Index stride>
void weight_gradient_rows(const DepthwiseWeightGradientArgs& args, Range output_rows, float* sums) {
  using Patch = GradientPatch<kernel, stride>;
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index i = 0; i < kernel * kernel * channels; ++i) sums[i] = 0.0f;
  Patch patch;
  const Index strips = (window.out_width + Patch::max_columns - 1) / Patch::max_columns;
  const Index strip = (window.out_width + strips - 1) / strips;
  PatchShape shape;
  shape.padded_columns = (strip + Patch::width - 1) / Patch::width * Patch::width;
  shape.input_columns = (shape.padded_columns - 1) * stride + kernel;
  Index max_rows = 1;
  while ((max_rows + 1) * shape.padded_columns <= Patch::max_outputs &&
         (max_rows * stride + kernel) * shape.input_columns <= Patch::enough_inputs) {
    ++max_rows;
  }
  for (Index row = output_rows.begin; row < output_rows.end; row += shape.rows) {
    shape.image = row / window.out_height;
    shape.y = row - shape.image * window.out_height;
    const Index in_image = window.out_height - shape.y, left = output_rows.end - row;
    shape.rows = in_image < left ? in_image : left;
    if (shape.rows > max_rows) shape.rows = max_rows;
    shape.in_y = shape.y * stride - window.pad_top;
    for (shape.x = 0; shape.x < window.out_width; shape.x += strip) {
      shape.columns = window.out_width - shape.x < strip ? window.out_width - shape.x : strip;
      shape.in_x = shape.x * stride - window.pad_left;
      for (Index c = 0; c < channels; c += line) {
        const Index count = channels - c < line ? channels - c : line;
        copy_patch<kernel, stride>(args, shape, c, count, patch);
        for (Index v = 0; v < count; v += lanes) {
          add_patch<kernel, stride>(patch, shape, window.in_height, v, count - v, sums + c + v, channels);
        }
      }
    }
  }
}

void weight_gradient(const DepthwiseWeightGradientArgs& args, Range output_rows, float* sums) {
  const bool strided = args.window.stride == 2;
  switch (args.window.kernel_height) {
    case 3:
      return strided ? weight_gradient_rows<3, 2>(args, output_rows, sums)
                     : weight_gradient_rows<3, 1>(args, output_rows, sums);
    case 5:
      return strided ? weight_gradient_rows<5, 2>(args, output_rows, sums)
                     : weight_gradient_rows<5, 1>(args, output_rows, sums);
    default:
      return strided ? weight_gradient_rows<7, 2>(args, output_rows, sums)
                     : weight_gradient_rows<7, 1>(args, output_rows, sums);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
