#include "kernels/conv_norm/conv_norm.h"

#include <algorithm>

#include "kernels/batch_norm/partial_sums.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// What a piece reads and writes stays in the second-level cache, and is worth a pass over the weights.
Chunks pieces_of(Index rows, Index in_channels, Index out_channels) {
  constexpr Index floats = 1 << 16, fewest_rows = 96, most_rows = 1024;
  return {rows, std::clamp(floats / std::max<Index>(in_channels + out_channels, 1), fewest_rows, most_rows)};
}

/// Rows of the input as the product reads them: where they lie, or normalised in `scratch`.
const float* normalised(const float* rows, Index count, Index channels, const Norm* norm, float* scratch) {
  if (norm == nullptr) return rows;
  batch_norm_kernels().normalise(channels, {0, count}, *norm, rows, scratch);
  return scratch;
}

std::size_t scratch_for(Index rows, Index channels, bool wanted) {
  return wanted ? static_cast<std::size_t>(rows * channels) : 0;
}

}  // namespace

bool pointwise_norm_pays(Index rows, Index in_channels, Index out_channels) {
  constexpr Index floats_in_cache = 1 << 20;
  return rows * (in_channels + out_channels) > floats_in_cache;
}

void pointwise_norm(ThreadPool& pool, Index rows, Index in_channels, Index out_channels, const ConvNormArgs& args) {
  const PointwiseKernels& product = pointwise_kernels();
  const BatchNormKernels& norm = batch_norm_kernels();
  const Chunks pieces = pieces_of(rows, in_channels, out_channels);
  const Index panels = panel_count(out_channels, product.lanes);
  PartialSums moments(pieces.count(), out_channels);
  pool.run(pieces.count(), [&](Index piece, int) {
    const Range range = pieces[piece];
    const Scratch scratch(scratch_for(range.size(), in_channels, args.input_norm != nullptr));
    float* output = args.output + range.begin * out_channels;
    product.run({.rows = range.size(),
                 .in_channels = in_channels,
                 .out_channels = out_channels,
                 .input = normalised(args.input + range.begin * in_channels, range.size(), in_channels, args.input_norm,
                                     scratch.data()),
                 .input_stride = in_channels,
                 .weights = args.weights,
                 .output = output,
                 .output_stride = out_channels,
                 .epilogue = {}},
                {}, {0, range.size()}, {0, panels});
    norm.moments(out_channels, {0, range.size()}, output, moments.first(piece), moments.second(piece));
  });
  join_moments(moments, pieces, args.epsilon, {args.mean, args.variance, args.inverse_std});
}

void pointwise_norm_gradient(ThreadPool& pool, Index rows, Index in_channels, Index out_channels,
                             const ConvNormGradientArgs& args) {
  const PointwiseKernels& product = pointwise_kernels();
  const PointwiseGradientKernels& gradients = pointwise_gradient_kernels();
  const BatchNormKernels& norm = batch_norm_kernels();
  const Index size = in_channels * out_channels;
  const Chunks pieces = pieces_of(rows, in_channels, out_channels);
  const Index panels = panel_count(in_channels, product.lanes);

  BatchNormGradientArgs output{.rows = rows, .channels = out_channels, .norm = args.output_norm};
  const BatchNormMeans means(output, args.output_sums);
  PartialSums input_sums(args.input_sums != nullptr ? pieces.count() : 0, in_channels);

  // Each run of pieces has a sum of weight gradients of its own.
  constexpr Index most_runs = 16, most_floats = 4 << 20;
  const Chunks runs(pieces.count(), divide_up(pieces.count(), std::clamp<Index>(most_floats / size, 1, most_runs)));
  const Scratch partial_gradients(static_cast<std::size_t>(runs.count() * size));

  pool.run(runs.count(), [&](Index run, int) {
    float* weight_gradient = partial_gradients.data() + run * size;
    for (Index piece = runs[run].begin; piece < runs[run].end; ++piece) {
      const Range range = pieces[piece];
      const Range all{0, range.size()};
      const float* input = args.input + range.begin * in_channels;

      const Scratch product_gradient(scratch_for(range.size(), out_channels, true));
      BatchNormGradientArgs piece_of_output = output;
      piece_of_output.input = args.output + range.begin * out_channels;
      piece_of_output.output_gradient = args.output_gradient + range.begin * out_channels;
      piece_of_output.input_gradient = product_gradient.data();
      norm.input_gradient(piece_of_output, means.view(), all);

      const Scratch input_scratch(scratch_for(range.size(), in_channels, args.input_norm != nullptr));
      const Scratch weight_scratch(weight_gradient_scratch_size(gradients, out_channels));
      gradients.weight_gradient(
          {.rows = range.size(),
           .in_channels = in_channels,
           .out_channels = out_channels,
           .input = normalised(input, range.size(), in_channels, args.input_norm, input_scratch.data()),
           .input_stride = in_channels,
           .output_gradient = product_gradient.data(),
           .output_gradient_stride = out_channels},
          {.rows = all,
           .outputs = {0, out_channels},
           .inputs = {0, in_channels},
           .gradient = weight_gradient,
           .gradient_stride = in_channels,
           .accumulate = piece != runs[run].begin,
           .scratch = weight_scratch.data()});

      if (args.input_gradient == nullptr) continue;
      float* input_gradient = args.input_gradient + range.begin * in_channels;
      product.run({.rows = range.size(),
                   .in_channels = out_channels,
                   .out_channels = in_channels,
                   .input = product_gradient.data(),
                   .input_stride = out_channels,
                   .weights = args.weights,
                   .output = input_gradient,
                   .output_stride = in_channels,
                   .epilogue = {}},
                  {}, all, {0, panels});
      if (args.input_sums == nullptr) continue;
      const BatchNormGradientArgs piece_of_input{
          .channels = in_channels, .input = input, .output_gradient = input_gradient, .norm = *args.input_norm};
      norm.gradient_sums(piece_of_input, all, input_sums.first(piece), input_sums.second(piece));
    }
  });

  sum_weight_gradients(pool, partial_gradients.data(), runs.count(), size, args.weight_gradient);
  if (args.input_sums != nullptr) input_sums.add_up(args.input_sums);
}

}  // namespace linnet::kernels
