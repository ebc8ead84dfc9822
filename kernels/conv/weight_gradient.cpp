#include <algorithm>
#include <cstdint>

#include "kernels/conv/convolution.h"
#include "kernels/conv/patches.h"
#include "kernels/conv/tiles.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Pixels are summed in chunks, each into a gradient of its own; outputs in blocks where the pixels are too few.
struct Plan {
  Index pixel_chunks = 1, output_blocks = 1;
};

Plan plan_sums(const ConvolutionShape& shape) {
  constexpr Index pixels_per_chunk = 512, most_chunks = 16, most_floats = 4 << 20, enough_tasks = 8;
  const Index pixels = shape.window.out_pixels(), size = std::max<Index>(shape.out_channels * shape.patch_size(), 1);
  Plan plan;
  plan.pixel_chunks =
      std::clamp<Index>(pixels / pixels_per_chunk, 1, std::clamp<Index>(most_floats / size, 1, most_chunks));
  const std::int64_t work = std::int64_t{pixels} * size / plan.pixel_chunks;
  plan.output_blocks = std::min({divide_up(enough_tasks, plan.pixel_chunks), chunk_count(work, enough_tasks),
                                 divide_up(shape.group_outputs(), 32)});
  plan.output_blocks = std::max<Index>(plan.output_blocks, 1);
  return plan;
}

/// Adds up the chunks' sums for one output channel and puts them into the reference layout.
void reduce(const ConvolutionShape& shape, Index output, const float* partial_sums, Index chunks, float* sums,
            float* weight_gradient) {
  const Index patch_size = shape.patch_size(), inputs = shape.group_inputs(), area = shape.window.kernel_area();
  std::copy_n(partial_sums + output * patch_size, patch_size, sums);
  for (Index chunk = 1; chunk < chunks; ++chunk) {
    const float* source = partial_sums + (chunk * shape.out_channels + output) * patch_size;
    for (Index k = 0; k < patch_size; ++k) sums[k] += source[k];
  }
  float* filter = weight_gradient + output * patch_size;
  for (Index tap = 0; tap < area; ++tap) {
    for (Index i = 0; i < inputs; ++i) filter[i * area + tap] = sums[tap * inputs + i];
  }
}

}  // namespace

void convolution_weight_gradient(ThreadPool& pool, const ConvolutionShape& shape, const float* input,
                                 const float* output_gradient, float* weight_gradient) {
  const PointwiseGradientKernels& pointwise = pointwise_gradient_kernels();
  const ConvKernels& kernels = conv_kernels();
  const Index inputs = shape.group_inputs(), outputs = shape.group_outputs(), patch_size = shape.patch_size();
  const Index pixels = shape.window.out_pixels(), size = shape.out_channels * patch_size;
  const Plan plan = plan_sums(shape);
  const Scratch partial_sums(static_cast<std::size_t>(plan.pixel_chunks * size));

  pool.run(plan.pixel_chunks * plan.output_blocks, [&](Index task, int) {
    const Index chunk = task / plan.output_blocks;
    const Range chunk_pixels = split(pixels, plan.pixel_chunks, chunk);
    WeightGradientBlock block;
    block.outputs = split(outputs, plan.output_blocks, task % plan.output_blocks);
    block.inputs = {0, patch_size};
    block.gradient_stride = patch_size;
    const Scratch patches(static_cast<std::size_t>(weight_gradient_rows * patch_size));
    const Scratch scratch(weight_gradient_scratch_size(pointwise, block.outputs.size()));
    block.scratch = scratch.data();
    for (Index begin = chunk_pixels.begin; begin < chunk_pixels.end || !block.accumulate;
         begin += weight_gradient_rows) {
      const Range rows{begin, std::min(begin + weight_gradient_rows, chunk_pixels.end)};
      for (Index group = 0; group < shape.groups; ++group) {
        kernels.gather(patch_grid(shape.window, input + group * inputs, shape.in_channels, inputs), rows,
                       patches.data());
        PointwiseWeightGradientArgs product;
        product.rows = rows.size();
        product.in_channels = patch_size;
        product.out_channels = outputs;
        product.input = patches.data();
        product.input_stride = patch_size;
        product.output_gradient = output_gradient + rows.begin * shape.out_channels + group * outputs;
        product.output_gradient_stride = shape.out_channels;
        block.rows = {0, product.rows};
        block.gradient = partial_sums.data() + chunk * size + group * outputs * patch_size;
        pointwise.weight_gradient(product, block);
      }
      block.accumulate = true;
    }
  });

  const Index sum_chunks = chunk_count(std::int64_t{size} * plan.pixel_chunks, shape.out_channels);
  pool.run(sum_chunks, [&](Index part, int) {
    const Scratch sums(static_cast<std::size_t>(patch_size));
    const Range range = split(shape.out_channels, sum_chunks, part);
    for (Index output = range.begin; output < range.end; ++output) {
      reduce(shape, output, partial_sums.data(), plan.pixel_chunks, sums.data(), weight_gradient);
    }
  });
}

}  // namespace linnet::kernels
