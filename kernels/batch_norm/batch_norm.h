// Batch normalisation over dense rows of channels (NHWC: a row is a pixel), with the activation that follows it.
//
// Statistics are summed in double, in chunks fixed by the shape: the same bits for any number of threads.
#pragma once

#include <span>
#include <vector>

#include "kernels/common/range.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// output = activation(input * scale + shift), per channel: inference, and any per-channel affine map.
/// The output may be the input.
void scale_shift(ThreadPool& pool, Index rows, Index channels, const float* input, const float* scale,
                 const float* shift, Activation activation, float* output);

/// A batch norm and the activation behind it, with the statistics to normalise by; all [channels].
struct Norm {
  const float* gamma = nullptr;
  const float* beta = nullptr;
  const float* mean = nullptr;
  const float* inverse_std = nullptr;
  Activation activation = Activation::none;
};

/// output = activation(gamma * (input - mean) * inverse_std + beta). The output may be the input.
void normalise(ThreadPool& pool, Index rows, Index channels, const Norm& norm, const float* input, float* output);

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

/// Its first half: mean, variance and inverse_std. Writes no output.
void batch_norm_statistics(ThreadPool& pool, const BatchNormArgs& args);

/// Gradient through activation and normalisation. What the activation was applied to is recomputed from `input`.
struct BatchNormGradientArgs {
  Index rows = 0;
  Index channels = 0;
  const float* input = nullptr;            ///< of the forward pass
  const float* output_gradient = nullptr;  ///< with respect to the activated output
  Norm norm;
  bool fixed_statistics = false;    ///< evaluation mode: mean and inverse_std are constants, not functions of the input
  float* input_gradient = nullptr;  ///< overwritten; may be output_gradient; null if not wanted
  float* gamma_gradient = nullptr;  ///< [channels], overwritten
  float* beta_gradient = nullptr;   ///< [channels], overwritten
};
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs& args);

/// The two halves of it, for those who come by the sums on another way. `sums` [2][channels]: over all rows, of g, the
/// gradient through the activation, and of g * normalised. They are the gradients of beta and gamma.
void batch_norm_gradient_sums(ThreadPool& pool, const BatchNormGradientArgs& args, double* sums);
void batch_norm_input_gradient(ThreadPool& pool, const BatchNormGradientArgs& args, const double* sums);

/// What the second pass of the gradient needs to know of a channel:
/// input_gradient = scale * (g - mean_g - normalised * mean_product), g = the gradient through the activation.
struct BatchNormGradientMeans {
  const float* gradient = nullptr;  ///< [channels], mean over rows of g
  const float* product = nullptr;   ///< [channels], mean over rows of g * normalised
};

// One instruction set's share of the work: single-threaded, on a range of rows. Programs that only run networks link
// the first table alone.

struct ScaleShiftKernels {
  void (*scale_shift)(Index channels, Range rows, const float* input, const float* scale, const float* shift,
                      Activation activation, float* output);
};

/// These means; zeros for fixed statistics.
class BatchNormMeans {
 public:
  BatchNormMeans(const BatchNormGradientArgs& args, const double* sums);
  BatchNormGradientMeans view() const { return {values_.data(), values_.data() + values_.size() / 2}; }

 private:
  std::vector<float> values_;
};

struct BatchNormKernels {
  /// The mean of each channel over these rows (at least one), and the sum of the squares of what differs from it.
  void (*moments)(Index channels, Range rows, const float* input, double* mean, double* squares);
  void (*normalise)(Index channels, Range rows, const Norm& norm, const float* input, float* output);
  /// Sums over these rows of g and of g * normalised; overwrites both.
  void (*gradient_sums)(const BatchNormGradientArgs& args, Range rows, double* gradient, double* product);
  void (*input_gradient)(const BatchNormGradientArgs& args, const BatchNormGradientMeans& means, Range rows);
};

#define LINNET_VARIANT(isa)                           \
  namespace isa {                                     \
  extern const ScaleShiftKernels scale_shift_kernels; \
  extern const BatchNormKernels batch_norm_kernels;   \
  }
#include "kernels/batch_norm/variants.inc"

std::span<const Variant<ScaleShiftKernels>> scale_shift_variants();
std::span<const Variant<BatchNormKernels>> batch_norm_variants();

/// The one in use.
const BatchNormKernels& batch_norm_kernels();

}  // namespace linnet::kernels
