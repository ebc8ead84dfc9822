// Dense 3x3 convolution with stride 1 and dilation 1, forward, by Winograd's F(4x4, 3x3): 36 products for each tile of
// 4x4 outputs instead of 144.
//
// Arguments, aliasing, alignment and threads as in conv.h; only the weights are packed in another way, four times as
// large, and the workspace has another size. Results differ from a direct convolution's by rounding: see README.md.
#pragma once

#include <cstddef>

#include "kernels/conv/conv.h"

namespace linnet::kernels {

/// Windows that this family computes.
inline bool winograd_fits(const Window& window) {
  return window.kernel_height == 3 && window.kernel_width == 3 && window.stride == 1 && window.dilation == 1;
}

/// Whether it is the faster way; see winograd.cpp.
bool winograd_pays(const Window& window, Index in_channels, Index out_channels);

std::size_t winograd_packed_size(Index in_channels, Index out_channels);
void winograd_pack(const float* weights, Index in_channels, Index out_channels, float* packed);
std::size_t winograd_workspace_size(const Window& window, Index in_channels, Index out_channels, int threads);

void winograd(ThreadPool& pool, const ConvArgs& args);

}  // namespace linnet::kernels
