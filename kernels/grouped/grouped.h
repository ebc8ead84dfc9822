// Grouped convolution (1 < groups < channels): group g maps input channels [g * in/groups, ...) to output channels
// [g * out/groups, ...). Any kernel, stride, padding, dilation; 1x1 with stride 1 reads its input in place.
//
// Weights in the reference layout [out_channels][in_channels / groups][kernel_height][kernel_width], packed once.
// in_channels and out_channels are totals and multiples of `groups`. Otherwise as conv.h.
#pragma once

#include <cstddef>

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct GroupedArgs {
  Window window;
  Index groups = 1;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;
  Index input_stride = 0;
  const float* weights = nullptr;  ///< from grouped_pack
  float* output = nullptr;
  Index output_stride = 0;
  Epilogue epilogue;
  float* workspace = nullptr;  ///< grouped_workspace_size() floats, 64-byte aligned
};

std::size_t grouped_packed_size(Index groups, Index in_channels, Index out_channels, Index kernel_area);
void grouped_pack(const float* weights, Index groups, Index in_channels, Index out_channels, Index kernel_area,
                  float* packed);
std::size_t grouped_workspace_size(const Window& window, Index groups, Index in_channels, Index out_channels,
                                   int threads);

void grouped(ThreadPool& pool, const GroupedArgs& args);

/// Dense tensors, weights in the reference layout; scratch is the functions' own.
struct GroupedInputGradientArgs {
  Window window;
  Index groups = 1;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* output_gradient = nullptr;
  const float* weights = nullptr;
  float* input_gradient = nullptr;  ///< overwritten
};
void grouped_input_gradient(ThreadPool& pool, const GroupedInputGradientArgs& args);

struct GroupedWeightGradientArgs {
  Window window;
  Index groups = 1;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;
  const float* output_gradient = nullptr;
  float* weight_gradient = nullptr;  ///< overwritten
};
void grouped_weight_gradient(ThreadPool& pool, const GroupedWeightGradientArgs& args);

}  // namespace linnet::kernels
