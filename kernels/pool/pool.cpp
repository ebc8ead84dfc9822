#include "kernels/pool/pool.h"

#include <algorithm>

#include "kernels/common/chunks.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Values that a chunk reads or writes, whichever are more: about 20 microseconds.
constexpr Index chunk_work = 1 << 17;

/// Channels of one image that a chunk of the global average sums: whole cache lines.
constexpr Index global_average_channels = 64;

Index rows_per_chunk(Index row_work) { return std::max<Index>(1, chunk_work / std::max<Index>(1, row_work)); }

const PoolKernels& kernels_for(const Window& window) {
  return window.dilation == 1 ? select(pool_variants()) : scalar::pool_kernels;
}

Chunks output_chunks(const Window& window, Index channels) {
  return {window.batch * window.out_height, rows_per_chunk(window.out_width * channels * window.kernel_area())};
}

Chunks input_chunks(const Window& window, Index channels) {
  const Index windows = std::max<Index>(1, window.kernel_area() / (window.stride * window.stride));
  return {window.batch * window.in_height, rows_per_chunk(window.in_width * channels * windows)};
}

}  // namespace

std::span<const Variant<PoolKernels>> pool_variants() {
  static constexpr Variant<PoolKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::pool_kernels},
#include "kernels/pool/variants.inc"
  };
  return variants;
}

void max_pool(ThreadPool& pool, const MaxPoolArgs& args) {
  const PoolKernels& kernels = kernels_for(args.window);
  const Chunks chunks = output_chunks(args.window, args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.max(args, chunks[chunk]); });
}

void max_pool_gradient(ThreadPool& pool, const MaxPoolGradientArgs& args) {
  const PoolKernels& kernels = kernels_for(args.window);
  const Chunks chunks = input_chunks(args.window, args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.max_gradient(args, chunks[chunk]); });
}

void average_pool(ThreadPool& pool, const AveragePoolArgs& args) {
  const PoolKernels& kernels = kernels_for(args.window);
  const Chunks chunks = output_chunks(args.window, args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.average(args, chunks[chunk]); });
}

void average_pool_gradient(ThreadPool& pool, const AveragePoolGradientArgs& args) {
  const PoolKernels& kernels = kernels_for(args.window);
  const Chunks chunks = input_chunks(args.window, args.channels);
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.average_gradient(args, chunks[chunk]); });
}

void global_average_pool(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input,
                         float* output) {
  const PoolKernels& kernels = select(pool_variants());
  const Index blocks = (channels + global_average_channels - 1) / global_average_channels;
  const Chunks chunks(batch * blocks, rows_per_chunk(pixels * std::min(channels, global_average_channels)));
  pool.run(chunks.count(), [&](Index chunk, int) {
    for (Index unit = chunks[chunk].begin; unit < chunks[chunk].end; ++unit) {
      const Index image = unit / blocks, begin = unit % blocks * global_average_channels;
      kernels.global_average(pixels, channels, {begin, std::min(channels, begin + global_average_channels)},
                             input + image * pixels * channels, output + image * channels);
    }
  });
}

void global_average_pool_gradient(ThreadPool& pool, Index batch, Index pixels, Index channels,
                                  const float* output_gradient, float* input_gradient) {
  const PoolKernels& kernels = select(pool_variants());
  const Chunks chunks(batch, rows_per_chunk(pixels * channels));
  pool.run(chunks.count(), [&](Index chunk, int) {
    for (Index image = chunks[chunk].begin; image < chunks[chunk].end; ++image) {
      kernels.global_average_gradient(pixels, channels, {0, pixels}, output_gradient + image * channels,
                                      input_gradient + image * pixels * channels);
    }
  });
}

}  // namespace linnet::kernels
