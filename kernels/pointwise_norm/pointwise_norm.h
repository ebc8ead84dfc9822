// A pointwise convolution between two batch norms, in training: forward and backward in one sweep over memory each.
//
// Maps of a training step are far larger than the caches. Here a piece of rows is normalised, multiplied and measured
// before the next one is looked at; normalised maps and gradients of what is not yet normalised exist in pieces only.
// Rows are cut by the shape alone: the same bits for any number of threads.
#pragma once

#include "kernels/batch_norm/batch_norm.h"

namespace linnet::kernels {

/// Whether the maps are too large for a cache. If they are not, whole passes one after the other cost less: sums of
/// weight gradients are fewer and pieces of the products larger.
bool pointwise_norm_pays(Index rows, Index in_channels, Index out_channels);

struct PointwiseNormArgs {
  Index rows = 0;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;      ///< [rows][in_channels]
  const Norm* input_norm = nullptr;  ///< what the input still has to go through; null: nothing
  const float* weights = nullptr;    ///< pointwise_pack
  float epsilon = 1e-5f;
  float* output = nullptr;  ///< [rows][out_channels], the products: not normalised
  float* mean = nullptr;    ///< their statistics, as in BatchNormArgs
  float* variance = nullptr;
  float* inverse_std = nullptr;
};
void pointwise_norm(ThreadPool& pool, const PointwiseNormArgs& args);

struct PointwiseNormGradientArgs {
  Index rows = 0;
  Index in_channels = 0;
  Index out_channels = 0;
  const float* input = nullptr;  ///< of the forward pass
  const Norm* input_norm = nullptr;
  const float* output = nullptr;  ///< of the forward pass
  Norm output_norm;
  const float* output_gradient = nullptr;  ///< with respect to the normalised and activated output
  const double* output_sums = nullptr;     ///< [2][out_channels], of batch_norm_gradient_sums
  const float* weights = nullptr;          ///< pointwise_pack of the transposed matrix; null: no input gradient
  float* weight_gradient = nullptr;        ///< [out_channels][in_channels], overwritten
  float* input_gradient = nullptr;         ///< with respect to the normalised and activated input; or null
  double* input_sums = nullptr;  ///< [2][in_channels], of batch_norm_gradient_sums for the input's norm; or null
};
void pointwise_norm_gradient(ThreadPool& pool, const PointwiseNormGradientArgs& args);

}  // namespace linnet::kernels
