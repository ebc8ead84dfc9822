// Elementwise arithmetic on dense arrays of floats, and activations with their gradients.
//
// Unless said otherwise the output may be one of the inputs. Results do not depend on the number of threads.
#pragma once

#include <span>

#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// output[i] = activation(input[i])
void activate(ThreadPool& pool, Activation activation, Index size, const float* input, float* output);

/// input_gradient[i] = output_gradient[i] * activation'(input[i]). At the kinks of ReLU, ReLU6 and the hard functions
/// the derivative is PyTorch's (0 at 0 and at 6; hard_sigmoid 0 at -3 and 3; hard_swish 0 at -3, 1 at 3).
void activate_gradient(ThreadPool& pool, Activation activation, Index size, const float* input,
                       const float* output_gradient, float* input_gradient);

/// output[i] = activation(a[i] + b[i])
void add(ThreadPool& pool, Index size, const float* a, const float* b, Activation activation, float* output);

/// output[i] = a[i] * b[i]
void multiply(ThreadPool& pool, Index size, const float* a, const float* b, float* output);

/// y[i] += alpha * x[i]
void accumulate(ThreadPool& pool, Index size, float alpha, const float* x, float* y);

/// Squeeze-and-excite: output[n][p][c] = input[n][p][c] * scale[n][c]
void scale_channels(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input, const float* scale,
                    float* output);

/// input_gradient[n][p][c] = output_gradient[n][p][c] * scale[n][c];  scale_gradient[n][c] = sum over p of
/// output_gradient[n][p][c] * input[n][p][c]. Overwrites both; no aliasing.
void scale_channels_gradient(ThreadPool& pool, Index batch, Index pixels, Index channels, const float* input,
                             const float* scale, const float* output_gradient, float* input_gradient,
                             float* scale_gradient);

/// One instruction set's share of the work: single-threaded, on as much as it is given.
struct ElementwiseKernels {
  void (*activate)(Activation activation, Index size, const float* input, float* output);
  void (*activate_gradient)(Activation activation, Index size, const float* input, const float* output_gradient,
                            float* input_gradient);
  void (*add)(Activation activation, Index size, const float* a, const float* b, float* output);
  void (*multiply)(Index size, const float* a, const float* b, float* output);
  void (*accumulate)(Index size, float alpha, const float* x, float* y);
  /// Pixels of one image.
  void (*scale_channels)(Index pixels, Index channels, const float* input, const float* scale, float* output);
  void (*scale_channels_gradient)(Index pixels, Index channels, const float* input, const float* scale,
                                  const float* output_gradient, float* input_gradient, float* scale_gradient);
};

#define LINNET_VARIANT(isa)                            \
  namespace isa {                                      \
  extern const ElementwiseKernels elementwise_kernels; \
  }
#include "kernels/elementwise/variants.inc"

std::span<const Variant<ElementwiseKernels>> elementwise_variants();

}  // namespace linnet::kernels
