// Depthwise convolution over dense NHWC maps, and its gradients. One filter per channel.
//
// 3x3, 5x5 and 7x7 with stride 1 or 2 and dilation 1 have kernels of their own; any other window goes through the
// reference. Weights in the reference layout [channels][1][kernel_height][kernel_width] are repacked to
// [kernel_area][channels]. No alignment is asked; nothing outside the tensors is read or written; the output aliases
// no input, except that Epilogue::residual may be the output. Results do not depend on the number of threads.
#pragma once

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
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

}  // namespace linnet::kernels
