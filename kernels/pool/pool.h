// Pooling over dense NHWC maps, and its gradients. Results do not depend on the number of threads.
#pragma once

#include <cstdint>

#include "kernels/common/window.h"
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

}  // namespace linnet::kernels
