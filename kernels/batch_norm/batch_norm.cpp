#include "kernels/batch_norm/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/common/chunks.h"
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

/// Two values per channel and chunk.
class PartialSums {
 public:
  PartialSums(Index chunks, Index channels)
      : channels_(channels), values_(static_cast<std::size_t>(2 * chunks * channels)) {}
  double* first(Index chunk) { return values_.data() + 2 * chunk * channels_; }
  double* second(Index chunk) { return first(chunk) + channels_; }

 private:
  Index channels_;
  std::vector<double> values_;
};

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

void scale_shift(ThreadPool& pool, Index rows, Index channels, const float* input, const float* scale,
                 const float* shift, Activation activation, float* output) {
  const ScaleShiftKernels& kernels = select(scale_shift_variants());
  const Chunks chunks = row_chunks(rows, channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.scale_shift(channels, chunks[chunk], input, scale, shift, activation, output);
  });
}

void batch_norm(ThreadPool& pool, const BatchNormArgs& args) {
  const BatchNormKernels& kernels = select(batch_norm_variants());
  const Chunks chunks = sum_chunks(args.rows, args.channels);
  PartialSums moments(chunks.count(), args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.moments(args.channels, chunks[chunk], args.input, moments.first(chunk), moments.second(chunk));
  });
  for (Index c = 0; c < args.channels; ++c) {
    // Chan, Golub and LeVeque: joins the moments of two sets of rows without cancellation.
    double count = 0.0, mean = 0.0, squares = 0.0;
    for (Index chunk = 0; chunk < chunks.count(); ++chunk) {
      const auto more = static_cast<double>(chunks[chunk].size());
      const double difference = moments.first(chunk)[c] - mean;
      mean += difference * more / (count + more);
      squares += moments.second(chunk)[c] + difference * difference * count * more / (count + more);
      count += more;
    }
    const double variance = squares / count;
    args.mean[c] = static_cast<float>(mean);
    args.variance[c] = static_cast<float>(variance);
    args.inverse_std[c] = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(args.epsilon)));
  }
  const Chunks parts = row_chunks(args.rows, args.channels);
  pool.run(parts.count(), [&](Index part, int) { kernels.normalise(args, parts[part]); });
}

void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs& args) {
  const BatchNormKernels& kernels = select(batch_norm_variants());
  const Chunks chunks = sum_chunks(args.rows, args.channels);
  PartialSums sums(chunks.count(), args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    kernels.gradient_sums(args, chunks[chunk], sums.first(chunk), sums.second(chunk));
  });
  std::vector<float> means(static_cast<std::size_t>(2 * args.channels));
  for (Index c = 0; c < args.channels; ++c) {
    double gradient = 0.0, product = 0.0;
    for (Index chunk = 0; chunk < chunks.count(); ++chunk) {
      gradient += sums.first(chunk)[c];
      product += sums.second(chunk)[c];
    }
    args.beta_gradient[c] = static_cast<float>(gradient);
    args.gamma_gradient[c] = static_cast<float>(product);
    if (args.fixed_statistics) continue;
    means[static_cast<std::size_t>(c)] = static_cast<float>(gradient / static_cast<double>(args.rows));
    means[static_cast<std::size_t>(args.channels + c)] = static_cast<float>(product / static_cast<double>(args.rows));
  }
  if (!args.input_gradient) return;
  const Chunks parts = row_chunks(args.rows, args.channels);
  pool.run(parts.count(), [&](Index part, int) {
    kernels.input_gradient(args, {means.data(), means.data() + args.channels}, parts[part]);
  });
}

}  // namespace linnet::kernels
