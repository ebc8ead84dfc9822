// Pooling over dense NHWC maps, and its gradients. Results do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/common/range.h"
#include "kernels/common/window.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct MaxPoolArgs {
  Window window;  ///< padding never wins; every window must hold at least one input
  Index channels = 0;
  const float* input = nullptr;
  float* output = nullptr;
  /// Per output value the position in_y * in_width + in_x of its maximum (the first in row order; NaN wins, as in
  /// PyTorch), for the gradient; or null.
  std::int32_t* positions = nullptr;
};
void max_pool(ThreadPool& pool, const MaxPoolArgs& args);

struct MaxPoolGradientArgs {
  Window window;
  Index channels = 0;
  const float* output_gradient = nullptr;
  const std::int32_t* positions = nullptr;
  float* input_gradient = nullptr;  ///< overwritten
};
void max_pool_gradient(ThreadPool& pool, const MaxPoolGradientArgs& args);

struct AveragePoolArgs {
  Window window;
  Index channels = 0;
  const float* input = nullptr;
  float* output = nullptr;
  bool count_padding = false;  ///< divide by the kernel area everywhere, or by the inputs that a window really holds
};
void average_pool(ThreadPool& pool, const AveragePoolArgs& args);

struct AveragePoolGradientArgs {
  Window window;
  Index channels = 0;
  const float* output_gradient = nullptr;
  float* input_gradient = nullptr;  ///< overwritten
  bool count_padding = false;
};
void average_pool_gradient(ThreadPool& pool, const AveragePoolGradientArgs& args);

/// input [batch][pixels][channels] -> output [batch][channels], the mean over pixels.
void global_average_pool(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input,
                         float* output);
void global_average_pool_gradient(ThreadPool& pool, Index batch, Index pixels, Index channels,
                                  const float* output_gradient, float* input_gradient);

/// One instruction set's share of the work: single-threaded, on rows counted over all images (image * height + y).
/// Only the reference knows windows with dilation.
struct PoolKernels {
  void (*max)(const MaxPoolArgs& args, Range output_rows);
  void (*max_gradient)(const MaxPoolGradientArgs& args, Range input_rows);
  void (*average)(const AveragePoolArgs& args, Range output_rows);
  void (*average_gradient)(const AveragePoolGradientArgs& args, Range input_rows);
  /// output[c] = the mean over pixels of input[p * channels + c], for c in `range`; one image.
  void (*global_average)(Index pixels, Index channels, Range range, const float* input, float* output);
  /// input_gradient[p * channels + c] = output_gradient[c] / pixels, for p in `range`; one image.
  void (*global_average_gradient)(Index pixels, Index channels, Range range, const float* output_gradient,
                                  float* input_gradient);
};

#define LINNET_VARIANT(isa)              \
  namespace isa {                        \
  extern const PoolKernels pool_kernels; \
  }
#include "kernels/pool/variants.inc"

std::span<const Variant<PoolKernels>> pool_variants();

}  // namespace linnet::kernels
