#include "kernels/conv/convolution.h"

#include <algorithm>
#include <cstdint>

#include "kernels/conv/patches.h"
#include "kernels/conv/tiles.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// How the products get their left operand.
enum class Source {
  input,   ///< every patch is a pixel of the input, in order
  rows,    ///< rows of the input are copied, with their padding; patches are windows of the copy
  patches  ///< patches are copied one by one
};

Index padded_width(const Window& window) { return (window.out_width - 1) * window.stride + window.kernel_width; }

Source source(const Window& window) {
  if (window.kernel_area() == 1 && window.stride == 1 && window.pad_top == 0 && window.pad_left == 0 &&
      window.out_height == window.in_height && window.out_width == window.in_width) {
    return Source::input;
  }
  // A register tile does not go on in the next row of the output: rows must be long.
  constexpr Index long_row = 24;
  const bool copies_rows = window.dilation == 1 && window.out_width >= long_row && window.pad_left >= 0 &&
                           window.pad_left <= padded_width(window);
  return copies_rows ? Source::rows : Source::patches;
}

Index slice_size(const ConvolutionShape& shape) {
  switch (source(shape.window)) {
    case Source::input:
      return 0;
    case Source::rows:
      return shape.window.kernel_height * padded_width(shape.window) * shape.group_inputs();
    case Source::patches:
      break;
  }
  return tile_pixels(pointwise_kernels(), shape.patch_size()) * shape.patch_size();
}

/// Output pixels that share a copy: a row of them, or a tile.
Index unit_pixels(const ConvolutionShape& shape) {
  return source(shape.window) == Source::rows ? shape.window.out_width
                                              : tile_pixels(pointwise_kernels(), shape.patch_size());
}

/// The input rows that output row `row` (counted through the batch) sees: [kernel_height][padded width][channels].
void copy_rows(const Window& window, Index row, const float* input, Index stride, Index channels, float* copy) {
  const Index image = row / window.out_height, top = row % window.out_height * window.stride - window.pad_top;
  const Index width = padded_width(window), right = width - window.pad_left, used = std::min(right, window.in_width);
  for (Index ky = 0; ky < window.kernel_height; ++ky, copy += width * channels) {
    const Index y = top + ky;
    float* pixels = copy + window.pad_left * channels;
    if (y < 0 || y >= window.in_height) {
      std::fill_n(copy, width * channels, 0.0f);
      continue;
    }
    const float* from = input + (image * window.in_height + y) * window.in_width * stride;
    std::fill(copy, pixels, 0.0f);
    if (stride == channels) {
      std::copy_n(from, used * channels, pixels);
    } else {
      for (Index x = 0; x < used; ++x) std::copy_n(from + x * stride, channels, pixels + x * channels);
    }
    std::fill(pixels + used * channels, pixels + right * channels, 0.0f);
  }
}

}  // namespace

std::span<const Variant<ConvKernels>> conv_variants() {
  static constexpr Variant<ConvKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::conv_kernels},
#include "kernels/conv/variants.inc"
  };
  return variants;
}

const ConvKernels& conv_kernels() {
  static const ConvKernels& kernels = select(conv_variants());
  return kernels;
}

std::size_t convolution_packed_size(Index groups, Index in_channels, Index out_channels, Index kernel_area) {
  return static_cast<std::size_t>(groups) *
         pointwise_packed_size(in_channels / groups * kernel_area, out_channels / groups);
}

void convolution_pack(const float* weights, Index groups, Index in_channels, Index out_channels, Index kernel_area,
                      float* packed) {
  const Index inputs = in_channels / groups, outputs = out_channels / groups, patch_size = inputs * kernel_area;
  const Scratch reordered(static_cast<std::size_t>(patch_size * outputs));
  for (Index group = 0; group < groups; ++group) {
    for (Index o = 0; o < outputs; ++o) {
      const float* filter = weights + (group * outputs + o) * patch_size;
      for (Index i = 0; i < inputs; ++i) {
        for (Index k = 0; k < kernel_area; ++k) {
          reordered.data()[o * patch_size + k * inputs + i] = filter[i * kernel_area + k];
        }
      }
    }
    pointwise_pack(reordered.data(), patch_size, 1, patch_size, outputs, packed);
    packed += pointwise_packed_size(patch_size, outputs);
  }
}

