#include "kernels/elementwise/elementwise.h"

#include <algorithm>
#include <vector>

#include "kernels/common/chunks.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Floats in one chunk: 10 to 30 microseconds, and small enough for a core's second-level cache.
constexpr Index grain = 1 << 15;

Index pixels_per_chunk(Index channels) { return std::max<Index>(1, grain / std::max<Index>(1, channels)); }

}  // namespace

std::span<const Variant<ElementwiseKernels>> elementwise_variants() {
  static constexpr Variant<ElementwiseKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::elementwise_kernels},
#include "kernels/elementwise/variants.inc"
  };
  return variants;
}

void activate(ThreadPool& pool, Activation activation, Index size, const float* input, float* output) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(size, grain);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.activate(activation, range.size(), input + range.begin, output + range.begin);
  });
}

void activate_gradient(ThreadPool& pool, Activation activation, Index size, const float* input,
                       const float* output_gradient, float* input_gradient) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(size, grain);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.activate_gradient(activation, range.size(), input + range.begin, output_gradient + range.begin,
                              input_gradient + range.begin);
  });
}

void add(ThreadPool& pool, Index size, const float* a, const float* b, Activation activation, float* output) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(size, grain);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.add(activation, range.size(), a + range.begin, b + range.begin, output + range.begin);
  });
}

void multiply(ThreadPool& pool, Index size, const float* a, const float* b, float* output) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(size, grain);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.multiply(range.size(), a + range.begin, b + range.begin, output + range.begin);
  });
}

void accumulate(ThreadPool& pool, Index size, float alpha, const float* x, float* y) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(size, grain);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.accumulate(range.size(), alpha, x + range.begin, y + range.begin);
  });
}

void scale_channels(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input, const float* scale,
                    float* output) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(batch * pixels, pixels_per_chunk(channels));
  pool.run(chunks.count(), [&](Index chunk, int) {
    // A chunk's rows may lie in several images, each with a scale of its own.
    const Range rows = chunks[chunk];
    for (Index row = rows.begin; row < rows.end;) {
      const Index image = row / pixels;
      const Index end = std::min(rows.end, (image + 1) * pixels);
      kernels.scale_channels(end - row, channels, input + row * channels, scale + image * channels,
                             output + row * channels);
      row = end;
    }
  });
}

void scale_channels_gradient(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input,
                             const float* scale, const float* output_gradient, float* input_gradient,
                             float* scale_gradient) {
  const ElementwiseKernels& kernels = select(elementwise_variants());
  const Chunks chunks(pixels, pixels_per_chunk(channels));
  // Each chunk of each image sums into a row of its own; the rows are added in chunk order.
  std::vector<float> partial_sums;
  if (chunks.count() != 1) partial_sums.resize(static_cast<std::size_t>(batch * chunks.count() * channels));
  float* sums = chunks.count() == 1 ? scale_gradient : partial_sums.data();
  pool.run(batch * chunks.count(), [&](Index index, int) {
    const Index image = index / chunks.count();
    const Range range = chunks[index % chunks.count()];
    const Index at = (image * pixels + range.begin) * channels;
    kernels.scale_channels_gradient(range.size(), channels, input + at, scale + image * channels, output_gradient + at,
                                    input_gradient + at, sums + index * channels);
  });
  if (chunks.count() == 1) return;
  std::fill(scale_gradient, scale_gradient + batch * channels, 0.0f);
  for (Index image = 0; image < batch; ++image) {
    for (Index chunk = 0; chunk < chunks.count(); ++chunk) {
      kernels.accumulate(channels, 1.0f, sums + (image * chunks.count() + chunk) * channels,
                         scale_gradient + image * channels);
    }
  }
}

}  // namespace linnet::kernels
