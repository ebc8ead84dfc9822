#include "kernels/softmax/softmax.h"

#include <algorithm>

#include "kernels/common/chunks.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Chunks of about 16,000 floats: some 20 microseconds.
Chunks row_chunks(Index rows, Index size) {
  if (size <= 0) return {0, 1};
  return {rows, std::max<Index>(1, (1 << 14) / size)};
}

}  // namespace

std::span<const Variant<SoftmaxKernels>> softmax_variants() {
  static constexpr Variant<SoftmaxKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::softmax_kernels},
#include "kernels/softmax/variants.inc"
  };
  return variants;
}

void softmax(ThreadPool& pool, Index rows, Index size, const float* input, float* output) {
  const SoftmaxKernels& kernels = select(softmax_variants());
  const Chunks chunks = row_chunks(rows, size);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.softmax(range.size(), size, input + range.begin * size, output + range.begin * size);
  });
}

void softmax_gradient(ThreadPool& pool, Index rows, Index size, const float* output, const float* output_gradient,
                      float* input_gradient) {
  const SoftmaxKernels& kernels = select(softmax_variants());
  const Chunks chunks = row_chunks(rows, size);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    const Index at = range.begin * size;
    kernels.softmax_gradient(range.size(), size, output + at, output_gradient + at, input_gradient + at);
  });
}

void log_softmax(ThreadPool& pool, Index rows, Index size, const float* input, float* output) {
  const SoftmaxKernels& kernels = select(softmax_variants());
  const Chunks chunks = row_chunks(rows, size);
  pool.run(chunks.count(), [&](Index chunk, int) {
    const Range range = chunks[chunk];
    kernels.log_softmax(range.size(), size, input + range.begin * size, output + range.begin * size);
  });
}

}  // namespace linnet::kernels
