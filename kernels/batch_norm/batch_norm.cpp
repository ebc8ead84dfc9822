#include "kernels/batch_norm/batch_norm.h"

#include <algorithm>

#include "kernels/batch_norm/partial_sums.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Values in one chunk: about 20 microseconds.
constexpr Index chunk_size = 1 << 16;

/// More partial sums than this would cost more to combine than they gain in balance.
constexpr Index max_sum_chunks = 64;

Index rows_per_chunk(Index channels) { return std::max<Index>(1, chunk_size / std::max<Index>(1, channels)); }

Chunks row_chunks(Index rows, Index channels) { return {rows, rows_per_chunk(channels)}; }

Chunks sum_chunks(Index rows, Index channels) {
  return {rows, std::max(rows_per_chunk(channels), rows / max_sum_chunks)};
}

}  // namespace

std::span<const Variant<ScaleShiftKernels>> scale_shift_variants() {
  static constexpr Variant<ScaleShiftKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::scale_shift_kernels},
#include "kernels/batch_norm/variants.inc"
  };
  return variants;
}

std::span<const Variant<BatchNormKernels>> batch_norm_variants() {
  static constexpr Variant<BatchNormKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::batch_norm_kernels},
#include "kernels/batch_norm/variants.inc"
  };
  return variants;
}

const BatchNormKernels& batch_norm_kernels() {
  static const BatchNormKernels& kernels = select(batch_norm_variants());
  return kernels;
}

void scale_shift(ThreadPool& pool, Index rows, Index channels, const float* input, const float* scale,
                 const float* shift, Activation activation, float* output) {
  const ScaleShiftKernels& kernels = select(scale_shift_variants());
  const Chunks chunks = row_chunks(rows, channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.scale_shift(channels, chunks[chunk], input, scale, shift, activation, output);
  });
}

void normalise(ThreadPool& pool, Index rows, Index channels, const Norm& norm, const float* input, float* output) {
  const BatchNormKernels& kernels = batch_norm_kernels();
  const Chunks chunks = row_chunks(rows, channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.normalise(channels, chunks[chunk], norm, input, output); });
}

void batch_norm_statistics(ThreadPool& pool, const BatchNormArgs& args) {
  const BatchNormKernels& kernels = batch_norm_kernels();
  const Chunks chunks = sum_chunks(args.rows, args.channels);
  PartialSums moments(chunks.count(), args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.moments(args.channels, chunks[chunk], args.input, moments.first(chunk), moments.second(chunk));
  });
  join_moments(moments, chunks, args.epsilon, {args.mean, args.variance, args.inverse_std});
}

void batch_norm(ThreadPool& pool, const BatchNormArgs& args) {
  batch_norm_statistics(pool, args);
  normalise(pool, args.rows, args.channels, {args.gamma, args.beta, args.mean, args.inverse_std, args.activation},
            args.input, args.output);
}

void batch_norm_gradient_sums(ThreadPool& pool, const BatchNormGradientArgs& args, double* sums) {
  const BatchNormKernels& kernels = batch_norm_kernels();
  const Chunks chunks = sum_chunks(args.rows, args.channels);
  PartialSums partial(chunks.count(), args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.gradient_sums(args, chunks[chunk], partial.first(chunk), partial.second(chunk));
  });
  partial.add_up(sums);
}

BatchNormMeans::BatchNormMeans(const BatchNormGradientArgs& args, const double* sums)
    : values_(static_cast<std::size_t>(2 * args.channels)) {
  if (args.fixed_statistics) return;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i] = static_cast<float>(sums[i] / static_cast<double>(args.rows));
  }
}

void batch_norm_input_gradient(ThreadPool& pool, const BatchNormGradientArgs& args, const double* sums) {
  const BatchNormKernels& kernels = batch_norm_kernels();
  const BatchNormMeans means(args, sums);
  const Chunks chunks = row_chunks(args.rows, args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.input_gradient(args, means.view(), chunks[chunk]); });
}

void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs& args) {
  std::vector<double> sums(static_cast<std::size_t>(2 * args.channels));
  batch_norm_gradient_sums(pool, args, sums.data());
  const double *gradient = sums.data(), *product = gradient + args.channels;
  for (Index c = 0; c < args.channels; ++c) {
    args.beta_gradient[c] = static_cast<float>(gradient[c]);
    args.gamma_gradient[c] = static_cast<float>(product[c]);
  }
  if (args.input_gradient) batch_norm_input_gradient(pool, args, sums.data());
}

}  // namespace linnet::kernels
