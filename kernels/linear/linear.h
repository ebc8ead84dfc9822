// Linear (fully connected) layers: output[r][o] = activation(sum over i of input[r][i] * weights[o][i] + bias[o]).
//
// Weights stay in the reference layout [out_features][in_features] and are read where they lie (a mapped file, say):
// at batch 1 the layer is a single pass over them, so packing would only cost memory. Dense rows, no alignment asked,
// no aliasing. Results do not depend on the number of threads.
#pragma once

#include <span>

#include "kernels/common/range.h"
#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

struct LinearArgs {
  Index rows = 0;
  Index in_features = 0;
  Index out_features = 0;
  const float* input = nullptr;
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< [out_features], or null
  Activation activation = Activation::none;
  float* output = nullptr;
};
void linear(ThreadPool& pool, const LinearArgs& args);

/// input_gradient[r][i] = sum over o of output_gradient[r][o] * weights[o][i]; overwritten.
void linear_input_gradient(ThreadPool& pool, Index rows, Index in_features, Index out_features,
                           const float* output_gradient, const float* weights, float* input_gradient);

/// weight_gradient[o][i] = sum over r of output_gradient[r][o] * input[r][i]; overwritten.
void linear_weight_gradient(ThreadPool& pool, Index rows, Index in_features, Index out_features, const float* input,
                            const float* output_gradient, float* weight_gradient);

/// bias_gradient[c] = sum over r of output_gradient[r][c]; overwritten. Serves every layer that has a bias.
void bias_gradient(ThreadPool& pool, Index rows, Index channels, const float* output_gradient, float* bias_gradient);

// What an instruction set provides. All of it runs on the calling thread.

struct LinearKernels {
  /// All rows of the outputs in `outputs`.
  void (*run)(const LinearArgs& args, Range outputs);

  /// sums[c] = sum of values[r * stride + c] over `rows`, for c in `columns`.
  void (*column_sums)(const float* values, Index stride, Range rows, Range columns, float* sums);
};

#define LINNET_VARIANT(isa)                  \
  namespace isa {                            \
  extern const LinearKernels linear_kernels; \
  }
#include "kernels/linear/variants.inc"

std::span<const Variant<LinearKernels>> linear_variants();

}  // namespace linnet::kernels
