// A convolution between two batch norms, in training: forward and backward in one sweep over memory each.
//
// Maps of a training step are far larger than the caches. Here a piece of rows is normalised, convolved and measured
// before the next one is looked at; normalised maps and gradients of what is not yet normalised exist in pieces only.
// Pieces are cut by the shape alone: the same bits for any number of threads.
#pragma once

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/window.h"

namespace linnet::kernels {

/// Maps are NHWC.
struct ConvNormArgs {
  const float* input = nullptr;
  const Norm* input_norm = nullptr;  ///< what the input still has to go through; null: nothing
  const float* weights = nullptr;    ///< pointwise_pack or depthwise_pack
  float epsilon = 1e-5f;
  float* output = nullptr;  ///< the products: not normalised
  float* mean = nullptr;    ///< their statistics, as in BatchNormArgs
  float* variance = nullptr;
  float* inverse_std = nullptr;
};

struct ConvNormGradientArgs {
  const float* input = nullptr;  ///< of the forward pass
  const Norm* input_norm = nullptr;
  const float* output = nullptr;  ///< of the forward pass
  Norm output_norm;
  const float* output_gradient = nullptr;  ///< with respect to the normalised and activated output
  const double* output_sums = nullptr;     ///< [2][output channels], of batch_norm_gradient_sums
  /// pointwise_pack of the transposed matrix, not read if no input gradient is wanted; depthwise_pack.
  const float* weights = nullptr;
  float* weight_gradient = nullptr;  ///< as the weights of the reference lie, overwritten
  float* input_gradient = nullptr;   ///< with respect to the normalised and activated input; or null
  /// [2][input channels], of batch_norm_gradient_sums for the input's norm; or null. Needs the input gradient.
  double* input_sums = nullptr;
};

/// Whether the maps are too large for a cache. If they are not, whole passes one after the other cost less: sums of
/// weight gradients are fewer and pieces of the products larger.
bool pointwise_norm_pays(Index rows, Index in_channels, Index out_channels);
void pointwise_norm(ThreadPool& pool, Index rows, Index in_channels, Index out_channels, const ConvNormArgs& args);
void pointwise_norm_gradient(ThreadPool& pool, Index rows, Index in_channels, Index out_channels,
                             const ConvNormGradientArgs& args);

/// Whether there are kernels for the window, and the maps are too large for a cache.
bool depthwise_norm_pays(const Window& window, Index channels);
void depthwise_norm(ThreadPool& pool, const Window& window, Index channels, const ConvNormArgs& args);
void depthwise_norm_gradient(ThreadPool& pool, const Window& window, Index channels, const ConvNormGradientArgs& args);

}  // namespace linnet::kernels
