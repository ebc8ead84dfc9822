#include "kernels/pointwise/pointwise.h"

#include <algorithm>
#include <cstdint>

#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

std::int64_t product(Index a, Index b, Index c) { return std::int64_t{a} * b * c; }

/// How a weight gradient is cut: the rows into chunks with sums of their own, the gradient into blocks.
struct GradientPlan {
  Index row_chunks, output_blocks, input_blocks;
  Index tasks() const { return row_chunks * output_blocks * input_blocks; }
};

GradientPlan plan_gradient(Index rows, Index in_channels, Index out_channels) {
  constexpr Index rows_per_chunk = 1024, most_row_chunks = 16, most_floats = 4 << 20, enough_tasks = 8;
  const Index size = std::max<Index>(in_channels * out_channels, 1);
  GradientPlan plan{
      std::clamp<Index>(rows / rows_per_chunk, 1, std::clamp<Index>(most_floats / size, 1, most_row_chunks)),
      divide_up(out_channels, 128), divide_up(in_channels, 256)};
  const std::int64_t work = product(rows, in_channels, out_channels);
  while (plan.tasks() < enough_tasks && work / plan.tasks() > 2 * chunk_work) {
    const bool split_outputs = out_channels / plan.output_blocks >= in_channels / plan.input_blocks;
    (split_outputs ? plan.output_blocks : plan.input_blocks) *= 2;
    if (plan.output_blocks > out_channels || plan.input_blocks > in_channels) break;
  }
  plan.output_blocks = std::min(plan.output_blocks, std::max<Index>(out_channels, 1));
  plan.input_blocks = std::min(plan.input_blocks, std::max<Index>(in_channels, 1));
  return plan;
}

}  // namespace

std::span<const Variant<PointwiseKernels>> pointwise_variants() {
  static constexpr Variant<PointwiseKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::pointwise_kernels},
#include "kernels/pointwise/variants.inc"
  };
  return variants;
}

const PointwiseKernels& pointwise_kernels() {
  static const PointwiseKernels& kernels = select(pointwise_variants());
  return kernels;
}

std::span<const Variant<PointwiseGradientKernels>> pointwise_gradient_variants() {
  static constexpr Variant<PointwiseGradientKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::pointwise_gradient_kernels},
#include "kernels/pointwise/variants.inc"
  };
  return variants;
}

const PointwiseGradientKernels& pointwise_gradient_kernels() {
  static const PointwiseGradientKernels& kernels = select(pointwise_gradient_variants());
  return kernels;
}

std::size_t pointwise_packed_size(const PointwiseKernels& kernels, Index in_channels, Index out_channels) {
  return static_cast<std::size_t>(vector_count(out_channels, kernels.lanes) * kernels.lanes * in_channels);
}

std::size_t pointwise_packed_size(Index in_channels, Index out_channels) {
  return pointwise_packed_size(pointwise_kernels(), in_channels, out_channels);
}

void pointwise_pack(const PointwiseKernels& kernels, const float* weights, Index out_stride, Index in_stride,
                    Index in_channels, Index out_channels, float* packed, const float* out_scale) {
  // In blocks of the depth: panels that lie side by side in `weights` then share what is fetched of its rows.
  constexpr Index block = 32;
  const Index panels = panel_count(out_channels, kernels.lanes);
  for (Index block_begin = 0; block_begin < in_channels; block_begin += block) {
    const Index block_end = std::min(block_begin + block, in_channels);
    for (Index panel = 0; panel < panels; ++panel) {
      const Index begin = panel_begin(panel, kernels.lanes);
      const Index width = panel_vectors(panel, out_channels, kernels.lanes) * kernels.lanes;
      const Index used = std::min(width, out_channels - begin);
      float* destination = packed + begin * in_channels + block_begin * width;
      for (Index i = block_begin; i < block_end; ++i, destination += width) {
        const float* source = weights + begin * out_stride + i * in_stride;
        for (Index column = 0; column < used; ++column) {
          destination[column] = source[column * out_stride] * (out_scale ? out_scale[begin + column] : 1.0f);
        }
        std::fill(destination + used, destination + width, 0.0f);
      }
    }
  }
}

void pointwise_pack(const float* weights, Index out_stride, Index in_stride, Index in_channels, Index out_channels,
                    float* packed, const float* out_scale) {
  pointwise_pack(pointwise_kernels(), weights, out_stride, in_stride, in_channels, out_channels, packed, out_scale);
}

void pointwise(ThreadPool& pool, const PointwiseArgs& args) {
  const PointwiseKernels& kernels = pointwise_kernels();
  const ProductCut cut(args.rows, args.in_channels, args.out_channels, kernels.lanes, kernels.tile_rows,
                       pool.threads());
  pool.run(cut.chunks(), [&](Index chunk, int) { kernels.run(args, {}, cut.rows(chunk), cut.panels(chunk)); });
}

std::size_t weight_gradient_scratch_size(const PointwiseGradientKernels& kernels, Index outputs) {
  return static_cast<std::size_t>(weight_gradient_rows * (2 * kernels.lanes + divide_up(outputs, 32) * 32 + 16));
}

void pointwise_weight_gradient(ThreadPool& pool, const PointwiseWeightGradientArgs& args) {
  const PointwiseGradientKernels& kernels = pointwise_gradient_kernels();
  const GradientPlan plan = plan_gradient(args.rows, args.in_channels, args.out_channels);
  const Index size = args.in_channels * args.out_channels;
  const Scratch partial_sums(plan.row_chunks > 1 ? static_cast<std::size_t>(plan.row_chunks * size) : 0);

  pool.run(plan.tasks(), [&](Index task, int) {
    const Index chunk = task / (plan.output_blocks * plan.input_blocks);
    const Index block = task % (plan.output_blocks * plan.input_blocks);
    WeightGradientBlock part;
    part.rows = split(args.rows, plan.row_chunks, chunk);
    part.outputs = split(args.out_channels, plan.output_blocks, block / plan.input_blocks);
    part.inputs = split(args.in_channels, plan.input_blocks, block % plan.input_blocks);
    part.gradient = plan.row_chunks > 1 ? partial_sums.data() + chunk * size : args.weight_gradient;
    part.gradient_stride = args.in_channels;
    const Scratch scratch(weight_gradient_scratch_size(kernels, part.outputs.size()));
    part.scratch = scratch.data();
    kernels.weight_gradient(args, part);
  });

  if (plan.row_chunks > 1) {
    sum_weight_gradients(pool, partial_sums.data(), plan.row_chunks, size, args.weight_gradient);
  }
}

void sum_weight_gradients(ThreadPool& pool, const float* parts, Index count, Index size, float* sum) {
  const Index chunks = chunk_count(std::int64_t{size} * count, size);
  pool.run(chunks, [&](Index chunk, int) {
    const Range range = split(size, chunks, chunk);
    std::copy(parts + range.begin, parts + range.end, sum + range.begin);
    for (Index part = 1; part < count; ++part) {
      const float* source = parts + part * size;
      for (Index i = range.begin; i < range.end; ++i) sum[i] += source[i];
    }
  });
}

}  // namespace linnet::kernels