std::size_t convolution_workspace_size(const ConvolutionShape& shape, int threads) {
  return static_cast<std::size_t>(threads) * aligned_size(slice_size(shape));
}

Index convolution_row_size(const ConvolutionShape& shape) {
  return source(shape.window) == Source::rows ? slice_size(shape) : 0;
}

RowProduct convolution_row(const ConvolutionShape& shape, Index row, const float* input, Index input_stride,
                           const float* weights, float* copy) {
  const Window& window = shape.window;
  const Index inputs = shape.group_inputs();
  copy_rows(window, row, input, input_stride, inputs, copy);
  RowProduct result;
  result.product.rows = window.out_width;
  result.product.in_channels = shape.patch_size();
  result.product.out_channels = shape.group_outputs();
  result.product.input = copy;
  result.product.input_stride = window.stride * inputs;
  result.product.weights = weights;
  result.segments = {window.kernel_width * inputs, padded_width(window) * inputs};
  return result;
}

void convolution(ThreadPool& pool, const ConvolutionArgs& args) {
  const ConvolutionShape& shape = args.shape;
  const Window& window = shape.window;
  const PointwiseKernels& pointwise = pointwise_kernels();
  const Source from = source(window);
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs(), patch_size = shape.patch_size();
  const Index pixels = window.out_pixels(), unit = unit_pixels(shape), units = divide_up(pixels, unit);
  const std::size_t slice = aligned_size(slice_size(shape));
  const std::size_t group_weights = pointwise_packed_size(patch_size, outputs);
  const Index chunks = chunk_count(std::int64_t{pixels} * patch_size * shape.out_channels, units, pool.threads());

  const auto product_of = [&](Range positions, const float* input, const float* weights, float* copy) {
    if (from == Source::rows) {
      return convolution_row(shape, positions.begin / window.out_width, input, args.input_stride, weights, copy);
    }
    RowProduct result;
    result.product.rows = positions.size();
    result.product.in_channels = patch_size;
    result.product.out_channels = outputs;
    result.product.weights = weights;
    if (from == Source::input) {
      result.product.input = input + positions.begin * args.input_stride;
      result.product.input_stride = args.input_stride;
    } else {
      conv_kernels().gather(patch_grid(window, input, args.input_stride, inputs), positions, copy);
      result.product.input = copy;
      result.product.input_stride = patch_size;
    }
    return result;
  };

  const auto run_unit = [&](Range positions, Index group, float* copy) {
    auto [product, segments] = product_of(positions, args.input + group * inputs,
                                          args.weights + static_cast<std::size_t>(group) * group_weights, copy);
    product.output = args.output + positions.begin * args.output_stride + group * outputs;
    product.output_stride = args.output_stride;
    product.epilogue = args.epilogue;
    if (args.epilogue.bias) product.epilogue.bias += group * outputs;
    if (args.epilogue.residual) {
      product.epilogue.residual += positions.begin * args.epilogue.residual_stride + group * outputs;
    }
    pointwise.run(product, segments, {0, product.rows}, {0, panel_count(outputs, pointwise.lanes)});
  };

  pool.run(chunks, [&](Index chunk, int worker) {
    float* copy = args.workspace + static_cast<std::size_t>(worker) * slice;
    const Range part = split(units, chunks, chunk);
    for (Index u = part.begin; u < part.end; ++u) {
      const Range positions{u * unit, std::min((u + 1) * unit, pixels)};
      for (Index group = 0; group < shape.groups; ++group) run_unit(positions, group, copy);
    }
  });
}

}  // namespace linnet::kernels
