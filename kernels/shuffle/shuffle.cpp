#include "kernels/shuffle/shuffle.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/common/chunks.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Chunks of about 32,000 floats: some 20 microseconds.
Chunks row_chunks(Index rows, Index channels) {
  if (channels <= 0) return {0, 1};
  return {rows, std::max<Index>(1, (1 << 15) / channels)};
}

}  // namespace

std::span<const Variant<ShuffleKernels>> shuffle_variants() {
  static constexpr Variant<ShuffleKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::shuffle_kernels},
#include "kernels/shuffle/variants.inc"
  };
  return variants;
}

void channel_shuffle(ThreadPool& pool, Index rows, Index channels, Index groups, const float* input, float* output) {
  if (groups < 1 || channels % groups != 0) {
    throw std::invalid_argument("channel_shuffle: " + std::to_string(channels) + " channels do not divide into " +
                                std::to_string(groups) + " groups");
  }
  const ShuffleKernels& kernels = select(shuffle_variants());
  const Chunks chunks = row_chunks(rows, channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    const Index at = range.begin * channels;
    kernels.channel_shuffle(range.size(), channels, groups, input + at, output + at);
  });
}

void copy_channels(ThreadPool& pool, Index rows, Index channels, const float* input, Index input_stride, float* output,
                   Index output_stride) {
  const ShuffleKernels& kernels = select(shuffle_variants());
  const Chunks chunks = row_chunks(rows, channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.copy_channels(range.size(), channels, input + range.begin * input_stride, input_stride,
                          output + range.begin * output_stride, output_stride);
  });
}

void interleave_channels(ThreadPool& pool, Index rows, Index channels, const float* a, Index a_stride, const float* b,
                         Index b_stride, float* output) {
  const ShuffleKernels& kernels = select(shuffle_variants());
  const Chunks chunks = row_chunks(rows, 2 * channels);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.interleave_channels(range.size(), channels, a + range.begin * a_stride, a_stride,
                                b + range.begin * b_stride, b_stride, output + range.begin * 2 * channels);
  });
}

}  // namespace linnet::kernels
