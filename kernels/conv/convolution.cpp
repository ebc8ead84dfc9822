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

/// Every patch is a pixel of the input, in order.
bool reads_in_place(const Window& window) {
  return window.kernel_area() == 1 && window.stride == 1 && window.pad_top == 0 && window.pad_left == 0 &&
         window.out_height == window.in_height && window.out_width == window.in_width;
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
  if (reads_in_place(shape.window)) return 0;
  const Index tile = tile_pixels(pointwise_kernels(), shape.patch_size());
  return static_cast<std::size_t>(threads) * aligned_size(tile * shape.patch_size());
}

void convolution(ThreadPool& pool, const ConvolutionArgs& args) {
  const ConvolutionShape& shape = args.shape;
  const PointwiseKernels& pointwise = pointwise_kernels();
  const ConvKernels& kernels = conv_kernels();
  const bool in_place = reads_in_place(shape.window);
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs(), patch_size = shape.patch_size();
  const Index pixels = shape.window.out_pixels();
  const Index tile = tile_pixels(pointwise, patch_size), tiles = divide_up(pixels, tile);
  const std::size_t slice = aligned_size(tile * patch_size);
  const std::size_t group_weights = pointwise_packed_size(patch_size, outputs);
  const Index chunks = chunk_count(std::int64_t{pixels} * patch_size * shape.out_channels, tiles);

  pool.run(chunks, [&](Index chunk, int worker) {
    float* patches = args.workspace + (in_place ? 0 : static_cast<std::size_t>(worker) * slice);
    const Range part = split(tiles, chunks, chunk);
    for (Index t = part.begin; t < part.end; ++t) {
      const Range positions{t * tile, std::min((t + 1) * tile, pixels)};
      for (Index group = 0; group < shape.groups; ++group) {
        const float* input = args.input + group * inputs;
        if (!in_place) {
          kernels.gather(patch_grid(shape.window, input, args.input_stride, inputs), positions, patches);
        }
        PointwiseArgs product;
        product.rows = positions.size();
        product.in_channels = patch_size;
        product.out_channels = outputs;
        product.input = in_place ? input + positions.begin * args.input_stride : patches;
        product.input_stride = in_place ? args.input_stride : patch_size;
        product.weights = args.weights + static_cast<std::size_t>(group) * group_weights;
        product.output = args.output + positions.begin * args.output_stride + group * outputs;
        product.output_stride = args.output_stride;
        product.epilogue = args.epilogue;
        if (args.epilogue.bias) product.epilogue.bias += group * outputs;
        if (args.epilogue.residual) {
          product.epilogue.residual += positions.begin * args.epilogue.residual_stride + group * outputs;
        }
        pointwise.run(product, {0, product.rows}, {0, panel_count(outputs, pointwise.lanes)});
      }
    }
  });
}

}  // namespace linnet::kernels
