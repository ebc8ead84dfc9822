// Depthwise convolution over dense NHWC maps, and its gradients. One filter per channel.
//
// 3x3, 5x5 and 7x7 with stride 1 or 2 and dilation 1 have kernels of their own; any other window goes through the
// reference. Weights in the reference layout [channels][1][kernel_height][kernel_width] are repacked to
// [kernel_area][channels]. No alignment is asked; nothing outside the tensors is read or written; the output aliases
// no input, except that Epilogue::residual may be the output. Results do not depend on the number of threads.
#pragma once

#include <span>

#include "kernels/common/epilogue.h"
#include "kernels/common/range.h"
#include "kernels/common/window.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct DepthwiseArgs {
  Window window;
  Index channels = 0;
  const float* input = nullptr;
  const float* weights = nullptr;  ///< from depthwise_pack
  float* output = nullptr;
  Epilogue epilogue;
};

/// [channels][kernel_area] -> [kernel_area][channels]; the same for every instruction set.
void depthwise_pack(const float* weights, Index channels, Index kernel_area, float* packed);

void depthwise(ThreadPool& pool, const DepthwiseArgs& args);

/// The same by plain loops, for windows that no instruction set has a kernel for.
void depthwise_reference(ThreadPool& pool, const DepthwiseArgs& args);

/// [channels][kernel_area] -> [blocks][kernel_area][lanes], the channels beyond the last 0.
void depthwise_pack_blocks(const float* weights, Index channels, Index kernel_area, Index lanes, float* packed);

struct DepthwiseInputGradientArgs {
  Window window;
  Index channels = 0;
  const float* output_gradient = nullptr;
  const float* weights = nullptr;   ///< from depthwise_pack
  float* input_gradient = nullptr;  ///< overwritten
};
void depthwise_input_gradient(ThreadPool& pool, const DepthwiseInputGradientArgs& args);

struct DepthwiseWeightGradientArgs {
  Window window;
  Index channels = 0;
  const float* input = nullptr;
  const float* output_gradient = nullptr;
  float* weight_gradient = nullptr;  ///< [channels][kernel_area], the reference layout, overwritten
};
void depthwise_weight_gradient(ThreadPool& pool, const DepthwiseWeightGradientArgs& args);

/// Forward, for one vector of channels ("block", PointwiseKernels::lanes floats per pixel) of a map that was copied
/// into a ring of rows with its padding: nothing is tested, nothing outside the ring is padding.
struct DepthwiseBlockArgs {
  Index kernel = 3, stride = 1;
  const float* input = nullptr;    ///< the first row of the ring, at the first tap of the first output
  Index input_row = 0;             ///< floats from one row to the next
  Index ring = 0;                  ///< rows in the ring
  Index slot = 0;                  ///< the row of the ring under the first output row
  const float* weights = nullptr;  ///< [kernel_area][lanes], from depthwise_pack_blocks
  const float* bias = nullptr;     ///< [lanes]
  Activation activation = Activation::none;
  Index rows = 0, width = 0;  ///< of outputs
  float* output = nullptr;
  Index output_row = 0, output_pixel = 0;  ///< floats from one row, one pixel to the next
  Index channels = 0;                      ///< of each pixel that are written: lanes, or fewer
  float* sums = nullptr;                   ///< [lanes], overwritten with the sums over all outputs; or null
};

/// A row of NHWC pixels, `stride` floats apart, to blocks `block_stride` floats apart.
struct ToBlocksArgs {
  const float* pixels = nullptr;
  Index stride = 0, count = 0;
  Index channels = 0;
  bool next = false;  ///< the channels behind these come next: fetch them
  float* blocks = nullptr;
  Index block_stride = 0;
};

// One instruction set's share of the work: single-threaded, on rows counted over all images (image * height + y).

/// What inference needs.
struct DepthwiseBlockKernels {
  void (*block)(const DepthwiseBlockArgs& args);
  void (*to_blocks)(const ToBlocksArgs& args);
};

/// What training needs. A table of its own, so that programs that only run networks need not link it.
struct DepthwiseKernels {
  void (*forward)(const DepthwiseArgs& args, Range output_rows);
  void (*input_gradient)(const DepthwiseInputGradientArgs& args, Range input_rows);
  /// Overwrites `sums` [kernel_area][channels] with what these output rows add to the weight gradient.
  void (*weight_gradient)(const DepthwiseWeightGradientArgs& args, Range output_rows, float* sums);
};

/// Windows that every variant but the reference is written for, and the only ones it may be called with.
bool depthwise_is_specialised(const Window& window);

#define LINNET_VARIANT(isa)                                   \
  namespace isa {                                             \
  extern const DepthwiseBlockKernels depthwise_block_kernels; \
  extern const DepthwiseKernels depthwise_kernels;            \
  }
#include "kernels/depthwise/variants.inc"

std::span<const Variant<DepthwiseBlockKernels>> depthwise_block_variants();
std::span<const Variant<DepthwiseKernels>> depthwise_variants();

}  // namespace linnet::kernels
