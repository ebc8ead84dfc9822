#include "kernels/depthwise/depthwise.h"

#include <algorithm>
#include <vector>

#include "kernels/common/chunks.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

/// Multiply-adds in one chunk: about 20 microseconds.
constexpr Index chunk_work = 1 << 19;

/// More partial sums than this would cost more to combine than they gain in balance.
constexpr Index max_weight_gradient_chunks = 32;

const DepthwiseKernels& kernels_for(const Window& window) {
  return depthwise_is_specialised(window) ? select(depthwise_variants()) : scalar::depthwise_kernels;
}

Index rows_per_chunk(Index row_work) { return std::max<Index>(1, chunk_work / std::max<Index>(1, row_work)); }

void forward(ThreadPool& pool, const DepthwiseKernels& kernels, const DepthwiseArgs& args) {
  const Window& window = args.window;
  const Chunks chunks(window.batch * window.out_height,
                      rows_per_chunk(window.out_width * args.channels * window.kernel_area()));
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.forward(args, chunks[chunk]); });
}

}  // namespace

std::span<const Variant<DepthwiseKernels>> depthwise_variants() {
  static constexpr Variant<DepthwiseKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::depthwise_kernels},
#include "kernels/depthwise/variants.inc"
  };
  return variants;
}

std::span<const Variant<DepthwiseBlockKernels>> depthwise_block_variants() {
  static constexpr Variant<DepthwiseBlockKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::depthwise_block_kernels},
#include "kernels/depthwise/variants.inc"
  };
  return variants;
}

bool depthwise_is_specialised(const Window& window) {
  const Index size = window.kernel_height, stride = window.stride;
  // No window lies in padding altogether.
  const bool meets_input = window.pad_top < size && window.pad_left < size &&
                           (window.out_height - 1) * stride < window.in_height + window.pad_top &&
                           (window.out_width - 1) * stride < window.in_width + window.pad_left;
  return size == window.kernel_width && (size == 3 || size == 5 || size == 7) && (stride == 1 || stride == 2) &&
         window.dilation == 1 && meets_input;
}

void depthwise_pack(const float* weights, Index channels, Index kernel_area, float* packed) {
  for (Index c = 0; c < channels; ++c) {
    for (Index tap = 0; tap < kernel_area; ++tap) packed[tap * channels + c] = weights[c * kernel_area + tap];
  }
}

void depthwise_pack_blocks(const float* weights, Index channels, Index kernel_area, Index lanes, float* packed) {
  for (Index begin = 0; begin < channels; begin += lanes) {
    for (Index tap = 0; tap < kernel_area; ++tap) {
      for (Index c = begin; c < begin + lanes; ++c) *packed++ = c < channels ? weights[c * kernel_area + tap] : 0.0f;
    }
  }
}

void depthwise(ThreadPool& pool, const DepthwiseArgs& args) { forward(pool, kernels_for(args.window), args); }

void depthwise_reference(ThreadPool& pool, const DepthwiseArgs& args) {
  forward(pool, scalar::depthwise_kernels, args);
}

void depthwise_input_gradient(ThreadPool& pool, const DepthwiseInputGradientArgs& args) {
  const Window& window = args.window;
  const DepthwiseKernels& kernels = kernels_for(window);
  const Index row_work = window.in_width * args.channels * window.kernel_area() / (window.stride * window.stride);
  const Chunks chunks(window.batch * window.in_height, rows_per_chunk(row_work));
  pool.run(chunks.count(), [&](Index chunk, int) { kernels.input_gradient(args, chunks[chunk]); });
}

void depthwise_weight_gradient(ThreadPool& pool, const DepthwiseWeightGradientArgs& args) {
  const Window& window = args.window;
  const DepthwiseKernels& kernels = kernels_for(window);
  const Index rows = window.batch * window.out_height;
  const Index grain = std::max(rows_per_chunk(window.out_width * args.channels * window.kernel_area()),
                               rows / max_weight_gradient_chunks);
  const Chunks chunks(rows, grain);
  const Index area = window.kernel_area();
  const Index size = area * args.channels;
  std::vector<float> partial_sums(static_cast<std::size_t>(std::max<Index>(1, chunks.count()) * size));
  pool.run(chunks.count(),
           [&](Index chunk, int) { kernels.weight_gradient(args, chunks[chunk], partial_sums.data() + chunk * size); });
  float* sums = partial_sums.data();
  for (Index chunk = 1; chunk < chunks.count(); ++chunk) {
    for (Index i = 0; i < size; ++i) sums[i] += partial_sums[static_cast<std::size_t>(chunk * size + i)];
  }
  for (Index c = 0; c < args.channels; ++c) {
    for (Index tap = 0; tap < area; ++tap) args.weight_gradient[c * area + tap] = sums[tap * args.channels + c];
  }
}

}  // namespace linnet::kernels
