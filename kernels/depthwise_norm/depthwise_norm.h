// A depthwise convolution between two batch norms, in training: forward and backward in one sweep over memory each.
//
// As pointwise_norm/, by bands of rows of an image: what a band shares with the one before it stays where it is.
#pragma once

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/window.h"

namespace linnet::kernels {

/// Whether there are kernels for the window, and the maps are too large for a cache.
bool depthwise_norm_pays(const Window& window, Index channels);

struct DepthwiseNormArgs {
  Window window;
  Index channels = 0;
  const float* input = nullptr;      ///< NHWC
  const Norm* input_norm = nullptr;  ///< what the input still has to go through; null: nothing
  const float* weights = nullptr;    ///< depthwise_pack
  float epsilon = 1e-5f;
  float* output = nullptr;  ///< NHWC, the sums: not normalised
  float* mean = nullptr;    ///< their statistics, as in BatchNormArgs
  float* variance = nullptr;
  float* inverse_std = nullptr;
};
void depthwise_norm(ThreadPool& pool, const DepthwiseNormArgs& args);

struct DepthwiseNormGradientArgs {
  Window window;
  Index channels = 0;
  const float* input = nullptr;  ///< of the forward pass
  const Norm* input_norm = nullptr;
  const float* output = nullptr;  ///< of the forward pass
  Norm output_norm;
  const float* output_gradient = nullptr;  ///< with respect to the normalised and activated output
  const double* output_sums = nullptr;     ///< [2][channels], of batch_norm_gradient_sums
  const float* weights = nullptr;          ///< depthwise_pack
  float* weight_gradient = nullptr;        ///< [channels][kernel_area], overwritten
  float* input_gradient = nullptr;         ///< with respect to the normalised and activated input; or null
  double* input_sums = nullptr;            ///< [2][channels], of batch_norm_gradient_sums for the input's norm; or null
};
void depthwise_norm_gradient(ThreadPool& pool, const DepthwiseNormGradientArgs& args);

}  // namespace linnet::kernels
