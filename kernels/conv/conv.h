// Dense convolution (groups = 1, any kernel, stride, padding, dilation) over NHWC maps, and its gradients.
//
// Input [batch][in_height][in_width] pixels of `in_channels` floats, `input_stride` floats apart; output likewise.
// Weights in the reference layout [out_channels][in_channels][kernel_height][kernel_width], packed once.
// Aliasing, alignment and threads as in pointwise.h.
#pragma once

#include <cstddef>

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct ConvArgs {
  Window window;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;
  Index input_stride = 0;
  const float* weights = nullptr;  ///< from conv_pack
  float* output = nullptr;
  Index output_stride = 0;
  Epilogue epilogue;
  float* workspace = nullptr;  ///< conv_workspace_size() floats, 64-byte aligned; contents do not matter
};

std::size_t conv_packed_size(Index in_channels, Index out_channels, Index kernel_area);
void conv_pack(const float* weights, Index in_channels, Index out_channels, Index kernel_area, float* packed);
std::size_t conv_workspace_size(const Window& window, Index in_channels, Index out_channels, int threads);

void conv(ThreadPool& pool, const ConvArgs& args);

/// Tensors are dense here: a pixel's stride is its channel count. The functions allocate their own scratch.
struct ConvInputGradientArgs {
  Window window;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* output_gradient = nullptr;
  const float* weights = nullptr;   ///< reference layout, not packed
  float* input_gradient = nullptr;  ///< overwritten
};
void conv_input_gradient(ThreadPool& pool, const ConvInputGradientArgs& args);

struct ConvWeightGradientArgs {
  Window window;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;
  const float* output_gradient = nullptr;
  float* weight_gradient = nullptr;  ///< reference layout, overwritten
};
void conv_weight_gradient(ThreadPool& pool, const ConvWeightGradientArgs& args);

}  // namespace linnet::kernels
