// Batch normalisation over dense rows of channels (NHWC: a row is a pixel), with the activation that follows it.
//
// Statistics are summed in double, in chunks fixed by the shape: the same bits for any number of threads.
#pragma once

#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// output = activation(input * scale + shift), per channel: inference, and any per-channel affine map.
/// The output may be the input.
void scale_shift(ThreadPool& pool, Index rows, Index channels, const float* input, const float* scale,
                 const float* shift, Activation activation, float* output);

/// Training forward: normalises by the statistics of these rows.
struct BatchNormArgs {
  Index rows = 0;
  Index channels = 0;
  const float* input = nullptr;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float epsilon = 1e-5f;
  Activation activation = Activation::none;
  float* output = nullptr;       ///< activation(gamma * (input - mean) * inverse_std + beta); may be the input
  float* mean = nullptr;         ///< [channels]
  float* variance = nullptr;     ///< [channels], biased (divided by rows)
  float* inverse_std = nullptr;  ///< [channels], 1 / sqrt(variance + epsilon)
};
void batch_norm(ThreadPool& pool, const BatchNormArgs& args);

/// Gradient through activation and normalisation. What the activation was applied to is recomputed from `input`.
struct BatchNormGradientArgs {
  Index rows = 0;
  Index channels = 0;
  const float* input = nullptr;            ///< of the forward pass
  const float* output_gradient = nullptr;  ///< with respect to the activated output
  const float* gamma = nullptr;
  const float* beta = nullptr;
  const float* mean = nullptr;
  const float* inverse_std = nullptr;
  Activation activation = Activation::none;
  bool fixed_statistics = false;    ///< evaluation mode: mean and inverse_std are constants, not functions of the input
  float* input_gradient = nullptr;  ///< overwritten; may be output_gradient; null if not wanted
  float* gamma_gradient = nullptr;  ///< [channels], overwritten
  float* beta_gradient = nullptr;   ///< [channels], overwritten
};
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs& args);

}  // namespace linnet::kernels
